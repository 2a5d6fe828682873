package mqtt_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/faultnet"
	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/discovery/hatest"
)

// hubOf is what a hub makes of all announcements so far.
func hubOf(t *testing.T, all []message) map[string]hatest.Entity {
	t.Helper()
	hub := hatest.NewHub("homeassistant")
	for _, m := range announcements(all) {
		hub.Receive(m.topic, []byte(m.payload))
	}
	if len(hub.Warnings) > 0 {
		t.Errorf("the hub complains: %q", hub.Warnings)
	}
	known := map[string]hatest.Entity{}
	for _, e := range hub.Entities() {
		known[e.UniqueID] = e
	}
	return known
}

// TestLostMemoryLosesNoEntity: a bridge that knows nothing of an earlier run hears a short list first, as most are; what
// comes once an hour stays.
func TestLostMemoryLosesNoEntity(t *testing.T) {
	t.Parallel()
	for _, styles := range [][2]discovery.Style{
		{discovery.Device, discovery.Device}, {discovery.Component, discovery.Component},
		{discovery.Device, discovery.Component}, {discovery.Component, discovery.Device},
	} {
		t.Run(styles[0].String()+" "+styles[1].String(), func(t *testing.T) {
			t.Parallel()
			b := start(t)
			c := config(b.addr)
			c.Style = styles[0]
			h := run(t, c)
			m := meterOf(t, "aidon-no", time.Date(2026, 11, 22, 9, 59, 57, 5e8, time.UTC))
			for range 6 { // the last is the list of ten seconds past the hour
				h.send(next(m))
			}
			const hourly = "hanbridge_house_import_energy"
			b.await(t, "the counters announced", func(all []message) bool {
				_, ok := hubOf(t, all)[hourly]
				return ok
			})
			h.stop()
			b.empty()
			before := len(b.messages())

			c.Style = styles[1]
			h = run(t, c)
			h.send(next(m))
			b.await(t, "the meter announced again", func(all []message) bool {
				e, ok := hubOf(t, all)["hanbridge_house_import_power"]
				return ok && strings.Contains(e.Topic, "/device/") == (c.Style == discovery.Device) && len(announcements(all[before:])) >= 2
			})
			h.stop()
			b.empty()
			was, is := hubOf(t, b.messages()[:before]), hubOf(t, b.messages())
			for id, e := range was {
				if now, ok := is[id]; !ok || now.Created != e.Created || now.ID != e.ID {
					t.Errorf("%s is lost or was made anew: %v, before %v", id, now, e)
				}
			}
		})
	}
}

// TestTakenBackOverALoss: the connection is lost while something of a meter that is no longer configured is taken back.
func TestTakenBackOverALoss(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		style discovery.Style
		lost  string // where that happens
	}{
		{discovery.Device, "homeassistant/device/hanbridge_barn/config"},
		{discovery.Device, "hanbridge/barn/import_energy"},
		{discovery.Component, "homeassistant/sensor/hanbridge_barn/import_energy/config"},
		{discovery.Off, "hanbridge/barn/status"},
	} {
		t.Run(tt.style.String()+" "+tt.lost, func(t *testing.T) {
			t.Parallel()
			b := start(t)
			c, dir := config(b.addr), t.TempDir()
			c.Style = tt.style
			h := runWith(t, c, "barn", dir)
			h.send(next(meterOf(t, "aidon-se", time.Now())))
			b.awaitText(t, "hanbridge/barn/status", "online")
			h.stop()
			b.empty()
			b.drop(tt.lost)
			runWith(t, c, "house", dir).awaitLoss()
			b.await(t, "all of the barn taken back", func(all []message) bool { return !holds(all, "barn") })
			hubOf(t, b.messages())
		})
	}
}

// keptOf is what a broker retains that has heard all: mochi's own list must not be read while it is written.
func keptOf(all []message) map[string]string {
	kept := map[string]string{}
	for _, m := range all {
		if m.retain {
			kept[m.topic] = m.payload
		}
	}
	maps.DeleteFunc(kept, func(_, payload string) bool { return payload == "" })
	return kept
}

