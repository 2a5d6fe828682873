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

// Retained holds the retained messages of a broker: announcements, and the values of the configured meters by the id of the meter and the
// name of the quantity.
type Retained struct {
	Announced []discovery.Message
	Values    map[string]map[string]string
}

// ReadRetained reads the retained messages of the configured broker. With an *mqtt.IncompleteError it returns what was read.
func ReadRetained(ctx context.Context, setup *daemon.Setup) (retained Retained, err error) {
	to := setup.MQTTOutput()
	retained.Announced, err = mqtt.RetainedAnnouncements(ctx, to)
	if err != nil && !IsIncomplete(err) {
		return Retained{}, err
	}
	values, incomplete := mqtt.Retained(ctx, to, setup.MeterIDs()...)
	retained.Values = values
	return retained, cmp.Or(err, incomplete)
}

// RetainedMeters returns the configured meters with the quantities whose values or announcements the broker retains. A quantity may be
// announced without a retained value: an empty text, or one that is sent once an hour. A meter may have no quantities.
func RetainedMeters(setup *daemon.Setup, retained Retained) (meters []discovery.Meter) {
	announced := setup.MQTTOutput().Discovery().ParseMeters(retained.Announced)
	for _, m := range setup.Meters {
		var before discovery.Meter
		if i := slices.IndexFunc(announced, func(a discovery.Meter) bool { return a.ID == m.ID }); i >= 0 {
			before = announced[i]
		}
		meters = append(meters, retainedMeter(m, retained.Values[m.ID], before))
	}
	return meters
}

// retainedMeter returns the meter that its values and its announcement describe. Only the announcement has units, and how often a quantity
// is sent.
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

// decimalsIn returns the number of decimals with which a value was published.
func decimalsIn(id quantity.ID, value string) int {
	if d := id.Row().Decimals; d != quantity.AsSent {
		return int(d)
	}
	_, fraction, _ := strings.Cut(value, ".")
	return len(fraction)
}

// announcementsOf returns the announcements of the devices with these ids, in both styles. With others it also returns those of every meter
// that publishes below the base topic, for meters that were removed from the configuration.
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

// publishedBelow reports whether all state topics of an announcement are below the base topic.
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
