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

// garbage has bytes like those that a receiver reads at a wrong speed.
var garbage = bytes.Repeat([]byte{0xF0, 0x00, 0xFE, 0x80}, 40)

// dialCounts returns how often each port was dialled.
func dialCounts(ports []*port) (counts []int) {
	synctest.Wait()
	for _, p := range ports {
		counts = append(counts, len(p.dials()))
	}
	return counts
}

// TestEndpointOrder checks when the search tries the next endpoint, before and after a telegram.
func TestEndpointOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ports := []*port{{}, {}, {}}
		var rec recorder
		running := run(t, sourceOf(ports...), &rec)
		defer running.end()
		expectDials := func(when string, want ...int) {
			t.Helper()
			if diff := cmp.Diff(want, dialCounts(ports)); diff != "" {
				t.Fatalf("%s: dials of each port (-want +got):\n%s", when, diff)
			}
		}
		ports[0].send(garbage) // bytes without a telegram do not extend the time that an endpoint gets
		advance(12*time.Second - time.Millisecond)
		expectDials("just before 12 s", 1, 0, 0)
		advance(time.Millisecond)
		expectDials("after 12 s", 1, 1, 0)
		m := newMeter(t, "aidon-se")
		ports[1].send(nextTelegram(m))
		advance(59 * time.Second)
		ports[1].send(nextTelegram(m)) // after each telegram, no other endpoint is tried for a minute
		advance(time.Minute - time.Millisecond)
		expectDials("just before a minute after the last telegram", 1, 1, 0)
		advance(time.Millisecond)
		expectDials("a minute after the last telegram, the endpoint that worked is dialled first", 1, 2, 0)
		advance(12 * time.Second)
		expectDials("then the next endpoint is dialled", 2, 2, 0)
		advance(12 * time.Second)
		expectDials("then the last endpoint is dialled", 2, 2, 1)
		ports[2].send(nextTelegram(m))
		rec.inspect(func(rec *recorder) {
			if rec.description.Line != "setting 2" || len(rec.telegrams) != 3 {
				t.Errorf("got line %q and %d telegrams, want setting 2 and 3 telegrams", rec.description.Line, len(rec.telegrams))
			}
			if diff := cmp.Diff([]string{"settings_changed setting 1 > setting 2"}, rec.events); diff != "" {
				t.Error("events (-want +got):\n" + diff)
			}
		})
		ports[2].send(nextTelegram(m))
		if got := running.countLines("the meter is read with other settings"); got != 1 {
			t.Errorf("the log says %d times that the settings have changed, want once", got)
		}
	})
}

// TestWorkingEndpointReconnects checks that an endpoint that has worked and lost its connection is opened again before others are tried.
func TestWorkingEndpointReconnects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ports := []*port{{}, {}}
		running := run(t, sourceOf(ports...))
		defer running.end()
		advance(12 * time.Second)
		m := newMeter(t, "aidon-se")
		for range 5 {
			ports[1].send(nextTelegram(m))
			ports[1].fail(nil)
			advance(4 * time.Second)
		}
		if diff := cmp.Diff([]int{1, 6}, dialCounts(ports)); diff != "" {
			t.Error("dials of each port after five telegrams (-want +got):\n" + diff)
		}
		ports[1].fail(errors.New("no such device"))
		advance(time.Minute + 4*time.Second)
		if got := len(ports[0].dials()); got < 2 {
			t.Errorf("the other port was dialled %d times while the port that worked was missing for a minute, want at least 2", got)
		}
	})
}

// TestSearchSkipsMissingPorts checks that the search continues at once if a port cannot be opened.
func TestSearchSkipsMissingPorts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		missing := errors.New("open: no such port")
		ports := []*port{{dialErr: missing}, {dialErr: missing}, {}}
		running := run(t, sourceOf(ports...))
		defer running.end()
		if diff := cmp.Diff([]int{1, 1, 1}, dialCounts(ports)); diff != "" {
			t.Error("dials of each port at the start (-want +got):\n" + diff)
		}
		ports[2].fail(missing)
		advance(10 * time.Minute)
		if got := running.countLines("open: no such port"); got < 1 || got > 2 {
			t.Errorf("logged %d times in ten minutes, want once or twice:\n%s", got, running.log)
		}
	})
}

