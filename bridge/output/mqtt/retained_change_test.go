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

// hubEntities returns the entities of a hub that has received the messages, by unique id. It fails the test if the hub has warnings.
func hubEntities(t *testing.T, all []message) map[string]hatest.Entity {
	t.Helper()
	hub := hatest.NewHub("homeassistant")
	for _, m := range announcements(all) {
		hub.Receive(m.topic, []byte(m.payload))
	}
	if len(hub.Warnings) > 0 {
		t.Errorf("the hub has warnings: %q", hub.Warnings)
	}
	byID := map[string]hatest.Entity{}
	for _, e := range hub.Entities() {
		byID[e.UniqueID] = e
	}
	return byID
}

// TestEntitiesRemainWithoutStateFile tests that the entities of the counters remain after a restart without a state file, although the meter has
// not yet sent its hourly list, which has the counters, again.
func TestEntitiesRemainWithoutStateFile(t *testing.T) {
	t.Parallel()
	for _, styles := range [][2]discovery.Style{ // the style before the restart, and the style after the restart
		{discovery.Device, discovery.Device}, {discovery.Component, discovery.Component},
		{discovery.Device, discovery.Component}, {discovery.Component, discovery.Device},
	} {
		t.Run(styles[0].String()+" "+styles[1].String(), func(t *testing.T) {
			t.Parallel()
			b := startOpenBroker(t)
			c := config(b.addr)
			c.Style = styles[0]
			h := run(t, c)
			m := newMeter(t, "aidon-no", time.Date(2026, 11, 22, 9, 59, 57, 5e8, time.UTC)) // 12.5 s before the hourly list
			for range 6 {                                                                   // the last telegram is the hourly list with the counters
				h.send(nextTelegram(m))
			}
			b.await(t, "the counters announced", func(all []message) bool {
				_, ok := hubEntities(t, all)["hanbridge_house_import_energy"]
				return ok
			})
			h.stop()
			b.awaitNoClients()
			restartedAt := len(b.messages()) // the number of messages before the restart

			c.Style = styles[1]
			h = run(t, c)
			h.send(nextTelegram(m))
			b.await(t, "the meter announced in the new style", func(all []message) bool {
				e, ok := hubEntities(t, all)["hanbridge_house_import_power"]
				hasNewStyle := ok && strings.Contains(e.Topic, "/device/") == (c.Style == discovery.Device)
				return hasNewStyle && len(announcements(all[restartedAt:])) >= 2 // at least the bridge and the meter
			})
			h.stop()
			b.awaitNoClients()
			entitiesBefore, entitiesNow := hubEntities(t, b.messages()[:restartedAt]), hubEntities(t, b.messages())
			for id, e := range entitiesBefore {
				if now, ok := entitiesNow[id]; !ok || now.Created != e.Created || now.ID != e.ID {
					t.Errorf("%s was removed or created again: got %v, want %v", id, now, e)
				}
			}
		})
	}
}

// TestRemovalAfterConnectionLoss tests that the topics of a meter that is no longer configured are removed, even if the connection is lost
// during the removal.
func TestRemovalAfterConnectionLoss(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		style  discovery.Style
		lostAt string // the connection is lost at the removal of this topic
	}{
		{discovery.Device, "homeassistant/device/hanbridge_barn/config"},
		{discovery.Device, "hanbridge/barn/import_energy"},
		{discovery.Component, "homeassistant/sensor/hanbridge_barn/import_energy/config"},
		{discovery.Off, "hanbridge/barn/status"},
	} {
		t.Run(tt.style.String()+" "+tt.lostAt, func(t *testing.T) {
			t.Parallel()
			b := startOpenBroker(t)
			c, dir := config(b.addr), t.TempDir()
			c.Style = tt.style
			h := runWith(t, c, "barn", dir)
			h.send(nextTelegram(newMeter(t, "aidon-se", time.Now())))
			b.awaitText(t, "hanbridge/barn/status", "online")
			h.stop()
			b.awaitNoClients()
			b.disconnectPublishersOf(tt.lostAt)
			runWith(t, c, "house", dir).awaitLoss()
			b.await(t, "the removal of every topic of the meter barn", func(all []message) bool { return !retainsTopic(all, "barn") })
			hubEntities(t, b.messages()) // the hub must have no warnings
		})
	}
}

// retainedOf returns the payloads that a broker retains after the messages, by topic. Unlike broker.retained, it is safe while clients publish.
func retainedOf(all []message) map[string]string {
	retained := map[string]string{}
	for _, m := range all {
		if m.retain {
			retained[m.topic] = m.payload
		}
	}
	maps.DeleteFunc(retained, func(_, payload string) bool { return payload == "" })
	return retained
}

