package bridge_test

import (
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
)

// networkSource returns a source whose one endpoint is a network reader.
func networkSource(p *port) probe.Source {
	return probe.Source{Endpoints: probe.Fixed(probe.Endpoint{Port: "tcp://192.0.2.1:8088", Dial: p.dial})}
}

// serialSource returns a source whose one endpoint is a serial port.
func serialSource(p *port) probe.Source {
	return probe.Source{Endpoints: probe.Fixed(probe.Endpoint{Port: "/dev/ttyUSB0", Line: "2400 8E1", Dial: p.dial})}
}

// TestSilentConnectionIsReopened checks that a connection without bytes is opened again after a minute, or after six intervals if that is longer.
// If the silence lasts, it is opened again with growing pauses. A telegram on the new connection is read.
func TestSilentConnectionIsReopened(t *testing.T) {
	minute := time.Minute
	tests := []struct {
		name   string
		source func(*port) probe.Source
		every  time.Duration   // the time between telegrams before the silence; 0 if there were none
		want   []time.Duration // how long after the last telegram the connection is opened again, each time
	}{
		{"a reader that sent every 10 s", networkSource, 10 * time.Second, []time.Duration{minute, 2 * minute, 4 * minute, 8 * minute, 16 * minute, 26 * minute}},
		{"a reader that sent every second", networkSource, time.Second, []time.Duration{minute, 2 * minute, 4 * minute}},
		{"a serial port with one line setting", serialSource, 10 * time.Second, []time.Duration{minute, 2 * minute, 4 * minute}},
		{"a reader that sent every minute", networkSource, minute, []time.Duration{6 * minute, 12 * minute, 22 * minute}},
		{"a reader that sent every 15 min", networkSource, 15 * minute, []time.Duration{90 * minute, 180 * minute, 270 * minute}},
		{"a reader that never sent", networkSource, 0, []time.Duration{minute, 2 * minute, 4 * minute, 8 * minute}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var p port
				var rec recorder
				running := run(t, tt.source(&p), &rec)
				defer running.end()
				m, telegrams := newMeter(t, "aidon-se"), 0
				if tt.every > 0 {
					for range 8 {
						advance(tt.every)
						p.send(nextTelegram(m))
					}
					telegrams = 8
				}
				lastTelegram := time.Now()
				dialsBefore := len(p.dials())
				for i, want := range tt.want {
					advance(want - time.Since(lastTelegram) - time.Millisecond)
					if got := len(p.dials()); got != dialsBefore+i {
						t.Fatalf("just before %v of silence: got %d further dials, want %d", want, got-dialsBefore, i)
					}
					advance(time.Millisecond)
					if got := len(p.dials()); got != dialsBefore+i+1 {
						t.Fatalf("after %v of silence: got %d further dials, want %d", want, got-dialsBefore, i+1)
					}
				}
				p.send(nextTelegram(m))
				if got := rec.telegramCount(); got != telegrams+1 {
					t.Errorf("got %d telegrams after one on the last connection, want %d", got, telegrams+1)
				}
				if got := running.countLines(`"port opened"`); got != 1 {
					t.Errorf("the log says %d times that the port is opened, want once:\n%s", got, running.log)
				}
			})
		})
	}
}

// TestRareTelegramsAreNotLost checks that no telegram of a meter that sends rarely is lost because its port is opened again.
func TestRareTelegramsAreNotLost(t *testing.T) {
	for _, tt := range []struct {
		name     string
		every    time.Duration
		maxDials int // in nine intervals, after the second telegram
	}{
		{"hourly", time.Hour, 0},
		{"hourly, not on the hour", time.Hour + 7*time.Second, 0},
		{"every 15 min", 15 * time.Minute, 0},
		{"daily", 24 * time.Hour, 3 * 24},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var p port
				var rec recorder
				running := run(t, networkSource(&p), &rec)
				defer running.end()
				m, dialsBefore := newMeter(t, "aidon-se"), 0
				for i := range 10 {
					advance(tt.every)
					telegram := nextTelegram(m)
					p.send(telegram[:200])
					advance(700 * time.Millisecond)
					p.send(telegram[200:])
					if got := rec.telegramCount(); got != i+1 {
						t.Fatalf("got %d telegrams, want %d", got, i+1)
					}
					if i == 1 {
						dialsBefore = len(p.dials())
					}
				}
				if got := len(p.dials()) - dialsBefore; got > tt.maxDials {
					t.Errorf("got %d dials after the interval was known, want %d at most", got, tt.maxDials)
				}
			})
		})
	}
}

// TestReopenDuringTelegram checks that a connection is not closed while a telegram arrives.
func TestReopenDuringTelegram(t *testing.T) {
	for _, family := range []string{"aidon-se", "p1-se-aidon", "kamstrup-no"} {
		synctest.Test(t, func(t *testing.T) {
			var p port
			var rec recorder
			running := run(t, networkSource(&p), &rec)
			defer running.end()
			telegram := nextTelegram(newMeter(t, family))
			advance(time.Minute - time.Millisecond)
			p.send(telegram[:10])
			advance(time.Second)
			p.send(telegram[10:])
			if got := rec.telegramCount(); got != 1 || len(p.dials()) != 1 {
				t.Errorf("%s: got %d telegrams and %d dials, want one of each", family, got, len(p.dials()))
			}
		})
	}
}

// TestNetworkReaderLineSetting checks the advice if a network reader sends bytes but no telegram. The advice must be to change the line
// setting of the reader itself.
func TestNetworkReaderLineSetting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p port
		running := run(t, networkSource(&p))
		defer running.end()
		random := rand.New(rand.NewPCG(1, 2))
		for range 70 {
			b := make([]byte, 50)
			for i := range b {
				b[i] = byte(random.Uint32())
			}
			p.send(b)
			advance(time.Second)
		}
		if got := running.countLines("Set the reader's own serial port"); got != 1 || running.countLines("set serial to") > 0 {
			t.Errorf("the advice is logged %d times, want once, and no advice to change the setting serial:\n%s", got, running.log)
		}
	})
}

// TestSilentNetworkReader checks that the silence of a connection is logged once. If connections were refused before, that is also logged once.
func TestSilentNetworkReader(t *testing.T) {
	const silent = "connected, and no bytes in 60 s"
	for _, tt := range []struct {
		name       string
		refusedFor time.Duration // how long connections are refused at first
		online     bool          // a telegram comes before the silence
		want       string        // the log line about the silence
	}{
		{"silent from the start", 0, false, silent},
		{"silent after a refused connection", 5 * time.Second, false, silent},
		{"silent after a long refusal", 3 * time.Minute, false, silent},
		{"silent after telegrams", 0, true, "the reader is connected and sends nothing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var p port
				if tt.refusedFor > 0 {
					p.dialErr = errors.New("connection refused")
				}
				running := run(t, networkSource(&p))
				defer running.end()
				if tt.online {
					p.send(nextTelegram(newMeter(t, "aidon-se")))
				}
				advance(tt.refusedFor)
				p.mu.Lock()
				p.dialErr = nil
				p.mu.Unlock()
				advance(65 * time.Second) // the pause before a dial is up to 3 s
				if got := running.countLines(tt.want); got != 1 {
					t.Errorf("after a minute: logged %d times, want once:\n%s", got, running.log)
				}
				advance(8 * time.Minute)
				if got := running.countLines("warn"); tt.refusedFor == 0 && got != 1 || tt.refusedFor > 0 && got != 2 {
					t.Errorf("got %d warnings in ten minutes, want one about the silence, and one if connections were refused:\n%s", got, running.log)
				}
			})
		})
	}
}
