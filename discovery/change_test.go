package discovery_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/discovery"
)

// smallMeter sends three quantities. smallMeterReduced is the same meter after two of the quantities were removed.
var (
	smallMeter        = discovery.Meter{ID: "flat", Name: "Flat", Quantities: named("import_power tariff gas")}
	smallMeterReduced = discovery.Meter{ID: "flat", Name: "Flat", Quantities: named("import_power")}
)

// withSecondPrefix returns c with another discovery prefix.
func withSecondPrefix(c discovery.Config) discovery.Config {
	c.Prefix = secondPrefix
	return c
}

// allChanges returns changes of all kinds. Half of them begin in Device style, and half in Component style.
func allChanges() []changeRow {
	device, component, off := config(discovery.Device), config(discovery.Component), config(discovery.Off)
	var rows []changeRow
	for _, c := range []discovery.Config{device, component} {
		other := device
		if c.Style == discovery.Device {
			other = component
		}
		all, twoMeters := allMessages(c, smallMeter), allMessages(c, smallMeter, norwegian)
		for _, row := range []changeRow{
			{"no difference", all, all},
			{"first announcement", nil, all},
			{"another style", all, allMessages(other, smallMeter)},
			{"another style and fewer quantities", all, allMessages(other, smallMeterReduced)},
			{"style off", all, allMessages(off, smallMeter)},
			{"fewer quantities", all, allMessages(c, smallMeterReduced)},
			{"more quantities", allMessages(c, smallMeterReduced), all},
			{"one meter less", twoMeters, allMessages(c, smallMeter)},
			{"another meter id", all, allMessages(c, norwegian)},
			{"another prefix", all, allMessages(withSecondPrefix(c), smallMeter)},
			{"another prefix and style", all, allMessages(withSecondPrefix(other), smallMeter)},
			{"another prefix and fewer quantities", all, allMessages(withSecondPrefix(c), smallMeterReduced)},
			{"another prefix and one meter less", twoMeters, allMessages(withSecondPrefix(c), smallMeter)},
		} {
			row.name = c.Style.String() + " style: " + row.name
			rows = append(rows, row)
		}
	}
	return rows
}

type changeRow struct {
	name     string
	from, to []discovery.Message
}

// TestChangeInterrupted checks that a second PlanChange completes an interrupted change. The test interrupts the change before each of its messages.
// If stateLost is true, the saved state was lost during the interruption, and the retained messages are used instead. If stateLost is false, the hub
// was restarted during the interruption.
func TestChangeInterrupted(t *testing.T) {
	for _, row := range allChanges() {
		if steps, _ := discovery.PlanChange(discovery.AnnouncedBy(row.from), row.to); len(steps) == 1 {
			continue // nothing is removed, so an interruption does no harm
		}
		t.Run(row.name, func(t *testing.T) {
			for limit, completed := 0, false; !completed; limit++ { // limit is the number of messages before the interruption
				for _, stateLost := range []bool{false, true} {
					s := newTestSetup()
					s.change(row.from, noLimit)
					before := entitiesWithoutTopics(s.hub, s.secondHub)
					completed = s.change(row.to, limit)
					if stateLost {
						s.announced = discovery.AnnouncedBy(s.messages())
					} else {
						s.restartHub()
					}
					s.change(row.to, noLimit)
					s.checkSettled(t, row.to)
					s.checkNoneRecreated(t, before)
				}
			}
		})
	}
}

// TestChangeCausesNoWarnings tests that an uninterrupted change causes no warning in the log of a hub.
func TestChangeCausesNoWarnings(t *testing.T) {
	for _, row := range allChanges() {
		s := newTestSetup()
		s.change(row.from, noLimit)
		s.change(row.to, noLimit)
		if len(s.hub.Warnings) > 0 {
			t.Errorf("%s: got warnings of the hub, want none:\n%s", row.name, strings.Join(s.hub.Warnings, "\n"))
		}
	}
}

// TestChangeOfPrefix tests that nothing remains below the old prefix: no retained message on the broker, and no entity in the hub.
func TestChangeOfPrefix(t *testing.T) {
	for _, c := range []discovery.Config{config(discovery.Device), config(discovery.Component)} {
		s := newTestSetup()
		s.change(allMessages(c, smallMeter), noLimit)
		wanted := allMessages(withSecondPrefix(c), smallMeter)
		s.change(wanted, noLimit)
		if d := discovery.Differences(s.messages(), wanted); len(d) > 0 {
			t.Errorf("%v style: retained messages differ from the wanted messages: %v", c.Style, d)
		}
		if got := s.hub.Entities(); len(got) > 0 {
			t.Errorf("%v style: got entities %v in the hub of the old prefix, want none", c.Style, got)
		}
	}
}

