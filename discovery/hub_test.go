package discovery_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/discovery/hatest"
)

// A testSetup has a broker, two hubs with different discovery prefixes, and the saved state of a bridge.
type testSetup struct {
	retained  map[string][]byte   // the retained payloads on the broker, by topic
	hub       *hatest.Hub         // the hub with the prefix "homeassistant"
	secondHub *hatest.Hub         // the hub with secondPrefix
	announced discovery.Announced // the saved state of the bridge
}

const secondPrefix = "hubs/second"

// noLimit is a limit for testSetup.change. It is more than the number of messages of any change, so all messages are published.
const noLimit = 1000

func newTestSetup() *testSetup {
	return &testSetup{retained: map[string][]byte{}, hub: hatest.NewHub("homeassistant"), secondHub: hatest.NewHub(secondPrefix)}
}

func (s *testSetup) publish(m discovery.Message) {
	s.retained[m.Topic] = m.Payload
	if len(m.Payload) == 0 {
		delete(s.retained, m.Topic)
	}
	s.hub.Receive(m.Topic, m.Payload)
	s.secondHub.Receive(m.Topic, m.Payload)
}

// change calls PlanChange, saves its results and publishes its messages as the bridge does. It publishes at most as many messages as limit, and
// reports whether all messages were published.
func (s *testSetup) change(wanted []discovery.Message, limit int) bool {
	steps, newAnnounced := discovery.PlanChange(s.announced, wanted)
	s.save(s.announced.Union(newAnnounced))
	for _, m := range slices.Concat(steps...) {
		if limit == 0 {
			return false
		}
		limit--
		s.publish(m)
	}
	s.save(newAnnounced)
	return true
}

// save sets s.announced. It encodes the new value as JSON and decodes the JSON, because the bridge saves the value in a file.
func (s *testSetup) save(announced discovery.Announced) {
	text, err := json.Marshal(announced)
	if err != nil {
		panic(err)
	}
	s.announced = nil
	if err := json.Unmarshal(text, &s.announced); err != nil {
		panic(err)
	}
}

// messages returns the retained messages of the broker, in the order of topics.
func (s *testSetup) messages() []discovery.Message {
	var all []discovery.Message
	for _, topic := range slices.Sorted(maps.Keys(s.retained)) {
		all = append(all, discovery.Message{Topic: topic, Payload: s.retained[topic]})
	}
	return all
}

func (s *testSetup) restartHub() {
	s.hub.Restart(s.retained)
	s.secondHub.Restart(s.retained)
}

// A testingT is a *testing.T or a *rapid.T.
type testingT interface {
	Helper()
	Fatalf(format string, args ...any)
}

// checkSettled checks that the broker retains exactly the wanted messages, and that the hubs have exactly the wanted entities.
func (s *testSetup) checkSettled(t testingT, wanted []discovery.Message) {
	t.Helper()
	if d := discovery.Differences(s.messages(), wanted); len(d) > 0 {
		t.Fatalf("retained messages differ from the wanted messages: %v", d)
	}
	if want, got := topicsInNewHubs(wanted), topicsByEntity(s.hub, s.secondHub); !maps.Equal(want, got) {
		d := cmp.Diff(want, got)
		t.Fatalf("topics by entity (-want +got):\n%s", d)
	}
}

// topicsInNewHubs returns the result of topicsByEntity for two new hubs that receive the messages.
func topicsInNewHubs(messages []discovery.Message) map[string]string {
	s := newTestSetup()
	for _, m := range messages {
		s.publish(m)
	}
	return topicsByEntity(s.hub, s.secondHub)
}

// topicsByEntity returns the topic that announces each entity of the hubs, by uniqueIDInHub.
func topicsByEntity(hubs ...*hatest.Hub) map[string]string {
	all := map[string]string{}
	for i, hub := range hubs {
		for _, e := range hub.Entities() {
			all[uniqueIDInHub(i, e)] = e.Topic
		}
	}
	return all
}

// uniqueIDInHub returns the unique id of an entity of hub i. For hub 1, the second hub, "second " precedes the unique id.
func uniqueIDInHub(i int, e hatest.Entity) string { return []string{"", "second "}[i] + e.UniqueID }

