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

// garbage is what a line of another speed gives.
var garbage = bytes.Repeat([]byte{0xF0, 0x00, 0xFE, 0x80}, 40)

// opened tells how often each port was opened.
func opened(ports []*port) (counts []int) {
	synctest.Wait()
	for _, p := range ports {
		counts = append(counts, len(p.tries()))
	}
	return counts
}

func TestEndpointsAreTriedInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ports := []*port{{}, {}, {}}
		var n notebook
		h := run(t, source(ports...), &n)
		defer h.end()
		expect := func(when string, want ...int) {
			t.Helper()
			if diff := cmp.Diff(want, opened(ports)); diff != "" {
				t.Fatalf("%s: how often each is opened (-want +got):\n%s", when, diff)
			}
		}
		ports[0].send(garbage) // bytes are no telegram
		pass(12*time.Second - time.Millisecond)
		expect("just before 12 s", 1, 0, 0)
		pass(time.Millisecond)
		expect("after 12 s", 1, 1, 0)
		m := meterOf(t, "aidon-se")
		ports[1].send(next(m))
		pass(59 * time.Second)
		ports[1].send(next(m)) // a proved setting has a minute each time
		pass(time.Minute - time.Millisecond)
		expect("a minute after the last telegram", 1, 1, 0)
		pass(time.Millisecond)
		expect("the one that worked is tried first", 1, 2, 0)
		pass(12 * time.Second)
		expect("then the others", 2, 2, 0)
		pass(12 * time.Second)
		expect("all of them", 2, 2, 1)
		ports[2].send(next(m))
		n.read(func(n *notebook) {
			if n.about.Line != "setting 2" || len(n.telegrams) != 3 {
				t.Errorf("got line %q after %d telegrams, want setting 2 after 3", n.about.Line, len(n.telegrams))
			}
			if diff := cmp.Diff([]string{"settings_changed setting 1 > setting 2"}, n.events); diff != "" {
				t.Error("events (-want +got):\n" + diff)
			}
		})
		ports[2].send(next(m))
		if got := h.said("the meter is read with other settings"); got != 1 {
			t.Errorf("the log says %d times that the settings have changed, want once", got)
		}
	})
}

// TestProvedEndpointIsOpenedAgain breaks the wire of a setting that has worked: it is no reason to try others.
func TestProvedEndpointIsOpenedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ports := []*port{{}, {}}
		h := run(t, source(ports...))
		defer h.end()
		pass(12 * time.Second)
		m := meterOf(t, "aidon-se")
		for range 5 {
			ports[1].send(next(m))
			ports[1].breaks(nil)
			pass(4 * time.Second)
		}
		if diff := cmp.Diff([]int{1, 6}, opened(ports)); diff != "" {
			t.Error("how often each is opened (-want +got):\n" + diff)
		}
		ports[1].breaks(errors.New("gone"))
		pass(time.Minute + 4*time.Second)
		if got := len(ports[0].tries()); got < 2 {
			t.Errorf("a port that is gone for a minute: the other was opened %d times, want again", got)
		}
	})
}

// TestPortsThatDoNotOpenCostNoTime has one that opens behind some that do not.
func TestPortsThatDoNotOpenCostNoTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := errors.New("open it: gone")
		ports := []*port{{broken: gone}, {broken: gone}, {}}
		h := run(t, source(ports...))
		defer h.end()
		if diff := cmp.Diff([]int{1, 1, 1}, opened(ports)); diff != "" {
			t.Error("at once, how often each is opened (-want +got):\n" + diff)
		}
		ports[2].breaks(gone)
		pass(10 * time.Minute)
		if got := h.said("open it: gone"); got < 1 || got > 2 {
			t.Errorf("the log says %d times in ten minutes what is wrong, want once or twice:\n%s", got, h.log)
		}
	})
}

// TestHourlyMeterIsNotMissed has a meter of one telegram an hour: trying others while nothing comes must not miss the next.
func TestHourlyMeterIsNotMissed(t *testing.T) {
	for _, endpoints := range []int{2, 3, 7, 14, 21, 28} {
		t.Run(fmt.Sprint(endpoints, " endpoints"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ports := make([]*port, endpoints)
				for i := range ports {
					ports[i] = &port{}
				}
				var n notebook
				h := run(t, source(ports...), &n)
				defer h.end()
				m := meterOf(t, "aidon-se")
				for hour := range 6 {
					ports[0].send(next(m))
					if got := n.count(); got != hour+1 {
						t.Fatalf("after %d hours: got %d telegrams, want %d", hour, got, hour+1)
					}
					pass(time.Hour)
				}
				before := opened(ports)
				ports[0].send(next(m))
				pass(time.Hour)
				if diff := cmp.Diff(before, opened(ports)); diff != "" {
					t.Error("a meter that is known to speak once an hour is left alone (-before +after):\n" + diff)
				}
			})
		})
	}
}

// TestChangingSource looks for ports again, also where there is one alone.
func TestChangingSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ports := []*port{{}, {}}
		all := []probe.Endpoint{
			{Port: "/dev/ttyUSB0", Line: "2400 8E1", Dial: ports[0].dial},
			{Port: "/dev/ttyUSB1", Line: "2400 8E1", Dial: ports[1].dial},
		}
		var there atomic.Int32
		var n notebook
		h := run(t, probe.Source{EndpointsChange: true, Endpoints: func() ([]probe.Endpoint, error) {
			if there.Load() == 0 {
				return nil, errors.New("no serial port found")
			}
			return all[:there.Load()], nil
		}}, &n)
		defer h.end()
		pass(time.Minute)
		if got := h.said("no serial port found"); got != 1 {
			t.Errorf("said %d times in a minute that there is no port, want once:\n%s", got, h.log)
		}
		there.Store(1)
		pass(3 * time.Second)
		if diff := cmp.Diff([]int{1, 0}, opened(ports)); diff != "" {
			t.Fatal("a port comes (-want +got):\n" + diff)
		}
		there.Store(2)
		pass(24 * time.Second)
		if got := opened(ports); got[1] != 1 {
			t.Fatalf("another comes: opened %d times, want once", got[1])
		}
		ports[1].send(next(meterOf(t, "aidon-se")))
		if got := h.said(`"port opened"`); got != 2 {
			t.Errorf("the log says %d times that a port is opened, want once for each:\n%s", got, h.log)
		}
		if got := n.said(); !strings.HasSuffix(got, "house online") {
			t.Errorf("got %q, want house online", got)
		}
	})
}

// TestUncheckedTelegramIsWaitedFor comes every 10 s without a checksum: the second, which makes it believed, is too late for 12 s.
func TestUncheckedTelegramIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ports := []*port{{}, {}}
		var n notebook
		h := run(t, source(ports...), &n)
		defer h.end()
		a, b := meterOf(t, "p1-se-aidon"), meterOf(t, "p1-se-aidon-1p")
		for i, telegram := range [][]byte{bare(next(a)), bare(next(b)), bare(next(a))} {
			pass(9 * time.Second)
			ports[0].send(telegram)
			if got, want := n.count(), max(i-1, 0); got != want {
				t.Fatalf("telegram %d: %d are believed, want %d", i, got, want)
			}
		}
	})
}
