package bridge_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// TestSearchWithoutKey checks that the line setting of a meter that encrypts is found and kept without its key, and that nothing is published.
func TestSearchWithoutKey(t *testing.T) {
	tests := []struct {
		name, want string
		keys       []byte
	}{
		{"no key", "set meters[0].key; your grid company", nil},
		{"a wrong key", "the key does not fit: compare meters[0].key with", []byte{7}},
		{"wrong keys", "the key does not fit: compare meters[0].key with", []byte{7, 9}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			forEachFamily(t, encrypts, func(t *testing.T, f simulate.Family, port *uart) {
				var keys []*dlms.Key // each test has its own: a Key serves one Decoder
				for _, x := range tt.keys {
					keys = append(keys, key(t, x))
				}
				h := newHousehold(t, f, port)
				n, bridge := h.read(meter.Options{Keys: keys})
				defer bridge.end()
				for end := time.Now().Add(searchTime + 3*f.Interval); bridge.countLines(tt.want) == 0 && time.Now().Before(end); {
					h.sendNext()
				}
				tries := port.openings()
				for end := time.Now().Add(9 * time.Minute); time.Now().Before(end); {
					h.sendNext()
				}
				if got := bridge.countLines(tt.want); got != 1 {
					t.Errorf("%q is logged %d times in ten minutes, want once:\n%s", tt.want, got, bridge.log)
				}
				if got := strings.Count(bridge.log.String(), "\n"); got > maxLogLines {
					t.Errorf("the log has %d lines, want %d at most:\n%s", got, maxLogLines, bridge.log)
				}
				if got := port.openings(); len(got) != len(tries) {
					t.Errorf("found at %s, and other settings were tried afterwards: %q", tries[len(tries)-1], got)
				}
				n.inspect(func(n *recorder) {
					if len(n.telegrams) > 0 || len(n.values) > 0 || strings.Contains(strings.Join(n.states, " "), "online") {
						t.Errorf("%d telegrams, values %v, %q; want none, and never online", len(n.telegrams), n.values, n.states)
					}
				})
			})
		})
	}
}
