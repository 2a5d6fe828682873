package bridge_test

import (
	"bytes"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// TestOnlineAfterFirstTelegram checks which updates an output gets for the first telegram, and in which order.
func TestOnlineAfterFirstTelegram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p port
		var rec recorder
		running := run(t, sourceOf(&p), &rec)
		defer running.end()
		if got := rec.stateHistory(); got != "house offline" {
			t.Fatalf("before the first telegram: got states %q, want house offline", got)
		}
		telegram := nextTelegram(newMeter(t, "aidon-se"))
		p.send(telegram[:len(telegram)-1])
		if got := rec.telegramCount(); got != 0 {
			t.Fatalf("got %d telegrams before the last byte of the first telegram, want none", got)
		}
		p.send(telegram[len(telegram)-1:])
		rec.inspect(func(rec *recorder) {
			if diff := cmp.Diff([]string{"house offline", "house online"}, rec.states); diff != "" {
				t.Error("states (-want +got):\n" + diff)
			}
			if diff := cmp.Diff([]string{"offline", "values", "online", "telegram"}, rec.order); diff != "" {
				t.Error("order (-want +got):\n" + diff)
			}
			if diff := cmp.Diff(decoded(t, telegram), rec.values); diff != "" {
				t.Error("values (-want +got):\n" + diff)
			}
			want := bridge.Description{Make: "Aidon", Protocol: "hdlc", Port: "/dev/ttyUSB0", Line: "setting 0"}
			if diff := cmp.Diff(want, rec.description); diff != "" {
				t.Error("description (-want +got):\n" + diff)
			}
			if got := rec.telegrams[0]; got.Seq != 1 || !got.Received.Equal(time.Now()) || len(got.Values) != len(rec.values) {
				t.Errorf("got telegram %d with %d values at %v, want telegram 1 with %d values now", got.Seq, len(got.Values), got.Received, len(rec.values))
			}
		})
	})
}

// decoded returns the values in a telegram as text.
func decoded(t *testing.T, telegram []byte) map[string]string {
	t.Helper()
	r, err := meter.NewDecoder(bytes.NewReader(telegram), meter.Options{}).Next()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, s := range r.Samples {
		all[s.ID.String()] = string(s.Value.AppendFixed(nil, s.Decimals()))
	}
	return all
}

// TestOfflineAfterSixIntervals checks when a meter becomes offline, and that its next telegram makes it online again.
func TestOfflineAfterSixIntervals(t *testing.T) {
	tests := []struct {
		name      string
		telegrams int
		every     time.Duration
		offline   time.Duration // how long after the last telegram the meter becomes offline
	}{
		{"one telegram, so the interval is unknown", 1, 0, time.Minute},
		{"every second", 8, time.Second, 6 * time.Second},
		{"every 2.5 s", 8, 2500 * time.Millisecond, 15 * time.Second},
		{"every 10 s", 8, 10 * time.Second, time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var p port
				var rec recorder
				running := run(t, sourceOf(&p), &rec)
				defer running.end()
				m := newMeter(t, "p1-se-aidon")
				for i := range tt.telegrams {
					if i > 0 {
						advance(tt.every)
					}
					p.send(nextTelegram(m))
				}
				advance(tt.offline - time.Millisecond)
				if got, want := rec.stateHistory(), "house offline, house online"; got != want {
					t.Fatalf("just before six intervals: got states %q, want %q", got, want)
				}
				advance(time.Millisecond)
				if got, want := rec.stateHistory(), "house offline, house online, house offline"; got != want {
					t.Fatalf("after six intervals: got states %q, want %q", got, want)
				}
				p.send(nextTelegram(m))
				if got, want := rec.stateHistory(), "house offline, house online, house offline, house online"; got != want {
					t.Fatalf("after another telegram: got states %q, want %q", got, want)
				}
				rec.inspect(func(rec *recorder) {
					if got := strings.Join(rec.order, ", "); strings.Contains(got, "online without values") {
						t.Errorf("updates: %s", got)
					}
				})
			})
		})
	}
}

// TestReconnect checks the pauses between dials after a lost connection, and how often the loss is logged.
func TestReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p port
		var rec recorder
		running := run(t, sourceOf(&p), &rec)
		defer running.end()
		m := newMeter(t, "aidon-se")
		p.send(nextTelegram(m))
		p.fail(fs.ErrNotExist)
		advance(time.Minute)
		dials := p.dials()
		for i, maxPause := 1, 100*time.Millisecond; i < len(dials); i, maxPause = i+1, min(2*maxPause, 3*time.Second) {
			if gap := dials[i].Sub(dials[i-1]); gap < maxPause/2 || gap > maxPause {
				t.Errorf("dial %d: got it after %v, want it after %v to %v", i, gap, maxPause/2, maxPause)
			}
		}
		if len(dials) < 20 {
			t.Errorf("got %d dials in a minute, want 20 or more, so that a port that returns is soon found", len(dials))
		}
		if got := strings.Count(running.log.String(), "cannot read the meter"); got != 2 { // the lost connection and the missing port
			t.Errorf("got %d lines that the meter cannot be read, want 2:\n%s", got, running.log)
		}
		p.fail(nil) // from now on, dials succeed
		advance(3 * time.Second)
		p.send(nextTelegram(m))
		if got, want := rec.telegramCount(), 2; got != want {
			t.Errorf("got %d telegrams, want %d", got, want)
		}
		dialsBefore := len(p.dials())
		p.fail(nil)                     // the connection is lost again
		advance(100 * time.Millisecond) // the back-off starts again at its shortest pause
		if got := len(p.dials()); got != dialsBefore+1 {
			t.Errorf("after a telegram: got %d dials within 100 ms, want 1", got-dialsBefore)
		}
	})
}

