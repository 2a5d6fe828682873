package bridge_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestCounterIsWeighed: a Kamstrup that counts in Wh is read ten times too high, and its owner is told once; one that counts
// in 10 Wh is right.
func TestCounterIsWeighed(t *testing.T) {
	for _, tt := range []struct {
		family string
		want   int
	}{
		{"kamstrup-se", 1},
		{"kamstrup-no", 0},
		{"p1-se-kamstrup", 0},
	} {
		t.Run(tt.family, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := new(port)
				h := run(t, source(p))
				defer h.end()
				synctest.Wait()
				m, end := newMeter(t, tt.family), time.Now().Add(6*time.Hour)
				for at, b := m.Next(); at.Before(end); at, b = m.Next() {
					advance(time.Until(at))
					p.send(b)
				}
				if got := strings.Count(h.log.String(), "import_energy counts ten times"); got != tt.want {
					t.Errorf("told %d times, want %d; log:\n%s", got, tt.want, h.log)
				}
			})
		})
	}
}
