package discovery_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/discovery"
)

// smallMeter sends three quantities. smallMeterReduced is the same meter when it sends one of them only.
var (
	smallMeter        = discovery.Meter{ID: "flat", Name: "Flat", Quantities: named("import_power tariff gas")}
	smallMeterReduced = discovery.Meter{ID: "flat", Name: "Flat", Quantities: named("import_power")}
)

// withSecondPrefix returns c with another discovery prefix.
func withSecondPrefix(c discovery.Config) discovery.Config {
	c.Prefix = secondPrefix
	return c
}

// allChanges returns changes of all kinds.
func allChanges() []changeRow {
	device, component, off := config(discovery.Device), config(discovery.Component), config(discovery.Off)
	var rows []changeRow
	for _, c := range []discovery.Config{device, component} {
		other := device
		if c.Style == discovery.Device {
			other = component
		}
		all, both := house(c, smallMeter), house(c, smallMeter, norwegian)
		for _, row := range []changeRow{
			{"nothing", all, all},
			{"from nothing", nil, all},
			{"style", all, house(other, smallMeter)},
			{"style of fewer quantities", all, house(other, smallMeterReduced)},
			{"style off", all, house(off, smallMeter)},
			{"fewer quantities", all, house(c, smallMeterReduced)},
			{"more quantities", house(c, smallMeterReduced), all},
			{"one meter less", both, house(c, smallMeter)},
			{"renamed", all, house(c, norwegian)},
			{"prefix", all, house(withSecondPrefix(c), smallMeter)},
			{"prefix and style", all, house(withSecondPrefix(other), smallMeter)},
			{"prefix of fewer quantities", all, house(withSecondPrefix(c), smallMeterReduced)},
			{"prefix, one meter less", both, house(withSecondPrefix(c), smallMeter)},
		} {
			row.name = c.Style.String() + " " + row.name
			rows = append(rows, row)
		}
	}
	return rows
}

type changeRow struct {
	name     string
	from, to []discovery.Message
}

// TestChangeInterrupted kills the bridge before each message of each kind of change. The change must succeed at the second attempt: with the
// saved state after a restart of the hub, and with what the broker retains. TestChangeMachine mixes all this.
func TestChangeInterrupted(t *testing.T) {
	for _, row := range allChanges() {
		if steps, _ := discovery.PlanChange(discovery.AnnouncedBy(row.from), row.to); len(steps) == 1 {
			continue // nothing is taken back, so nothing can go wrong
		}
		t.Run(row.name, func(t *testing.T) {
			for end, done := 0, false; !done; end++ {
				for _, lost := range []bool{false, true} {
					w := newWorld()
					w.change(row.from, 1000)
					before := entitiesWithoutTopics(w.hub, w.second)
					done = w.change(row.to, end)
					if lost { // the saved state is lost; the messages of both prefixes are read
						w.announced = discovery.AnnouncedBy(w.messages())
					} else {
						w.restartHub()
					}
					w.change(row.to, 1000)
					w.checkSettled(t, row.to)
					w.checkNoneRecreated(t, before)
				}
			}
		})
	}
}

// TestChangeCausesNoWarnings checks that an uninterrupted change causes no warning in the log of a hub.
func TestChangeCausesNoWarnings(t *testing.T) {
	for _, row := range allChanges() {
		w := newWorld()
		w.change(row.from, 1000)
		w.change(row.to, 1000)
		if len(w.hub.Warnings) > 0 {
			t.Errorf("%s: %s", row.name, strings.Join(w.hub.Warnings, "\n"))
		}
	}
}

func TestChangeOfPrefix(t *testing.T) {
	for _, c := range []discovery.Config{config(discovery.Device), config(discovery.Component)} {
		w := newWorld()
		w.change(house(c, smallMeter), 1000)
		to := house(withSecondPrefix(c), smallMeter)
		w.change(to, 1000)
		if d := discovery.Differences(w.messages(), to); len(d) > 0 {
			t.Errorf("%v: the broker retains: %v", c.Style, d)
		}
		if got := w.hub.Entities(); len(got) > 0 {
			t.Errorf("%v: the hub of the old prefix still has %v", c.Style, got)
		}
	}
}

// TestChangeOfOneMeter checks that a change of one meter does not touch the others.
func TestChangeOfOneMeter(t *testing.T) {
	c, other := config(discovery.Device), config(discovery.Component)
	w := newWorld()
	w.change(house(c, smallMeter, norwegian), 1000)
	if got, want := w.announced.MeterIDs(), []string{"bridge", "flat", "meter"}; !slices.Equal(got, want) {
		t.Errorf("Meters: got %v, want %v", got, want)
	}
	all := w.announced
	w.announced = all.OfMeter(norwegian.ID)
	before := entitiesWithoutTopics(w.hub, w.second)
	w.change(other.Meter(norwegian), 1000)
	w.checkSettled(t, slices.Concat(house(c, smallMeter), other.Meter(norwegian)))
	w.checkNoneRecreated(t, before)
}

