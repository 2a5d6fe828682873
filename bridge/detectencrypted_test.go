package bridge_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// TestSearchWithoutKey checks that the line setting of a meter whose telegrams no key decrypts is found, that no other
// setting is tried afterwards, and that nothing is published.
func TestSearchWithoutKey(t *testing.T) {
	tests := []struct {
		name, want string
		keys       []byte // for each key, the argument of the function key
	}{
		{"no key", "set meters[0].key; your grid company", nil},
		{"a wrong key", "the key does not fit: compare meters[0].key with", []byte{7}},
		{"wrong keys", "the key does not fit: compare meters[0].key with", []byte{7, 9}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			forEachFamily(t, encryptedFamily, func(t *testing.T, f simulate.Family, port *uart) {
				var keys []*dlms.Key // each test has its own, since a Key is for one Decoder
				for _, x := range tt.keys {
					keys = append(keys, key(t, x))
				}
				h := newHousehold(t, f, port)
				rec, running := h.startBridge(meter.Options{Keys: keys})
				defer running.end()
				for end := time.Now().Add(searchTime + 3*f.Interval); running.countLines(tt.want) == 0 && time.Now().Before(end); {
					h.sendNext()
				}
				openingsBefore := port.openings()
				for end := time.Now().Add(9 * time.Minute); time.Now().Before(end); {
					h.sendNext()
				}
				if got := running.countLines(tt.want); got != 1 {
					t.Errorf("%q is logged %d times in ten minutes, want once:\n%s", tt.want, got, running.log)
				}
				if got := strings.Count(running.log.String(), "\n"); got > maxLogLines {
					t.Errorf("the log has %d lines, want %d at most:\n%s", got, maxLogLines, running.log)
				}
				if got := port.openings(); len(got) != len(openingsBefore) {
					t.Errorf("other settings were tried after %s was found: %q", openingsBefore[len(openingsBefore)-1], got)
				}
				rec.inspect(func(rec *recorder) {
					if len(rec.telegrams) > 0 || len(rec.values) > 0 || strings.Contains(strings.Join(rec.states, " "), "online") {
						t.Errorf("got %d telegrams, values %v, states %q, want none, and never online", len(rec.telegrams), rec.values, rec.states)
					}
				})
			})
		})
	}
}
