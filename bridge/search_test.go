package bridge_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/bridge/probe"
)

// garbage is like the bytes that are received at a wrong speed.
var garbage = bytes.Repeat([]byte{0xF0, 0x00, 0xFE, 0x80}, 40)

// dialCounts returns how often each port was dialled.
func dialCounts(ports []*port) (counts []int) {
	synctest.Wait()
	for _, p := range ports {
		counts = append(counts, len(p.dials()))
	}
	return counts
}

// TestEndpointsInTurn checks when the search tries the next endpoint, before and after a telegram.
func TestEndpointsInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ports := []*port{{}, {}, {}}
		var n recorder
		h := run(t, source(ports...), &n)
		defer h.end()
		expect := func(when string, want ...int) {
			t.Helper()
			if diff := cmp.Diff(want, dialCounts(ports)); diff != "" {
				t.Fatalf("%s: how often each is opened (-want +got):\n%s", when, diff)
			}
		}
		ports[0].send(garbage) // bytes without a telegram do not extend the time
		advance(12*time.Second - time.Millisecond)
		expect("just before 12 s", 1, 0, 0)
		advance(time.Millisecond)
		expect("after 12 s", 1, 1, 0)
		m := newMeter(t, "aidon-se")
		ports[1].send(nextTelegram(m))
		advance(59 * time.Second)
		ports[1].send(nextTelegram(m)) // a setting that has given a telegram is kept for a minute after each
		advance(time.Minute - time.Millisecond)
		expect("a minute after the last telegram", 1, 1, 0)
		advance(time.Millisecond)
		expect("the one that worked is tried first", 1, 2, 0)
		advance(12 * time.Second)
		expect("then the others", 2, 2, 0)
		advance(12 * time.Second)
		expect("all of them", 2, 2, 1)
		ports[2].send(nextTelegram(m))
		n.inspect(func(n *recorder) {
			if n.description.Line != "setting 2" || len(n.telegrams) != 3 {
				t.Errorf("got line %q after %d telegrams, want setting 2 after 3", n.description.Line, len(n.telegrams))
			}
			if diff := cmp.Diff([]string{"settings_changed setting 1 > setting 2"}, n.events); diff != "" {
				t.Error("events (-want +got):\n" + diff)
			}
		})
		ports[2].send(nextTelegram(m))
		if got := h.countLines("the meter is read with other settings"); got != 1 {
			t.Errorf("the log says %d times that the settings have changed, want once", got)
		}
	})
}

// TestWorkingEndpointReconnects checks that a lost connection of an endpoint that has worked is opened again at once, before others.
func TestWorkingEndpointReconnects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ports := []*port{{}, {}}
		h := run(t, source(ports...))
		defer h.end()
		advance(12 * time.Second)
		m := newMeter(t, "aidon-se")
		for range 5 {
			ports[1].send(nextTelegram(m))
			ports[1].fail(nil)
			advance(4 * time.Second)
		}
		if diff := cmp.Diff([]int{1, 6}, dialCounts(ports)); diff != "" {
			t.Error("how often each is opened (-want +got):\n" + diff)
		}
		ports[1].fail(errors.New("gone"))
		advance(time.Minute + 4*time.Second)
		if got := len(ports[0].dials()); got < 2 {
			t.Errorf("a port that is missing for a minute: the other was opened %d times, want at least 2", got)
		}
	})
}

// TestMissingPortsCostNoTime checks that the search goes on at once if a port cannot be opened.
func TestMissingPortsCostNoTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := errors.New("open it: gone")
		ports := []*port{{dialErr: gone}, {dialErr: gone}, {}}
		h := run(t, source(ports...))
		defer h.end()
		if diff := cmp.Diff([]int{1, 1, 1}, dialCounts(ports)); diff != "" {
			t.Error("at once, how often each is opened (-want +got):\n" + diff)
		}
		ports[2].fail(gone)
		advance(10 * time.Minute)
		if got := h.countLines("open it: gone"); got < 1 || got > 2 {
			t.Errorf("logged %d times in ten minutes, want once or twice:\n%s", got, h.log)
		}
	})
}