// TestChangeSteps compares the steps of each kind of change, in a short notation.
func TestChangeSteps(t *testing.T) {
	one := func(style discovery.Style, quantities string) []discovery.Message {
		return config(style).Meter(discovery.Meter{ID: "house", Quantities: named(quantities)})
	}
	device, component := discovery.Device, discovery.Component
	const d = "device/hanbridge_house"
	gas, water := "sensor/hanbridge_house/gas", "sensor/hanbridge_house/water"
	for _, row := range []struct {
		name     string
		from, to []discovery.Message
		want     string
	}{
		{"nothing", nil, nil, ""},
		{"the same", one(device, "gas"), one(device, "gas"), d + " announce"},
		{"one more", one(device, "gas"), one(device, "gas water"), d + " announce"},
		{"one less", one(device, "gas water"), one(device, "gas"), d + " announce, without water | " + d + " announce"},
		{"off", one(device, "gas"), nil, d + " clear"},
		{"only gas", onlyTopics(one(component, "gas water"), gas, water), onlyTopics(one(component, "gas"), gas), water + " clear | " + gas + " announce"},
		{"to component", one(device, "gas"), onlyTopics(one(component, "gas"), gas), d + " announce, without connection last_telegram rejected " +
			"rejected_reason telegram_errors telegram_interval telegrams | " + d + " migrate | " + gas + " announce | " + d + " clear"},
		{"to device", onlyTopics(one(component, "gas water"), gas, water), one(device, "gas"),
			water + " clear | " + gas + " migrate | " + d + " announce | " + gas + " clear"},
	} {
		steps, now := discovery.PlanChange(discovery.AnnouncedBy(row.from), row.to)
		if got := summarize(steps); got != row.want {
			t.Errorf("%s: got  %s\nwant %s", row.name, got, row.want)
		}
		if d := cmp.Diff(discovery.AnnouncedBy(row.to), now); d != "" {
			t.Errorf("%s: held at the end, -want +got:\n%s", row.name, d)
		}
	}
}

func onlyTopics(messages []discovery.Message, topics ...string) []discovery.Message {
	return slices.DeleteFunc(messages, func(m discovery.Message) bool {
		return !slices.ContainsFunc(topics, func(topic string) bool { return strings.Contains(m.Topic, topic+"/") })
	})
}

func summarize(steps [][]discovery.Message) string {
	var all []string
	for _, step := range steps {
		var words []string
		for _, m := range step {
			topic := strings.TrimSuffix(strings.TrimPrefix(m.Topic, "homeassistant/"), "/config")
			words = append(words, topic+" "+messageKind(string(m.Payload)))
		}
		all = append(all, strings.Join(words, "; "))
	}
	return strings.Join(all, " | ")
}

func messageKind(payload string) string {
	switch payload {
	case "":
		return "clear"
	case `{"migrate_discovery":true}`:
		return "migrate"
	}
	var gone []string
	for _, key := range strings.Fields("connection gas last_telegram rejected rejected_reason telegram_errors telegram_interval telegrams water") {
		if strings.Contains(payload, fmt.Sprintf(`%q:{"platform":"sensor"}`, key)) || strings.Contains(payload, fmt.Sprintf(`%q:{"platform":"binary_sensor"}`, key)) {
			gone = append(gone, key)
		}
	}
	if len(gone) > 0 {
		return "announce, without " + strings.Join(gone, " ")
	}
	return "announce"
}

func TestAnnouncedByIgnoresOtherPrograms(t *testing.T) {
	got := discovery.AnnouncedBy([]discovery.Message{
		{Topic: "homeassistant/device/hanbridge_house/config", Payload: []byte(`{"origin":{"name":"another"},"components":{}}`)},
		{Topic: "homeassistant/device/zigbee_house/config", Payload: []byte(`{"origin":{"name":"hanbridge"},"components":{}}`)},
		{Topic: "homeassistant/sensor/hanbridge_house/gas/config", Payload: []byte(`no JSON`)},
		{Topic: "homeassistant/sensor/hanbridge_house/water/config"},
		{Topic: "homeassistant/light/hanbridge_house/lamp/config", Payload: []byte(`{"migrate_discovery":true}`)},
		{Topic: "hanbridge/house/config", Payload: []byte(`{"migrate_discovery":true}`)},
		{Topic: "a/b/sensor/hanbridge_house/gas/config", Payload: []byte(`{"migrate_discovery":true}`)},
		{Topic: "homeassistant/device/hanbridge_barn/config", Payload: []byte(`{"origin":{"name":"hanbridge"},"components":{"gas":{"platform":"sensor"}}}`)},
	})
	want := discovery.Announced{
		"a/b/sensor/hanbridge_house/gas/config":      {"gas": "sensor"},
		"homeassistant/device/hanbridge_barn/config": {"gas": "sensor"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

// TestChangeToAnotherEndAfterInterruption interrupts a change of style, and then wants something else. At that moment no topic may own the
// entities, and a hub does not remove entities that no topic owns.
func TestChangeToAnotherEndAfterInterruption(t *testing.T) {
	for _, c := range []discovery.Config{config(discovery.Device), config(discovery.Component)} {
		other := config(discovery.Component)
		if c.Style == other.Style {
			other = config(discovery.Device)
		}
		for end := 0; end < 24; end += 3 {
			for _, to := range [][]discovery.Message{nil, house(c, smallMeterReduced), house(other, smallMeterReduced)} {
				w := newWorld()
				w.change(house(c, smallMeter), 1000)
				w.change(house(other, smallMeter), end)
				w.change(to, 1000)
				w.checkSettled(t, to)
			}
		}
	}
}