// TestHourlyMeter checks that no hourly telegram of a meter is lost because other endpoints are tried meanwhile.
func TestHourlyMeter(t *testing.T) {
	for _, endpoints := range []int{2, 3, 7, 14, 21, 28} {
		t.Run(fmt.Sprint(endpoints, " endpoints"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ports := make([]*port, endpoints)
				for i := range ports {
					ports[i] = &port{}
				}
				var rec recorder
				running := run(t, sourceOf(ports...), &rec)
				defer running.end()
				m := newMeter(t, "aidon-se")
				for hour := range 6 {
					ports[0].send(nextTelegram(m))
					if got := rec.telegramCount(); got != hour+1 {
						t.Fatalf("after %d hours: got %d telegrams, want %d", hour, got, hour+1)
					}
					advance(time.Hour)
				}
				dialsBefore := dialCounts(ports)
				ports[0].send(nextTelegram(m))
				advance(time.Hour)
				if diff := cmp.Diff(dialsBefore, dialCounts(ports)); diff != "" {
					t.Error("other endpoints were tried although the interval of one hour is known (-before +after):\n" + diff)
				}
			})
		})
	}
}

// TestChangingSource checks that ports which appear later are found.
func TestChangingSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ports := []*port{{}, {}}
		endpoints := []probe.Endpoint{
			{Port: "/dev/ttyUSB0", Line: "2400 8E1", Dial: ports[0].dial},
			{Port: "/dev/ttyUSB1", Line: "2400 8E1", Dial: ports[1].dial},
		}
		var available atomic.Int32 // how many of the endpoints exist
		var rec recorder
		running := run(t, probe.Source{EndpointsChange: true, Endpoints: func() ([]probe.Endpoint, error) {
			if available.Load() == 0 {
				return nil, errors.New("no serial port found")
			}
			return endpoints[:available.Load()], nil
		}}, &rec)
		defer running.end()
		advance(time.Minute)
		if got := running.countLines("no serial port found"); got != 1 {
			t.Errorf("logged %d times in a minute that there is no port, want once:\n%s", got, running.log)
		}
		available.Store(1)
		advance(3 * time.Second)
		if diff := cmp.Diff([]int{1, 0}, dialCounts(ports)); diff != "" {
			t.Fatal("dials after a port has appeared (-want +got):\n" + diff)
		}
		available.Store(2)
		advance(24 * time.Second)
		if got := dialCounts(ports); got[1] != 1 {
			t.Fatalf("the port that appeared later was opened %d times, want once", got[1])
		}
		ports[1].send(nextTelegram(newMeter(t, "aidon-se")))
		if got := running.countLines(`"port opened"`); got != 2 {
			t.Errorf("the log says %d times that a port is opened, want once for each:\n%s", got, running.log)
		}
		if got := rec.stateHistory(); !strings.HasSuffix(got, "house online") {
			t.Errorf("got %q, want house online", got)
		}
	})
}

// TestSearchWithoutChecksum checks that no other endpoint is tried after a telegram without a checksum, although a telegram that verifies it
// comes only after more than 12 s.
func TestSearchWithoutChecksum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ports := []*port{{}, {}}
		var rec recorder
		running := run(t, sourceOf(ports...), &rec)
		defer running.end()
		threePhase, onePhase := newMeter(t, "p1-se-aidon"), newMeter(t, "p1-se-aidon-1p")
		for i, telegram := range [][]byte{nextTelegram(threePhase), nextTelegram(onePhase), nextTelegram(threePhase)} {
			advance(9 * time.Second)
			ports[0].send(withoutChecksum(telegram))
			if got, want := rec.telegramCount(), max(i-1, 0); got != want {
				t.Fatalf("after telegram %d: got %d telegrams published, want %d", i, got, want)
			}
		}
	})
}