// withoutChecksum returns a P1 telegram without its checksum.
func withoutChecksum(telegram []byte) []byte {
	end := bytes.LastIndexByte(telegram, '!')
	return append(bytes.Clone(telegram[:end+1]), "\r\n"...)
}

// TestTelegramsWithoutChecksum checks that a telegram without a checksum is published only if an earlier telegram had the same
// codes.
func TestTelegramsWithoutChecksum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p port
		var rec recorder
		running := run(t, sourceOf(&p), &rec)
		defer running.end()
		threePhase, onePhase := newMeter(t, "p1-se-aidon"), newMeter(t, "p1-se-aidon-1p")
		steps := []struct {
			name     string
			telegram []byte
			want     int // telegrams published so far
		}{
			{"a telegram without items", []byte("/ADN9 6534\r\n\r\n!\r\n"), 0},
			{"the first codes, without a checksum", withoutChecksum(nextTelegram(threePhase)), 0},
			{"other codes", withoutChecksum(nextTelegram(onePhase)), 0},
			{"the first codes again", withoutChecksum(nextTelegram(threePhase)), 1},
			{"the other codes again", withoutChecksum(nextTelegram(onePhase)), 2},
			{"the first codes for the third time", withoutChecksum(nextTelegram(threePhase)), 3},
			{"a telegram with a checksum is published at once", nextTelegram(onePhase), 4},
			{"without a checksum after one with a checksum", withoutChecksum(nextTelegram(onePhase)), 4},
			{"a telegram with a checksum again", nextTelegram(onePhase), 5},
			{"without a checksum, for the first time since then", withoutChecksum(nextTelegram(onePhase)), 5},
			{"without a checksum, for the second time in a row", withoutChecksum(nextTelegram(onePhase)), 6},
		}
		for _, s := range steps {
			p.send(s.telegram)
			if got := rec.telegramCount(); got != s.want {
				t.Fatalf("%s: got %d telegrams, want %d", s.name, got, s.want)
			}
		}
	})
}

// TestDamagedTelegrams checks that damaged telegrams are counted and logged once, and do not make a meter online.
func TestDamagedTelegrams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p port
		var rec recorder
		running := run(t, sourceOf(&p), &rec)
		defer running.end()
		m := newMeter(t, "aidon-se")
		for range 5 {
			damaged := nextTelegram(m)
			damaged[100] ^= 1
			p.send(damaged)
		}
		if got := rec.stateHistory(); got != "house offline" {
			t.Errorf("after damaged telegrams: got states %q, want house offline", got)
		}
		p.send(nextTelegram(m))
		rec.inspect(func(rec *recorder) {
			want := bridge.Stats{Telegrams: 1, Errors: 5, LastTelegram: time.Now(), Interval: 10 * time.Second}
			if diff := cmp.Diff(want, rec.stats); diff != "" {
				t.Error("stats (-want +got):\n" + diff)
			}
		})
		if got := strings.Count(running.log.String(), "damaged telegram"); got != 1 {
			t.Errorf("the log has %d lines about damage, want 1:\n%s", got, running.log)
		}
	})
}

// TestStatsOnceAMinute checks that an output gets the counts once a minute.
func TestStatsOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p port
		var rec recorder
		running := run(t, sourceOf(&p), &rec)
		defer running.end()
		m := newMeter(t, "aidon-se")
		for i, want := range []uint64{1, 1, 1, 1, 1, 1, 7, 7} { // after 0 s, 10 s, 20 s and so on
			p.send(nextTelegram(m))
			rec.inspect(func(rec *recorder) {
				if rec.stats.Telegrams != want {
					t.Errorf("after %d s: the output has a count of %d telegrams, want %d", 10*i, rec.stats.Telegrams, want)
				}
			})
			advance(10 * time.Second)
		}
	})
}

// TestMeterTimeZone checks that a Telegram has the meter's time with the corrected zone.
func TestMeterTimeZone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		advance(time.Until(time.Date(2000, 7, 1, 10, 0, 0, 0, time.UTC)))
		var p port
		var rec recorder
		running := run(t, sourceOf(&p), &rec)
		defer running.end()
		p.send(nextTelegram(newMeter(t, "p1-fi-aidon"))) // sends Finnish summer time with the letter of Central European summer time
		rec.inspect(func(rec *recorder) {
			want := obis.Time{Year: 2000, Month: 7, Day: 1, Hour: 13, Zone: true, Offset: 180}
			if got := rec.telegrams[0].MeterTime; got != want {
				t.Errorf("meter time: got %v, want %v", got, want)
			}
		})
	})
}

// errAway is the error of outputs that fail.
var errAway = errors.New("away")

// TestSegmentsOfTwoMessages sends the first frame of one message and the remaining frames of the next one. The frames are intact, but nothing
// must be published from them.
func TestSegmentsOfTwoMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p port
		var rec recorder
		running := run(t, sourceOf(&p), &rec)
		defer running.end()
		m := newMeter(t, "iskra-ch")
		p.send(nextTelegram(m))
		advance(5 * time.Second)
		first := nextTelegram(m)
		firstFrame := hdlc.Length(first)
		p.send(first[:firstFrame])
		advance(5 * time.Second)
		second := nextTelegram(m)
		p.send(second[firstFrame:])
		advance(5 * time.Second)
		p.send(nextTelegram(m))
		advance(time.Minute) // outputs get the counts once a minute
		p.send(nextTelegram(m))
		rec.inspect(func(rec *recorder) {
			if len(rec.telegrams) != 3 {
				t.Errorf("got %d telegrams published, want the three complete ones", len(rec.telegrams))
			}
			if rec.stats.Errors != 1 {
				t.Errorf("got %d errors, want 1", rec.stats.Errors)
			}
		})
	})
}