// TestChangeOfOneMeter checks that a change of one meter does not change the entities of other meters.
func TestChangeOfOneMeter(t *testing.T) {
	device, component := config(discovery.Device), config(discovery.Component)
	s := newTestSetup()
	s.change(allMessages(device, smallMeter, norwegian), noLimit)
	if got, want := s.announced.MeterIDs(), []string{"bridge", "flat", "meter"}; !slices.Equal(got, want) {
		t.Errorf("MeterIDs: got %v, want %v", got, want)
	}
	all := s.announced
	s.announced = all.OfMeter(norwegian.ID)
	before := entitiesWithoutTopics(s.hub, s.secondHub)
	s.change(component.Meter(norwegian), noLimit)
	s.checkSettled(t, slices.Concat(allMessages(device, smallMeter), component.Meter(norwegian)))
	s.checkNoneRecreated(t, before)
}

// TestChangeSteps tests the steps of each kind of change, in the form of summarize.
func TestChangeSteps(t *testing.T) {
	// messages returns the messages of a meter "house" with these quantities.
	messages := func(style discovery.Style, quantities string) []discovery.Message {
		return config(style).Meter(discovery.Meter{ID: "house", Quantities: named(quantities)})
	}
	device, component := discovery.Device, discovery.Component
	const deviceTopic = "device/hanbridge_house"
	gas, water := "sensor/hanbridge_house/gas", "sensor/hanbridge_house/water"
	for _, row := range []struct {
		name     string
		from, to []discovery.Message
		want     string // the steps
	}{
		{"nothing announced, nothing wanted", nil, nil, ""},
		{"no difference", messages(device, "gas"), messages(device, "gas"), deviceTopic + " announce"},
		{"one quantity more", messages(device, "gas"), messages(device, "gas water"), deviceTopic + " announce"},
		{"one quantity less", messages(device, "gas water"), messages(device, "gas"), deviceTopic + " announce, without water | " + deviceTopic + " announce"},
		{"style off", messages(device, "gas"), nil, deviceTopic + " clear"},
		{"component style, one quantity less", onlyTopics(messages(component, "gas water"), gas, water), onlyTopics(messages(component, "gas"), gas), water + " clear | " + gas + " announce"},
		{"device style to component style", messages(device, "gas"), onlyTopics(messages(component, "gas"), gas), deviceTopic + " announce, without connection last_telegram rejected " +
			"rejected_reason telegram_errors telegram_interval telegrams | " + deviceTopic + " migrate | " + gas + " announce | " + deviceTopic + " clear"},
		{"component style to device style", onlyTopics(messages(component, "gas water"), gas, water), messages(device, "gas"),
			water + " clear | " + gas + " migrate | " + deviceTopic + " announce | " + gas + " clear"},
	} {
		steps, newAnnounced := discovery.PlanChange(discovery.AnnouncedBy(row.from), row.to)
		if got := summarize(steps); got != row.want {
			t.Errorf("%s: got steps %s\nwant %s", row.name, got, row.want)
		}
		if diff := cmp.Diff(discovery.AnnouncedBy(row.to), newAnnounced); diff != "" {
			t.Errorf("%s: announced after the change (-want +got):\n%s", row.name, diff)
		}
	}
}

// onlyTopics returns the messages whose topics contain any of the given parts.
func onlyTopics(all []discovery.Message, topics ...string) []discovery.Message {
	return slices.DeleteFunc(all, func(m discovery.Message) bool {
		return !slices.ContainsFunc(topics, func(topic string) bool { return strings.Contains(m.Topic, topic+"/") })
	})
}

// summarize returns steps as text. For each message the text has the topic without prefix and "/config", and the messageKind. Messages are
// separated by ";", steps by "|".
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

// messageKind returns "clear" for an empty payload, "migrate" for a payload that releases entities, and "announce" for other payloads. The
// components that a payload removes follow after "without".
func messageKind(payload string) string {
	switch payload {
	case "":
		return "clear"
	case `{"migrate_discovery":true}`:
		return "migrate"
	}
	var removed []string
	for _, key := range strings.Fields("connection gas last_telegram rejected rejected_reason telegram_errors telegram_interval telegrams water") {
		if strings.Contains(payload, fmt.Sprintf(`%q:{"platform":"sensor"}`, key)) || strings.Contains(payload, fmt.Sprintf(`%q:{"platform":"binary_sensor"}`, key)) {
			removed = append(removed, key)
		}
	}
	if len(removed) > 0 {
		return "announce, without " + strings.Join(removed, " ")
	}
	return "announce"
}

// TestOtherChangeAfterInterruption tests that other messages can be wanted after a change of style was interrupted. The interruption can leave
// an entity that no topic owns. PlanChange must announce this entity again before it removes the entity.
func TestOtherChangeAfterInterruption(t *testing.T) {
	for _, c := range []discovery.Config{config(discovery.Device), config(discovery.Component)} {
		other := config(discovery.Component)
		if c.Style == other.Style {
			other = config(discovery.Device)
		}
		// limit is the number of messages before the interruption. A change of style of this meter has at most 24 messages.
		for limit := 0; limit < 24; limit += 3 {
			for _, wanted := range [][]discovery.Message{nil, allMessages(c, smallMeterReduced), allMessages(other, smallMeterReduced)} {
				s := newTestSetup()
				s.change(allMessages(c, smallMeter), noLimit)
				s.change(allMessages(other, smallMeter), limit)
				s.change(wanted, noLimit)
				s.checkSettled(t, wanted)
			}
		}
	}
}
