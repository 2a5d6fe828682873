package mqtt_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// An announcement says which entities a hub should have, and in which style they are announced.
type announcement struct {
	style discovery.Style
	names string // the quantities of the meter, separated by spaces
}

// descriptors returns the descriptors of the quantities.
func (a announcement) descriptors(t *testing.T) (all []bridge.Descriptor) {
	t.Helper()
	for _, name := range strings.Fields(a.names) {
		id, ok := quantity.ByName(name)
		if !ok {
			t.Fatalf("no quantity %q", name)
		}
		all = append(all, bridge.Descriptor{ID: id, Every: time.Minute})
	}
	return all
}

// entities returns the quantities for which a hub has an entity of the meter. The value is the number of the message that created the entity.
func entities(t *testing.T, b *broker) map[string]int {
	t.Helper()
	all := map[string]int{}
	for id, e := range hubEntities(t, b.messages()) {
		if name, ok := strings.CutPrefix(id, "hanbridge_house_"); ok && e.Topic != "" {
			if _, ok := quantity.ByName(name); ok {
				all[name] = e.Created
			}
		}
	}
	return all
}

// runSteps publishes at most maxSteps of the steps that lead to the wanted announcement. It continues after previous, unless previous is nil.
// recordDelivered is the argument of Step. finished is true if there is no further step.
func runSteps(t *testing.T, b *broker, previous *mqtt.StepAnnouncer, want announcement, maxSteps int, recordDelivered bool) (s *mqtt.StepAnnouncer, finished bool) {
	t.Helper()
	c := config(b.addr)
	c.Style = want.style
	s, err := mqtt.NewStepAnnouncer(t.Context(), c, previous, want.descriptors(t)...)
	if err != nil {
		t.Fatal(err)
	}
	more := true
	for ; more && maxSteps > 0; maxSteps-- {
		if more, err = s.Step(t.Context(), recordDelivered); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.awaitNoClients() // mochi acknowledges a message before it reports the message to this test
	return s, !more
}

// allSteps is larger than the number of steps of any change.
const allSteps = 100

// TestStepsInterrupted tests a change from a first to a second announcement that is interrupted after a number of steps. Then a third announcement
// is published, which equals the first or the second. Topics that the third announcement does not need must be removed. Entities that are in
// all three announcements must never be removed.
func TestStepsInterrupted(t *testing.T) {
	t.Parallel()
	const all, less = "import_power import_energy gas tariff", "import_power import_energy"
	announcements := []announcement{
		{discovery.Device, all}, {discovery.Device, less}, {discovery.Component, all}, {discovery.Component, less}, {discovery.Off, less},
	}
	for _, first := range announcements {
		for _, second := range announcements {
			for _, third := range []announcement{first, second} {
				t.Run(fmt.Sprint(first, second, third), func(t *testing.T) {
					t.Parallel()
					for steps := range allSteps {
						if !testInterrupted(t, first, second, third, steps) {
							return
						}
					}
				})
			}
		}
	}
}

// testInterrupted interrupts the change to the second announcement after a number of steps, and reports whether that change has more steps.
func testInterrupted(t *testing.T, first, second, third announcement, steps int) (more bool) {
	t.Helper()
	b := startOpenBroker(t)
	s, _ := runSteps(t, b, nil, first, allSteps, true)
	for _, name := range strings.Fields(first.names) {
		if err := b.Publish("hanbridge/house/"+name, []byte("1"), true, 0); err != nil {
			t.Fatal(err)
		}
	}
	firstEntities := entities(t, b)
	s, finished := runSteps(t, b, s, second, steps, false)
	runSteps(t, b, s, third, allSteps, true)

	got, want := map[string]bool{}, map[string]bool{}
	if third.style != discovery.Off {
		for _, name := range strings.Fields(third.names) {
			want[name] = true
		}
	}
	for name, created := range entities(t, b) {
		got[name] = true
		createdBefore, inFirst := firstEntities[name]
		inSecond := second.style != discovery.Off && strings.Contains(second.names, name)
		if inFirst && inSecond && created != createdBefore {
			t.Errorf("after %d steps: %s was removed and created again", steps, name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("after %d steps: entities (-want +got):\n%s", steps, diff)
	}
	checkRetained(t, b, first, second, third, steps)
	return !finished
}

// checkRetained tests that the broker retains no announcement in a style other than that of third, and no values that are not in third. Values
// that are in all three announcements must still be retained. steps is for the failure messages.
func checkRetained(t *testing.T, b *broker, first, second, third announcement, steps int) {
	t.Helper()
	retained := retainedOf(b.messages())
	for topic := range retained {
		hasOtherStyle := third.style != discovery.Component && strings.Contains(topic, "sensor/hanbridge_") ||
			third.style != discovery.Device && strings.Contains(topic, "/device/hanbridge_")
		name, isValue := strings.CutPrefix(topic, "hanbridge/house/")
		isOtherValue := isValue && !slices.Contains(strings.Fields(third.names), name)
		if hasOtherStyle || isOtherValue {
			t.Errorf("after %d steps: %s is still retained", steps, topic)
		}
	}
	for _, name := range strings.Fields(third.names) {
		inAll := strings.Contains(first.names, name) && strings.Contains(second.names, name)
		if inAll && retained["hanbridge/house/"+name] == "" {
			t.Errorf("after %d steps: the value of %s was removed", steps, name)
		}
	}
}

// TestLateAcknowledgementOfEarlierChange tests a change whose messages are acknowledged only after the next change has begun. The bridge must not
// record the next change as delivered.
func TestLateAcknowledgementOfEarlierChange(t *testing.T) {
	t.Parallel()
	b := startOpenBroker(t)
	first, second := announcement{discovery.Component, "gas"}, announcement{discovery.Device, "gas"}
	if err := b.Publish("hanbridge/house/gas", []byte("1"), true, 0); err != nil {
		t.Fatal(err)
	}
	s, _ := runSteps(t, b, nil, first, allSteps, true)
	c := config(b.addr)
	c.Style = second.style
	s, err := mqtt.NewStepAnnouncer(t.Context(), c, s, second.descriptors(t)...)
	for more := true; more && err == nil; {
		more, err = s.Step(t.Context(), false) // the steps to second are not acknowledged yet
	}
	if err != nil {
		t.Fatal(err)
	}
	s.SetDescriptors(announcement{discovery.Device, "gas tariff"}.descriptors(t)...)
	if _, err := s.Step(t.Context(), true); err != nil { // the steps to second are acknowledged when the next change has begun
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.awaitNoClients()
	runSteps(t, b, s, second, allSteps, true)
	checkRetained(t, b, first, second, second, 1) // after one step of the change to gas and tariff
}

// TestFoundByRetainedScan tests that announcements that the retained scan has found remain for 50 h (foundLifetime), even if the meter does not
// send their quantities. If the meter has sent a quantity and stops sending it, the announcement of the quantity is removed without this delay.
func TestFoundByRetainedScan(t *testing.T) {
	t.Parallel()
	for _, styles := range [][2]discovery.Style{{discovery.Device, discovery.Device}, {discovery.Component, discovery.Device}, {discovery.Device, discovery.Component}} {
		b := startOpenBroker(t)
		runSteps(t, b, nil, announcement{styles[0], "import_power import_energy gas"}, allSteps, true)
		c := config(b.addr)
		c.Style = styles[1]
		s, err := mqtt.NewStepAnnouncer(t.Context(), c, nil)
		if err != nil {
			t.Fatal(err)
		}
		var found []discovery.Message
		for topic, payload := range retainedOf(b.messages()) {
			found = append(found, discovery.Message{Topic: topic, Payload: []byte(payload)})
		}
		s.Found(found)
		for _, step := range []struct {
			sends string // the quantities that the meter sends; "" if instead foundLifetime ends
			want  string // the quantities for which a hub then has entities
		}{
			{"import_power", "gas import_energy import_power"}, {"import_power gas", "gas import_energy import_power"},
			{"import_power", "import_energy import_power"}, {"", "import_power"},
		} {
			if step.sends != "" {
				s.SetDescriptors(announcement{names: step.sends}.descriptors(t)...)
			} else {
				s.ExpireFound()
			}
			for more := true; more; {
				if more, err = s.Step(t.Context(), true); err != nil {
					t.Fatal(err)
				}
			}
			b.await(t, "the entities after "+step.sends+": "+step.want, func([]message) bool {
				return strings.Join(slices.Sorted(maps.Keys(entities(t, b))), " ") == step.want
			})
		}
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