// holds tells if something is retained under a topic that has a text in it.
func holds(all []message, text string) bool {
	for topic := range keptOf(all) {
		if strings.Contains(topic, text) {
			return true
		}
	}
	return false
}

// TestValuesThatAreNotRetainedLeaveNoOldOnes: else a hub takes a counter of long ago for a meter that begins anew.
func TestValuesThatAreNotRetainedLeaveNoOldOnes(t *testing.T) {
	t.Parallel()
	for _, memory := range []bool{true, false} {
		t.Run(map[bool]string{true: "memory", false: "no memory"}[memory], func(t *testing.T) {
			t.Parallel()
			b := start(t)
			c := config(b.addr)
			dir := ""
			if memory {
				dir = t.TempDir()
			}
			m := meterOf(t, "aidon-se", time.Now())
			telegram := next(m)
			h := runWith(t, c, "house", dir)
			h.send(telegram)
			b.awaitTelegram(t)
			h.stop()
			b.empty()
			c.Retain = false
			h = runWith(t, c, "house", dir)
			h.send(next(m))
			values := decoded(t, telegram)
			b.await(t, "no value retained", func(all []message) bool {
				kept := keptOf(all)
				for name := range values {
					if kept["hanbridge/house/"+name] != "" {
						return false
					}
				}
				return kept["hanbridge/house/status"] == "online"
			})
		})
	}
}

// TestAnotherBaseTopic takes back what is retained below the old one, also when the connection is lost meanwhile, and nothing of
// another bridge there.
func TestAnotherBaseTopic(t *testing.T) {
	t.Parallel()
	for _, lost := range []string{"", "hanbridge/status", "hanbridge/house/import_energy"} {
		t.Run(lost, func(t *testing.T) {
			t.Parallel()
			b := start(t)
			c, dir := config(b.addr), t.TempDir()
			m := meterOf(t, "aidon-se", time.Now())
			h := runWith(t, c, "house", dir)
			h.send(next(m))
			b.awaitTelegram(t)
			h.stop()
			b.empty()
			if err := b.Publish("hanbridge/cabin/import_energy", []byte("1.000"), true, 0); err != nil {
				t.Fatal(err)
			}
			b.drop(lost)
			c.BaseTopic = "energy"
			h = runWith(t, c, "house", dir)
			h.send(next(m))
			b.awaitText(t, "energy/house/status", "online")
			b.await(t, "nothing of the house below the old topic", func(all []message) bool { return !holds(all, "hanbridge/house/") })
			kept := keptOf(b.messages())
			if kept["hanbridge/status"] != "" || kept["hanbridge/cabin/import_energy"] == "" {
				t.Errorf("below the old topic are %q, %q, want nothing, and what another bridge has there",
					kept["hanbridge/status"], kept["hanbridge/cabin/import_energy"])
			}
			hubOf(t, b.messages())
		})
	}
}

// TestRetainedScanOverASlowLink: no announcement of an earlier run is overlooked, among many of other programs.
func TestRetainedScanOverASlowLink(t *testing.T) {
	t.Parallel()
	b := start(t)
	c := config(b.addr)
	c.Style = discovery.Component
	m := meterOf(t, "aidon-se", time.Now())
	h := run(t, c)
	h.send(next(m))
	b.awaitTelegram(t)
	h.stop()
	b.empty()
	for i := range 300 {
		if err := b.Publish(fmt.Sprintf("homeassistant/sensor/lamp_%d/power/config", i), []byte(`{}`), true, 0); err != nil {
			t.Fatal(err)
		}
	}
	proxy := faultnet.New(t, b.addr)
	proxy.Delay(150 * time.Millisecond)
	c.URL, c.Style = "mqtt://"+proxy.Addr(), discovery.Device
	h = run(t, c)
	h.send(next(m))
	b.await(t, "announced in the other style alone", func(all []message) bool {
		return keptOf(all)[meterConfig] != "" && !holds(all, "sensor/hanbridge_")
	})
	hubOf(t, slices.DeleteFunc(slices.Clone(b.messages()), func(m message) bool { return strings.Contains(m.topic, "lamp_") }))
}
