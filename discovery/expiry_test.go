package discovery_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/discovery"
)

// TestExpireAfter tests the expiry of quantities in seconds. It depends on the interval at which the meter sends the quantity.
func TestExpireAfter(t *testing.T) {
	for _, row := range []struct {
		quantity string
		interval time.Duration
		want     int // 0 means no expiry
	}{
		{"import_power", 0, 900},
		{"import_power", 10 * time.Second, 900},
		{"import_power", time.Minute, 900},
		{"import_power", time.Minute + 1, 2700},
		{"import_power", 15 * time.Minute, 2700},
		{"import_demand", time.Hour, 10800},
		{"frequency", 24 * time.Hour, 259200},
		{"frequency", 100 * time.Hour, 259200},
		{"import_energy", time.Hour, 0},
		{"gas", 24 * time.Hour, 0},
		{"power_limit", 0, 0}, // a setting of the meter does not expire, although its state class is measurement
		{"power_failures", 0, 0},
		{"text_message", 0, 0},
	} {
		m := discovery.Meter{ID: "house", Quantities: named(row.quantity)}
		m.Quantities[0].Interval = row.interval
		message := config(discovery.Component).Meter(m)[0]
		got := struct {
			Expire int `json:"expire_after"`
		}{}
		if err := json.Unmarshal(message.Payload, &got); err != nil || got.Expire != row.want {
			t.Errorf("%s every %v: got an expiry of %d s, error %v, want %d s", row.quantity, row.interval, got.Expire, err, row.want)
		}
	}
}

// TestBridgeExpiresNothing tests that the entities of the bridge and the diagnostics of a meter never expire.
func TestBridgeExpiresNothing(t *testing.T) {
	for _, m := range allMessages(config(discovery.Component), discovery.Meter{ID: "house"}) {
		got := map[string]any{}
		if err := json.Unmarshal(m.Payload, &got); err != nil || got["expire_after"] != nil {
			t.Errorf("%s: got expire_after %v, error %v, want no expiry", m.Topic, got["expire_after"], err)
		}
	}
}
