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
	retained  map[string][]byte
	hub       *hatest.Hub
	second    *hatest.Hub         // below secondPrefix
	announced discovery.Announced // the saved state of the bridge
}

const secondPrefix = "hubs/second"

func newWorld() *testSetup {
	return &testSetup{retained: map[string][]byte{}, hub: hatest.NewHub("homeassistant"), second: hatest.NewHub(secondPrefix)}
}

func (w *testSetup) publish(m discovery.Message) {
	w.retained[m.Topic] = m.Payload
	if len(m.Payload) == 0 {
		delete(w.retained, m.Topic)
	}
	w.hub.Receive(m.Topic, m.Payload)
	w.second.Receive(m.Topic, m.Payload)
}

// change publishes the steps of PlanChange. It stops before the message with number end, counted from 0 over all steps. It reports whether all
// messages were published.
func (w *testSetup) change(wanted []discovery.Message, end int) bool {
	steps, now := discovery.PlanChange(w.announced, wanted)
	w.save(w.announced.Union(now))
	for _, m := range slices.Concat(steps...) {
		if end == 0 {
			return false
		}
		end--
		w.publish(m)
	}
	w.save(now)
	return true
}

// save stores h as JSON and reads it back, as a file does.
func (w *testSetup) save(h discovery.Announced) {
	text, err := json.Marshal(h)
	if err != nil {
		panic(err)
	}
	w.announced = nil
	if err := json.Unmarshal(text, &w.announced); err != nil {
		panic(err)
	}
}

// messages returns what the broker retains, in the order of topics.
func (w *testSetup) messages() []discovery.Message {
	var all []discovery.Message
	for _, topic := range slices.Sorted(maps.Keys(w.retained)) {
		all = append(all, discovery.Message{Topic: topic, Payload: w.retained[topic]})
	}
	return all
}

func (w *testSetup) restartHub() {
	w.hub.Restart(w.retained)
	w.second.Restart(w.retained)
}

type failingTest interface {
	Helper()
	Fatalf(format string, args ...any)
}

// checkSettled fails unless broker and hubs have exactly what is wanted.
func (w *testSetup) checkSettled(t failingTest, wanted []discovery.Message) {
	t.Helper()
	if d := discovery.Differences(w.messages(), wanted); len(d) > 0 {
		t.Fatalf("the broker retains: %v", d)
	}
	if want, got := entitiesOfNewHubs(wanted), announcedEntities(w.hub, w.second); !maps.Equal(want, got) {
		d := cmp.Diff(want, got)
		t.Fatalf("the hubs' entities, -want +got:\n%s", d)
	}
}

// entitiesOfNewHubs returns the entities of new hubs that receive messages: the announcing topic by unique id.
func entitiesOfNewHubs(messages []discovery.Message) map[string]string {
	w := newWorld()
	for _, m := range messages {
		w.publish(m)
	}
	return announcedEntities(w.hub, w.second)
}

// announcedEntities returns the announcing topics of entities by unique id. Ids of the second hub are marked.
func announcedEntities(hubs ...*hatest.Hub) map[string]string {
	all := map[string]string{}
	for i, hub := range hubs {
		for _, e := range hub.Entities() {
			all[ofHub(i, e)] = e.Topic
		}
	}
	return all
}

func ofHub(i int, e hatest.Entity) string { return []string{"", "second "}[i] + e.UniqueID }

// entitiesWithoutTopics returns entities without their topics. They stay the same as long as they are not removed.
func entitiesWithoutTopics(hubs ...*hatest.Hub) map[string]hatest.Entity {
	all := map[string]hatest.Entity{}
	for i, hub := range hubs {
		for _, e := range hub.Entities() {
			e.Topic = ""
			all[ofHub(i, e)] = e
		}
	}
	return all
}

// checkNoneRecreated fails if an entity of before was removed and created again.
func (w *testSetup) checkNoneRecreated(t failingTest, before map[string]hatest.Entity) {
	t.Helper()
	for id, e := range entitiesWithoutTopics(w.hub, w.second) {
		if old, ok := before[id]; ok && old != e {
			t.Fatalf("%s was lost and made anew: %v, before %v", id, e, old)
		}
	}
}

func house(c discovery.Config, meters ...discovery.Meter) []discovery.Message {
	all := c.Bridge()
	for _, m := range meters {
		all = append(all, c.Meter(m)...)
	}
	return all
}

// TestHubRefusesChangesInOneStep shows why PlanChange is necessary: a hub refuses the other style if it is published at once.
func TestHubRefusesChangesInOneStep(t *testing.T) {
	device, component := house(config(discovery.Device), norwegian), house(config(discovery.Component), norwegian)
	w := newWorld()
	for _, m := range slices.Concat(device, component) {
		w.publish(m)
	}
	if got, want := len(w.hub.Warnings), len(component); got != want {
		t.Errorf("other style at once: %d complaints, want %d", got, want)
	}
	for _, m := range device {
		w.publish(discovery.Message{Topic: m.Topic})
	}
	if got := w.hub.Entities(); len(got) != 0 {
		t.Errorf("taken back, and still there: %v", got)
	}
}

// TestReactiveEnergyLosesItsClass updates from a version that announced single entities with the class reactive_energy. New hubs know this
// class and must keep their entities. Old hubs refused these entities and must have them afterwards.
func TestReactiveEnergyLosesItsClass(t *testing.T) {
	m := discovery.Meter{ID: "house", Quantities: named("import_reactive_energy import_reactive_energy_t1 import_energy")}
	wanted := house(config(discovery.Component), m)
	w, older := newWorld(), hatest.NewHub("homeassistant")
	for _, message := range wanted {
		earlier := bytes.Replace(message.Payload, []byte(`"unit_of_measurement":"kvarh"`), []byte(`"device_class":"reactive_energy","unit_of_measurement":"kvarh"`), 1)
		w.publish(discovery.Message{Topic: message.Topic, Payload: earlier})
		if bytes.Equal(earlier, message.Payload) {
			older.Receive(message.Topic, earlier)
		}
	}
	w.save(discovery.AnnouncedBy(w.messages()))
	before := entitiesWithoutTopics(w.hub, w.second)
	if got, want := len(before), 1+m.EntityCount(); got != want {
		t.Fatalf("%d entities announced by the earlier bridge, want %d", got, want)
	}
	w.change(wanted, -1)
	w.checkSettled(t, wanted)
	if d := cmp.Diff(before, entitiesWithoutTopics(w.hub, w.second)); d != "" {
		t.Errorf("entities of a hub that knew them, -before +after:\n%s", d)
	}
	for _, message := range wanted {
		older.Receive(message.Topic, message.Payload)
	}
	if d := cmp.Diff(announcedEntities(w.hub), announcedEntities(older)); d != "" || len(older.Warnings) > 0 {
		t.Errorf("an older hub has others (%q):\n%s", older.Warnings, d)
	}
}
