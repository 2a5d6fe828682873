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

// A world is a broker, two hubs that listen to it below different prefixes, and a bridge that keeps what it holds over its own end.
type world struct {
	retained map[string][]byte
	hub      *hatest.Hub
	second   *hatest.Hub         // below secondPrefix
	held     discovery.Announced // as kept on disk
}

const secondPrefix = "hubs/second"

func newWorld() *world {
	return &world{retained: map[string][]byte{}, hub: hatest.NewHub("homeassistant"), second: hatest.NewHub(secondPrefix)}
}

func (w *world) publish(m discovery.Message) {
	w.retained[m.Topic] = m.Payload
	if len(m.Payload) == 0 {
		delete(w.retained, m.Topic)
	}
	w.hub.Receive(m.Topic, m.Payload)
	w.second.Receive(m.Topic, m.Payload)
}

// change does what PlanChange says, and is killed before the message with number end, counted over all steps; 0 or more. It tells
// if it came to the end.
func (w *world) change(wanted []discovery.Message, end int) bool {
	steps, now := discovery.PlanChange(w.held, wanted)
	w.keep(w.held.Union(now))
	for _, m := range slices.Concat(steps...) {
		if end == 0 {
			return false
		}
		end--
		w.publish(m)
	}
	w.keep(now)
	return true
}

// keep goes through JSON, as a file does.
func (w *world) keep(h discovery.Announced) {
	text, err := json.Marshal(h)
	if err != nil {
		panic(err)
	}
	w.held = nil
	if err := json.Unmarshal(text, &w.held); err != nil {
		panic(err)
	}
}

// messages are what the broker retains, in the order of topics.
func (w *world) messages() []discovery.Message {
	var all []discovery.Message
	for _, topic := range slices.Sorted(maps.Keys(w.retained)) {
		all = append(all, discovery.Message{Topic: topic, Payload: w.retained[topic]})
	}
	return all
}

func (w *world) restartHub() {
	w.hub.Restart(w.retained)
	w.second.Restart(w.retained)
}

type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// settled demands that broker and hub have what is wanted, and nothing else.
func (w *world) settled(t failer, wanted []discovery.Message) {
	t.Helper()
	if d := discovery.Differences(w.messages(), wanted); len(d) > 0 {
		t.Fatalf("the broker retains: %v", d)
	}
	if want, got := born(wanted), alive(w.hub, w.second); !maps.Equal(want, got) {
		d := cmp.Diff(want, got)
		t.Fatalf("the hubs' entities, -want +got:\n%s", d)
	}
}

// born are the entities that hubs have which hear these messages as their first: unique_ids with the announcing topics.
func born(messages []discovery.Message) map[string]string {
	w := newWorld()
	for _, m := range messages {
		w.publish(m)
	}
	return alive(w.hub, w.second)
}

// alive are the entities of hubs, with the topics that announce them. Those of the second are marked.
func alive(hubs ...*hatest.Hub) map[string]string {
	all := map[string]string{}
	for i, hub := range hubs {
		for _, e := range hub.Entities() {
			all[ofHub(i, e)] = e.Topic
		}
	}
	return all
}

func ofHub(i int, e hatest.Entity) string { return []string{"", "second "}[i] + e.UniqueID }

// births tells when each entity was born, and its id: both stay as long as it is not removed.
func births(hubs ...*hatest.Hub) map[string]hatest.Entity {
	all := map[string]hatest.Entity{}
	for i, hub := range hubs {
		for _, e := range hub.Entities() {
			e.Topic = ""
			all[ofHub(i, e)] = e
		}
	}
	return all
}

// keptAll demands that no entity of before that is still there was removed in between.
func (w *world) keptAll(t failer, before map[string]hatest.Entity) {
	t.Helper()
	for id, e := range births(w.hub, w.second) {
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

// TestHubRefusesWhatChangesWithoutCare is what PlanChange is for.
func TestHubRefusesWhatChangesWithoutCare(t *testing.T) {
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

// TestReactiveEnergyLosesItsClass: the earlier bridge announced single entities with the class reactive_energy, which a newer hub
// knows and an older one refuses. Either has one entity of each quantity afterwards, the newer hub the same as before.
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
	w.keep(discovery.AnnouncedBy(w.messages()))
	before := births(w.hub, w.second)
	if got, want := len(before), 1+m.EntityCount(); got != want {
		t.Fatalf("%d entities announced by the earlier bridge, want %d", got, want)
	}
	w.change(wanted, -1)
	w.settled(t, wanted)
	if d := cmp.Diff(before, births(w.hub, w.second)); d != "" {
		t.Errorf("entities of a hub that knew them, -before +after:\n%s", d)
	}
	for _, message := range wanted {
		older.Receive(message.Topic, message.Payload)
	}
	if d := cmp.Diff(alive(w.hub), alive(older)); d != "" || len(older.Warnings) > 0 {
		t.Errorf("an older hub has others (%q):\n%s", older.Warnings, d)
	}
}
