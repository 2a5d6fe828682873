package mqtt_test

import (
	"testing"

	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
)

// TestHub: a hub that the broker remembers is told from one that has gone, and from none.
func TestHub(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		payload string // kept on the hub's topic; "" for nothing
		want    bool
	}{{"", false}, {"online", true}, {"offline", false}} {
		b := start(t)
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
	b := listen(t, "127.0.0.1:0", config("").StatusTopic)
	if got, err := mqtt.HubOnline(t.Context(), config(b.addr)); got || err == nil {
		t.Errorf("a topic that may not be read: got %v, %v, want an error", got, err)
	}
	c := config(b.addr)
	c.StatusTopic = "hubs/birth"
	if _, err := mqtt.HubOnline(t.Context(), c); err != nil {
		t.Errorf("%v where another topic is set, which may be read", err)
	}
}