// TestHourlyMeter checks that no telegram of a meter that sends one an hour is missed because other endpoints are tried meanwhile.
func TestHourlyMeter(t *testing.T) {
	for _, endpoints := range []int{2, 3, 7, 14, 21, 28} {
		t.Run(fmt.Sprint(endpoints, " endpoints"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ports := make([]*port, endpoints)
				for i := range ports {
					ports[i] = &port{}
				}
				var n recorder
				h := run(t, source(ports...), &n)
				defer h.end()
				m := newMeter(t, "aidon-se")
				for hour := range 6 {
					ports[0].send(nextTelegram(m))
					if got := n.telegramCount(); got != hour+1 {
						t.Fatalf("after %d hours: got %d telegrams, want %d", hour, got, hour+1)
					}
					advance(time.Hour)
				}
				before := dialCounts(ports)
				ports[0].send(nextTelegram(m))
				advance(time.Hour)
				if diff := cmp.Diff(before, dialCounts(ports)); diff != "" {
					t.Error("other endpoints were tried although the interval is known to be an hour (-before +after):\n" + diff)
				}
			})
		})
	}
}

// TestChangingSource checks that ports which appear later are found.
func TestChangingSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ports := []*port{{}, {}}
		all := []probe.Endpoint{
			{Port: "/dev/ttyUSB0", Line: "2400 8E1", Dial: ports[0].dial},
			{Port: "/dev/ttyUSB1", Line: "2400 8E1", Dial: ports[1].dial},
		}
		var available atomic.Int32
		var n recorder
		h := run(t, probe.Source{EndpointsChange: true, Endpoints: func() ([]probe.Endpoint, error) {
			if available.Load() == 0 {
				return nil, errors.New("no serial port found")
			}
			return all[:available.Load()], nil
		}}, &n)
		defer h.end()
		advance(time.Minute)
		if got := h.countLines("no serial port found"); got != 1 {
			t.Errorf("logged %d times in a minute that there is no port, want once:\n%s", got, h.log)
		}
		available.Store(1)
		advance(3 * time.Second)
		if diff := cmp.Diff([]int{1, 0}, dialCounts(ports)); diff != "" {
			t.Fatal("a port comes (-want +got):\n" + diff)
		}
		available.Store(2)
		advance(24 * time.Second)
		if got := dialCounts(ports); got[1] != 1 {
			t.Fatalf("another comes: opened %d times, want once", got[1])
		}
		ports[1].send(nextTelegram(newMeter(t, "aidon-se")))
		if got := h.countLines(`"port opened"`); got != 2 {
			t.Errorf("the log says %d times that a port is opened, want once for each:\n%s", got, h.log)
		}
		if got := n.stateHistory(); !strings.HasSuffix(got, "house online") {
			t.Errorf("got %q, want house online", got)
		}
	})
}

// TestSearchWithoutChecksum checks that a setting is kept after a telegram without a checksum. The second one, which verifies it, comes after
// more than 12 s.
func TestSearchWithoutChecksum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ports := []*port{{}, {}}
		var n recorder
		h := run(t, source(ports...), &n)
		defer h.end()
		a, b := newMeter(t, "p1-se-aidon"), newMeter(t, "p1-se-aidon-1p")
		for i, telegram := range [][]byte{withoutChecksum(nextTelegram(a)), withoutChecksum(nextTelegram(b)), withoutChecksum(nextTelegram(a))} {
			advance(9 * time.Second)
			ports[0].send(telegram)
			if got, want := n.telegramCount(), max(i-1, 0); got != want {
				t.Fatalf("telegram %d: %d are published, want %d", i, got, want)
			}
		}
	})
}