// entitiesWithoutTopics returns the entities of the hubs, by uniqueIDInHub. The Topic of each entity is set to "", because the topic depends on the
// style. The other fields of an entity change only if the hub removes the entity and creates it again.
func entitiesWithoutTopics(hubs ...*hatest.Hub) map[string]hatest.Entity {
	all := map[string]hatest.Entity{}
	for i, hub := range hubs {
		for _, e := range hub.Entities() {
			e.Topic = ""
			all[uniqueIDInHub(i, e)] = e
		}
	}
	return all
}

// checkNoneRecreated checks that none of the entities in earlier was removed and created again.
func (s *testSetup) checkNoneRecreated(t testingT, earlier map[string]hatest.Entity) {
	t.Helper()
	for id, e := range entitiesWithoutTopics(s.hub, s.secondHub) {
		if old, ok := earlier[id]; ok && old != e {
			t.Fatalf("%s was removed and created again: got %+v, want %+v", id, e, old)
		}
	}
}

// allMessages returns the messages of the bridge and of meters.
func allMessages(c discovery.Config, meters ...discovery.Meter) []discovery.Message {
	all := c.Bridge()
	for _, m := range meters {
		all = append(all, c.Meter(m)...)
	}
	return all
}

// TestHubRefusesChangesInOneStep tests that hatest.Hub refuses messages of the other style if the steps of PlanChange are missing.
func TestHubRefusesChangesInOneStep(t *testing.T) {
	device, component := allMessages(config(discovery.Device), norwegian), allMessages(config(discovery.Component), norwegian)
	s := newTestSetup()
	for _, m := range slices.Concat(device, component) {
		s.publish(m)
	}
	if got, want := len(s.hub.Warnings), len(component); got != want {
		t.Errorf("messages of both styles: got %d warnings, want %d", got, want)
	}
	for _, m := range device {
		s.publish(discovery.Message{Topic: m.Topic})
	}
	if got := s.hub.Entities(); len(got) != 0 {
		t.Errorf("after the messages of Device style were cleared: got entities %v, want none", got)
	}
}

// TestReactiveEnergyLosesItsClass tests an update of the bridge from a version that used the class reactive_energy in Component style. A Home
// Assistant of 2025 or later knows this class, so the update must not create its entities again. An older Home Assistant has refused these entities,
// and must have them after the update.
func TestReactiveEnergyLosesItsClass(t *testing.T) {
	m := discovery.Meter{ID: "house", Quantities: named("import_reactive_energy import_reactive_energy_t1 import_energy")}
	wanted := allMessages(config(discovery.Component), m)
	s, oldHub := newTestSetup(), hatest.NewHub("homeassistant")
	for _, message := range wanted {
		oldPayload := bytes.Replace(message.Payload, []byte(`"unit_of_measurement":"kvarh"`), []byte(`"device_class":"reactive_energy","unit_of_measurement":"kvarh"`), 1)
		s.publish(discovery.Message{Topic: message.Topic, Payload: oldPayload})
		if bytes.Equal(oldPayload, message.Payload) { // unequal payloads have the class, so the old hub would refuse them
			oldHub.Receive(message.Topic, oldPayload)
		}
	}
	s.save(discovery.AnnouncedBy(s.messages()))
	before := entitiesWithoutTopics(s.hub, s.secondHub)
	if got, want := len(before), 1+m.EntityCount(); got != want {
		t.Fatalf("got %d entities before the update, want %d", got, want)
	}
	s.change(wanted, noLimit)
	s.checkSettled(t, wanted)
	if d := cmp.Diff(before, entitiesWithoutTopics(s.hub, s.secondHub)); d != "" {
		t.Errorf("entities of a new hub (-before +after):\n%s", d)
	}
	for _, message := range wanted {
		oldHub.Receive(message.Topic, message.Payload)
	}
	if d := cmp.Diff(topicsByEntity(s.hub), topicsByEntity(oldHub)); d != "" || len(oldHub.Warnings) > 0 {
		t.Errorf("entities of an old hub (-want +got), warnings %q:\n%s", oldHub.Warnings, d)
	}
}
