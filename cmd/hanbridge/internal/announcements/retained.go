package announcements

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/daemon"
	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A Retained is what the broker retains: announcements, and the values of the configured meters by meter and quantity.
type Retained struct {
	Announced []discovery.Message
	Values    map[string]map[string]string
}

// ReadRetained reads it. With an *mqtt.IncompleteError what was read is returned too.
func ReadRetained(ctx context.Context, w *daemon.Setup) (k Retained, err error) {
	to := w.MQTTOutput()
	k.Announced, err = mqtt.RetainedAnnouncements(ctx, to)
	if err != nil && !IsIncomplete(err) {
		return Retained{}, err
	}
	values, short := mqtt.Retained(ctx, to, w.MeterIDs()...)
	k.Values = values
	return k, cmp.Or(err, short)
}

// RetainedMeters returns the configured meters with the quantities whose values the broker holds, and those announced there: of an empty
// text, and of one that comes once an hour, it need not hold a value. Without any where it holds nothing.
func RetainedMeters(w *daemon.Setup, k Retained) (meters []discovery.Meter) {
	announced := w.MQTTOutput().Discovery().ParseMeters(k.Announced)
	for _, m := range w.Meters {
		var before discovery.Meter
		if i := slices.IndexFunc(announced, func(a discovery.Meter) bool { return a.ID == m.ID }); i >= 0 {
			before = announced[i]
		}
		meters = append(meters, retainedMeter(m, k.Values[m.ID], before))
	}
	return meters
}

// retainedMeter puts together what the values and the announcement of a meter tell. Units, and how often a quantity comes, are
// in the announcement alone.
func retainedMeter(c config.Meter, values map[string]string, announced discovery.Meter) discovery.Meter {
	m := announced
	m.ID, m.Name, m.Simulated, m.Quantities = c.ID, c.Name, false, nil
	var info struct{ Make, Model, Serial, List string }
	if text := values["info"]; text != "" && json.Unmarshal([]byte(text), &info) == nil {
		m.Make, m.Model, m.Serial, m.Software = info.Make, info.Model, info.Serial, info.List
	}
	for i := range quantity.Rows() {
		id := quantity.ID(i)
		q, n := discovery.Quantity{ID: id}, slices.IndexFunc(announced.Quantities, func(q discovery.Quantity) bool { return q.ID == id })
		if n >= 0 {
			q = announced.Quantities[n]
		}
		value, ok := values[id.String()]
		if ok {
			q.Decimals = decimalsIn(id, value)
		}
		if ok || n >= 0 {
			m.Quantities = append(m.Quantities, q)
		}
	}
	return m
}

// decimalsIn is with how many decimals a value was published.
func decimalsIn(id quantity.ID, value string) int {
	if d := id.Row().Decimals; d != quantity.AsSent {
		return int(d)
	}
	_, fraction, _ := strings.Cut(value, ".")
	return len(fraction)
}

// announcementsOf are the announcements of these devices, in either style, and with others also of those that publish below the base
// topic: meters that were taken out of the configuration.
func announcementsOf(messages []discovery.Message, ids []string, base string, others bool) []discovery.Message {
	held := discovery.AnnouncedBy(messages)
	named := discovery.Announced{}
	for _, id := range ids {
		named = named.Union(held.OfMeter(id))
	}
	return slices.DeleteFunc(slices.Clone(messages), func(m discovery.Message) bool {
		_, ours := held[m.Topic]
		_, asked := named[m.Topic]
		return !ours || !asked && (!others || !publishedBelow(base, m.Payload))
	})
}

// publishedBelow tells if all that an announcement shows is published below a topic.
func publishedBelow(base string, payload []byte) bool {
	type entity struct {
		Topic string `json:"state_topic"`
	}
	var root struct {
		entity
		Components map[string]entity `json:"components"`
	}
	if json.Unmarshal(payload, &root) != nil {
		return false
	}
	all := []entity{root.entity}
	for _, e := range root.Components {
		all = append(all, e)
	}
	all = slices.DeleteFunc(all, func(e entity) bool { return e.Topic == "" })
	return len(all) > 0 && !slices.ContainsFunc(all, func(e entity) bool { return !mqtt.Inside(e.Topic, base) })
}
