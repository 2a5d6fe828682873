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

// Retained holds the retained messages of a broker.
type Retained struct {
	Announced []discovery.Message          // the announcements
	Values    map[string]map[string]string // the values of the configured meters, by meter id and last level of the topic, such as import_power
}

// ReadRetained reads the retained messages of the configured broker. With an *mqtt.IncompleteError it returns what was read.
func ReadRetained(ctx context.Context, setup *daemon.Setup) (retained Retained, err error) {
	output := setup.MQTTOutput()
	retained.Announced, err = mqtt.RetainedAnnouncements(ctx, output)
	if err != nil && !IsIncomplete(err) {
		return Retained{}, err
	}
	values, valuesErr := mqtt.Retained(ctx, output, setup.MeterIDs()...)
	retained.Values = values
	return retained, cmp.Or(err, valuesErr)
}

// RetainedMeters returns the configured meters with the quantities whose values or announcements the broker retains. A meter without retained
// messages has no quantities.
func RetainedMeters(setup *daemon.Setup, retained Retained) (meters []discovery.Meter) {
	announced := setup.MQTTOutput().Discovery().ParseMeters(retained.Announced)
	for _, m := range setup.Meters {
		var announcement discovery.Meter // zero if the meter is not announced
		if i := slices.IndexFunc(announced, func(a discovery.Meter) bool { return a.ID == m.ID }); i >= 0 {
			announcement = announced[i]
		}
		meters = append(meters, retainedMeter(m, retained.Values[m.ID], announcement))
	}
	return meters
}

// retainedMeter returns the meter that its values and its announcement describe. Only the announcement contains the units of quantities and the
// intervals at which the meter sends them.
func retainedMeter(c config.Meter, values map[string]string, announced discovery.Meter) discovery.Meter {
	m := announced
	m.ID, m.Name, m.Simulated, m.Quantities = c.ID, c.Name, false, nil
	var info struct{ Make, Model, Serial, List string }
	if text := values["info"]; text != "" && json.Unmarshal([]byte(text), &info) == nil {
		m.Make, m.Model, m.Serial, m.Software = info.Make, info.Model, info.Serial, info.List
	}
	for i := range quantity.Rows() {
		id := quantity.ID(i)
		q, index := discovery.Quantity{ID: id}, slices.IndexFunc(announced.Quantities, func(q discovery.Quantity) bool { return q.ID == id })
		if index >= 0 {
			q = announced.Quantities[index]
		}
		value, hasValue := values[id.String()]
		if hasValue {
			q.Decimals = decimalsIn(id, value)
		}
		if hasValue || index >= 0 {
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

// announcementsOf returns the announcements of the devices with these ids, in both styles. If allMeters is true, it also returns the
// announcements of every meter that publishes below the base topic, because a meter is possibly not configured any more.
func announcementsOf(messages []discovery.Message, ids []string, base string, allMeters bool) []discovery.Message {
	announced := discovery.AnnouncedBy(messages) // without the announcements of other programs
	withIDs := discovery.Announced{}
	for _, id := range ids {
		withIDs = withIDs.Union(announced.OfMeter(id))
	}
	return slices.DeleteFunc(slices.Clone(messages), func(m discovery.Message) bool {
		_, isOurs := announced[m.Topic]
		_, hasID := withIDs[m.Topic]
		keep := isOurs && (hasID || allMeters && publishedBelow(base, m.Payload))
		return !keep // DeleteFunc removes the messages for which the function returns true
	})
}

// publishedBelow reports whether all state topics of an announcement are below the base topic.
func publishedBelow(base string, payload []byte) bool {
	type entity struct {
		Topic string `json:"state_topic"`
	}
	// If an announcement is about one entity, the state topic is in root. If it is about a device, the state topics are in Components.
	var root struct {
		entity
		Components map[string]entity `json:"components"`
	}
	if json.Unmarshal(payload, &root) != nil {
		return false
	}
	entities := []entity{root.entity}
	for _, e := range root.Components {
		entities = append(entities, e)
	}
	entities = slices.DeleteFunc(entities, func(e entity) bool { return e.Topic == "" })
	return len(entities) > 0 && !slices.ContainsFunc(entities, func(e entity) bool { return !mqtt.Inside(e.Topic, base) })
}
