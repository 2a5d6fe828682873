package discovery_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/discovery"
)

// TestExpireAfter tests the expiry of quantities, in seconds, by the interval at which the meter sends them. 0 is no expiry.
func TestExpireAfter(t *testing.T) {
	for _, row := range []struct {
		quantity string
		interval time.Duration
		want     int
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
		{"power_limit", 0, 0}, // is a setting of the meter, although its state class is measurement
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
			t.Errorf("%s every %v: got %d s (%v), want %d", row.quantity, row.interval, got.Expire, err, row.want)
		}
	}
}

// TestBridgeExpiresNothing tests that diagnostics never expire, because they are needed most when no telegram arrives.
func TestBridgeExpiresNothing(t *testing.T) {
	for _, m := range house(config(discovery.Component), discovery.Meter{ID: "house"}) {
		got := map[string]any{}
		if err := json.Unmarshal(m.Payload, &got); err != nil || got["expire_after"] != nil {
			t.Errorf("%s: got an expire_after (%v), want none", m.Topic, err)
		}
	}
}
