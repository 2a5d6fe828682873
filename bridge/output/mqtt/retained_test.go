package mqtt_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
)

// TestRetained tests that Retained returns only the topics of the given meters, and does not disturb the bridge.
func TestRetained(t *testing.T) {
	t.Parallel()
	b := startOpenBroker(t)
	c := config(b.addr)
	h := run(t, c)
	h.send(nextTelegram(newMeter(t, "aidon-se", time.Now())))
	b.awaitTelegram(t)
	// Of these topics, only hanbridge/barn/gas is a value of a meter that the test asks for.
	for _, topic := range []string{"hanbridge/barn/gas", "hanbridge/barn/deep/gas", "hanbridge/other/gas", "elsewhere/house/gas"} {
		if err := b.Publish(topic, []byte("1.000"), true, 0); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]map[string]string{"house": {}, "barn": {"gas": "1.000"}}
	for topic, payload := range b.retained() {
		if name, ok := strings.CutPrefix(topic, "hanbridge/house/"); ok {
			want["house"][name] = payload
		}
	}
	got, err := mqtt.Retained(t.Context(), c, "house", "barn", "shed")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" || len(want["house"]) < 30 {
		t.Errorf("%d topics of the meter house (-want +got):\n%s", len(want["house"]), diff)
	}
	if b.retained()["hanbridge/status"] != "online" {
		t.Error("Retained has disconnected the bridge")
	}
}

// TestRemoveRetained tests that RemoveRetained removes the retained messages of the given topics and no others. RemoveRetained must also publish an empty message
// under a topic that has no retained message.
func TestRemoveRetained(t *testing.T) {
	t.Parallel()
	b := startOpenBroker(t)
	c := config(b.addr)
	h := run(t, c)
	h.send(nextTelegram(newMeter(t, "aidon-se", time.Now())))
	b.awaitTelegram(t)
	const notRetained = "homeassistant/device/hanbridge_none/config"
	want := b.retained()
	maps.DeleteFunc(want, func(topic, _ string) bool { return topic == meterConfig })
	if err := mqtt.RemoveRetained(t.Context(), c, []string{meterConfig, notRetained}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, b.retained()); diff != "" {
		t.Errorf("retained after RemoveRetained (-want +got):\n%s", diff)
	}
	b.await(t, "the removal, for subscribers", func(all []message) bool {
		return slices.ContainsFunc(all, func(m message) bool { return m.topic == notRetained && m.payload == "" && m.retain })
	})
}

// TestForbiddenTopicsAreReported tests that commands return an error if the broker's rules forbid reading the values.
func TestForbiddenTopicsAreReported(t *testing.T) {
	t.Parallel()
	b := startBroker(t, "127.0.0.1:0", "hanbridge/")
	if _, err := mqtt.Retained(t.Context(), config(b.addr), "house"); err == nil || !strings.Contains(err.Error(), "hanbridge/+/+") {
		t.Errorf("got %v, want an error that names the topic", err)
	}
}

// TestHubOnline tests that HubOnline returns true only if "online" is retained under the status topic.
func TestHubOnline(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		payload string // retained under the status topic; "" for none
		want    bool
	}{{"", false}, {"online", true}, {"offline", false}} {
		b := startOpenBroker(t)
		c := config(b.addr)
		if tt.payload != "" {
			if err := b.Publish(c.StatusTopic, []byte(tt.payload), true, 1); err != nil {
				t.Fatal(err)
			}
		}
		got, err := mqtt.HubOnline(t.Context(), c)
		if err != nil || got != tt.want {
			t.Errorf("%q on %s: got %v, %v, want %v", tt.payload, c.StatusTopic, got, err, tt.want)
		}
	}
	b := startBroker(t, "127.0.0.1:0", config("").StatusTopic)
	if got, err := mqtt.HubOnline(t.Context(), config(b.addr)); got || err == nil {
		t.Errorf("HubOnline without permission to read: got %v, %v, want an error", got, err)
	}
	c := config(b.addr)
	c.StatusTopic = "hubs/birth"
	if _, err := mqtt.HubOnline(t.Context(), c); err != nil {
		t.Errorf("HubOnline with another status topic, which the broker permits: got %v, want no error", err)
	}
}
