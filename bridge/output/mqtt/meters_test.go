package mqtt_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/discovery/hatest"
)

// TestAddAndRemoveMeters adds and removes a meter while the bridge runs. Its topics and entities must come and go, those of the other meter must stay.
// In some cases the connection is lost while the topics are removed.
func TestAddAndRemoveMeters(t *testing.T) {
	t.Parallel()
	for name, lostAt := range map[string]string{
		"connected": "", "connection lost when the announcement is removed": "homeassistant/device/hanbridge_barn/config",
		"connection lost when a value is removed": "hanbridge/barn/import_power",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := startOpenBroker(t)
			h := run(t, config(b.addr))
			h.send(nextTelegram(newMeter(t, "aidon-se", time.Now())))
			awaitPresence(t, b, "house", true)
			for range 2 {
				barn := addPipeMeter(t, h.bridge, "barn")
				h.send(nextTelegram(newMeter(t, "aidon-se", time.Now()))) // the meter house goes on
				if _, err := barn.Write(nextTelegram(newMeter(t, "p1-se-aidon", time.Now()))); err != nil {
					t.Fatal(err)
				}
				awaitPresence(t, b, "barn", true)
				if lostAt != "" {
					b.disconnectPublishersOf(lostAt)
				}
				h.bridge.RemoveMeter("barn")
				awaitPresence(t, b, "barn", false)
			}
			awaitPresence(t, b, "house", true)
			h.stop() // the broker's retained messages can be read only while nothing is published
			for topic := range b.retained() {
				if strings.Contains(topic, "barn") {
					t.Errorf("%s is still retained", topic)
				}
			}
		})
	}
}

// addPipeMeter adds a meter to a running bridge, and returns the pipe to which the test writes its telegrams.
func addPipeMeter(t *testing.T, b *bridge.Bridge, id string) *io.PipeWriter {
	t.Helper()
	dialed := make(chan *io.PipeWriter, 8)
	addMeter(t, b, bridge.Meter{ID: id, Name: id}, probe.Source{Endpoints: probe.Fixed(probe.Endpoint{
		Port: "/dev/" + id, Dial: func(context.Context) (io.ReadCloser, error) {
			r, w := io.Pipe()
			dialed <- w
			return r, nil
		},
	})})
	select {
	case w := <-dialed:
		return w
	case <-time.After(2 * time.Minute):
		t.Fatal("the bridge has not opened the port of the new meter within 2 minutes")
		return nil
	}
}

// awaitPresence waits until the broker retains the topics and a hub has the entities of a meter, or until neither is there.
func awaitPresence(t *testing.T, b *broker, id string, present bool) {
	t.Helper()
	b.await(t, "the topics and entities of "+id, func(all []message) bool {
		hub, retained, entities := hatest.NewHub("homeassistant"), map[string]string{}, 0
		for _, m := range all {
			hub.Receive(m.topic, []byte(m.payload))
			switch {
			case m.retain && m.payload == "":
				delete(retained, m.topic)
			case m.retain:
				retained[m.topic] = m.payload
			}
		}
		for _, e := range hub.Entities() {
			if strings.HasPrefix(e.UniqueID, "hanbridge_"+id+"_") {
				entities++
			}
		}
		if !present {
			for topic := range retained {
				if strings.HasPrefix(topic, "hanbridge/"+id+"/") {
					return false
				}
			}
			return entities == 0
		}
		return entities > 20 && retained["hanbridge/"+id+"/status"] == "online" && retained["hanbridge/"+id+"/import_power"] != ""
	})
}
