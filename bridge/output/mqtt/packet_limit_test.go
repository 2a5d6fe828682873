package mqtt_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
	"github.com/hanbridge/hanbridge/discovery"
)

// announceOverConnections publishes announcement steps until there are no more. It uses up to five connections, because the broker closes a
// connection at a packet that is too large. It returns the StepAnnouncer of the last connection.
func announceOverConnections(t *testing.T, b *broker, s *mqtt.StepAnnouncer, want announcement) *mqtt.StepAnnouncer {
	t.Helper()
	c := config(b.addr)
	c.Style = want.style
	for range 5 {
		var err error
		if s, err = mqtt.NewStepAnnouncer(t.Context(), c, s, want.descriptors(t)...); err != nil {
			t.Fatal(err)
		}
		for more := true; more && err == nil; {
			more, err = s.Step(t.Context(), true)
		}
		_ = s.Close(t.Context()) // an error is allowed, because the connection is possibly lost
		b.awaitNoClients()
		if err == nil {
			return s
		}
	}
	t.Fatal("the meter is not announced after five connections")
	return nil
}

// TestPacketSizeLimitChanges tests that the entities are announced one by one while the broker's limit is smaller than the announcement of the
// device. A hub must never remove an entity or create it again.
func TestPacketSizeLimitChanges(t *testing.T) {
	t.Parallel()
	const all = "import_power import_energy gas tariff"
	// 1500 bytes are enough for the announcement of an entity, but not for that of the device. 300 bytes are enough for neither.
	for name, tc := range map[string]struct {
		limits []uint32 // the successive limits of the broker, in bytes; 0 is no limit
		styles []string // how the meter is announced at each limit: device (as a whole) or sensor (each entity)
	}{
		"lowered and raised":              {[]uint32{0, 1500, 0}, []string{"device", "sensor", "device"}},
		"low from the beginning":          {[]uint32{1500, 1500}, []string{"sensor", "sensor"}},
		"raised":                          {[]uint32{1500, 0, 0}, []string{"sensor", "device", "device"}},
		"lowered below each announcement": {[]uint32{0, 300, 0}, []string{"device", "device", "device"}}, // the announcement without a limit remains
		"low, lowered and raised":         {[]uint32{1500, 300, 1500, 0}, []string{"sensor", "sensor", "sensor", "device"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := startOpenBroker(t)
			var s *mqtt.StepAnnouncer
			var atFirst map[string]int
			for i, limit := range tc.limits {
				b.Options.Capabilities.MaximumPacketSize = limit
				if s != nil {
					s.ForgetCapabilities()
				}
				s = announceOverConnections(t, b, s, announcement{discovery.Device, all})
				now := entities(t, b)
				if atFirst == nil {
					atFirst = now
				}
				if diff := cmp.Diff(atFirst, now); diff != "" || len(now) != len(strings.Fields(all)) {
					t.Errorf("limit %d: entities and when they were created (-want +got):\n%s", limit, diff)
				}
				for topic := range maps.Keys(b.retained()) {
					if strings.Contains(topic, "/hanbridge_house/") {
						if platform := strings.Split(topic, "/")[1]; (platform == "device") != (tc.styles[i] == "device") {
							t.Errorf("limit %d: %s is retained, want only announcements by %s", limit, topic, tc.styles[i])
						}
					}
				}
			}
			if _, ok := atFirst["gas"]; !ok {
				t.Errorf("entities: got %v, want all of %s", atFirst, all)
			}
		})
	}
}