// retainsTopic reports whether something is retained under a topic that contains a text.
func retainsTopic(all []message, text string) bool {
	for topic := range retainedOf(all) {
		if strings.Contains(topic, text) {
			return true
		}
	}
	return false
}

// TestRetainSwitchedOff tests that retained values are removed after Config.Retain has changed to false. Otherwise a hub would mistake an old counter
// for the present counter.
func TestRetainSwitchedOff(t *testing.T) {
	t.Parallel()
	for _, hasState := range []bool{true, false} {
		t.Run(map[bool]string{true: "state file", false: "no state file"}[hasState], func(t *testing.T) {
			t.Parallel()
			b := startOpenBroker(t)
			c := config(b.addr)
			dir := ""
			if hasState {
				dir = t.TempDir()
			}
			m := newMeter(t, "aidon-se", time.Now())
			telegram := nextTelegram(m)
			h := runWith(t, c, "house", dir)
			h.send(telegram)
			b.awaitTelegram(t)
			h.stop()
			b.awaitNoClients()
			c.Retain = false
			h = runWith(t, c, "house", dir)
			h.send(nextTelegram(m))
			values := decoded(t, telegram)
			b.await(t, "no value retained", func(all []message) bool {
				retained := retainedOf(all)
				for name := range values {
					if retained["hanbridge/house/"+name] != "" {
						return false
					}
				}
				return retained["hanbridge/house/status"] == "online" // states are retained even if Retain is false
			})
		})
	}
}

// TestBaseTopicChange tests that the topics of this bridge below the old base topic are removed, even if the connection is lost. The topics of
// another bridge below the old base topic must remain.
func TestBaseTopicChange(t *testing.T) {
	t.Parallel()
	// The connection is lost when the bridge removes the topic lostAt; "" for no loss.
	for _, lostAt := range []string{"", "hanbridge/status", "hanbridge/house/import_energy"} {
		t.Run("connection lost at "+lostAt, func(t *testing.T) {
			t.Parallel()
			b := startOpenBroker(t)
			c, dir := config(b.addr), t.TempDir()
			m := newMeter(t, "aidon-se", time.Now())
			h := runWith(t, c, "house", dir)
			h.send(nextTelegram(m))
			b.awaitTelegram(t)
			h.stop()
			b.awaitNoClients()
			if err := b.Publish("hanbridge/cabin/import_energy", []byte("1.000"), true, 0); err != nil {
				t.Fatal(err)
			}
			b.disconnectPublishersOf(lostAt)
			c.BaseTopic = "energy"
			h = runWith(t, c, "house", dir)
			h.send(nextTelegram(m))
			b.awaitText(t, "energy/house/status", "online")
			b.await(t, "the removal of every topic below hanbridge/house", func(all []message) bool { return !retainsTopic(all, "hanbridge/house/") })
			retained := retainedOf(b.messages())
			if retained["hanbridge/status"] != "" || retained["hanbridge/cabin/import_energy"] == "" {
				t.Errorf("below the old base topic: got the status %q and the other bridge's counter %q, want an empty status, and the counter 1.000",
					retained["hanbridge/status"], retained["hanbridge/cabin/import_energy"])
			}
			hubEntities(t, b.messages()) // the hub must have no warnings
		})
	}
}

// TestRetainedScanOnSlowConnection tests that scanRetained, on a slow connection, finds every announcement of an earlier run. The broker
// also retains many announcements of other programs.
func TestRetainedScanOnSlowConnection(t *testing.T) {
	t.Parallel()
	b := startOpenBroker(t)
	c := config(b.addr)
	c.Style = discovery.Component
	m := newMeter(t, "aidon-se", time.Now())
	h := run(t, c)
	h.send(nextTelegram(m))
	b.awaitTelegram(t)
	h.stop()
	b.awaitNoClients()
	for i := range 300 {
		if err := b.Publish(fmt.Sprintf("homeassistant/sensor/lamp_%d/power/config", i), []byte(`{}`), true, 0); err != nil {
			t.Fatal(err)
		}
	}
	proxy := faultnet.New(t, b.addr)
	proxy.Delay(150 * time.Millisecond)
	c.URL, c.Style = "mqtt://"+proxy.Addr(), discovery.Device
	h = run(t, c)
	h.send(nextTelegram(m))
	b.await(t, "only announcements in the other style", func(all []message) bool {
		return retainedOf(all)[meterConfig] != "" && !retainsTopic(all, "sensor/hanbridge_")
	})
	// The hub must have no warnings about the announcements of the meter. Those of the lamps are not valid.
	hubEntities(t, slices.DeleteFunc(slices.Clone(b.messages()), func(m message) bool { return strings.Contains(m.topic, "lamp_") }))
}
