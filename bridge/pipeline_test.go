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

// TestOnlineAfterFirstTelegram checks all updates for the first telegram, and their order.
func TestOnlineAfterFirstTelegram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p port
		var n recorder
		h := run(t, source(&p), &n)
		defer h.end()
		if got := n.stateHistory(); got != "house offline" {
			t.Fatalf("before the first telegram: got %q, want house offline", got)
		}
		telegram := nextTelegram(newMeter(t, "aidon-se"))
		p.send(telegram[:len(telegram)-1])
		if got := n.telegramCount(); got != 0 {
			t.Fatalf("got %d telegrams out of most of one, want none", got)
		}
		p.send(telegram[len(telegram)-1:])
		n.inspect(func(n *recorder) {
			if diff := cmp.Diff([]string{"house offline", "house online"}, n.states); diff != "" {
				t.Error("states (-want +got):\n" + diff)
			}
			if diff := cmp.Diff([]string{"offline", "values", "online", "telegram"}, n.order); diff != "" {
				t.Error("order (-want +got):\n" + diff)
			}
			if diff := cmp.Diff(decoded(t, telegram), n.values); diff != "" {
				t.Error("values (-want +got):\n" + diff)
			}
			want := bridge.Description{Make: "Aidon", Protocol: "hdlc", Port: "/dev/ttyUSB0", Line: "setting 0"}
			if diff := cmp.Diff(want, n.description); diff != "" {
				t.Error("about (-want +got):\n" + diff)
			}
			if got := n.telegrams[0]; got.Seq != 1 || !got.Received.Equal(time.Now()) || len(got.Values) != len(n.values) {
				t.Errorf("telegram %d of %d values at %v, want 1 of %d now", got.Seq, len(got.Values), got.Received, len(n.values))
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

// TestOfflineAfterSixIntervals checks when a meter is offline, and that its next telegram makes it online.
func TestOfflineAfterSixIntervals(t *testing.T) {
	tests := []struct {
		name      string
		telegrams int
		every     time.Duration
		silent    time.Duration // after the last telegram
	}{
		{"nothing learned yet", 1, 0, time.Minute},
		{"each second", 8, time.Second, 6 * time.Second},
		{"each 2.5 s", 8, 2500 * time.Millisecond, 15 * time.Second},
		{"each 10 s", 8, 10 * time.Second, time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var p port
				var n recorder
				h := run(t, source(&p), &n)
				defer h.end()
				m := newMeter(t, "p1-se-aidon")
				for i := range tt.telegrams {
					if i > 0 {
						advance(tt.every)
					}
					p.send(nextTelegram(m))
				}
				advance(tt.silent - time.Millisecond)
				if got, want := n.stateHistory(), "house offline, house online"; got != want {
					t.Fatalf("just before: got %q, want %q", got, want)
				}
				advance(time.Millisecond)
				if got, want := n.stateHistory(), "house offline, house online, house offline"; got != want {
					t.Fatalf("silent: got %q, want %q", got, want)
				}
				p.send(nextTelegram(m))
				if got, want := n.stateHistory(), "house offline, house online, house offline, house online"; got != want {
					t.Fatalf("again: got %q, want %q", got, want)
				}
				n.inspect(func(n *recorder) {
					if got := strings.Join(n.order, ", "); strings.Contains(got, "without") {
						t.Errorf("order: %s", got)
					}
				})
			})
		})
	}
}

// TestReconnect checks the back-off after a lost connection, and how often that is logged.
func TestReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p port
		var n recorder
		h := run(t, source(&p), &n)
		defer h.end()
		m := newMeter(t, "aidon-se")
		p.send(nextTelegram(m))
		p.fail(fs.ErrNotExist)
		advance(time.Minute)
		tries := p.dials()
		for i, most := 1, 100*time.Millisecond; i < len(tries); i, most = i+1, min(2*most, 3*time.Second) {
			if gap := tries[i].Sub(tries[i-1]); gap < most/2 || gap > most {
				t.Errorf("attempt %d after %v, want %v to %v", i, gap, most/2, most)
			}
		}
		if len(tries) < 20 {
			t.Errorf("%d attempts in a minute, want 20 or more: a port that returns is found within 5 s", len(tries))
		}
		if got := strings.Count(h.log.String(), "cannot read the meter"); got != 2 { // the lost wire, the missing port
			t.Errorf("the log has %d lines about it, want 2:\n%s", got, h.log)
		}
		p.fail(nil)
		advance(3 * time.Second)
		p.send(nextTelegram(m))
		if got, want := n.telegramCount(), 2; got != want {
			t.Errorf("got %d telegrams, want %d", got, want)
		}
		before := len(p.dials())
		p.fail(nil)
		advance(100 * time.Millisecond) // the back-off starts again at its shortest pause
		if got := len(p.dials()); got != before+1 {
			t.Errorf("after a telegram: %d attempts within 100 ms, want 1", got-before)
		}
	})
}

// withoutChecksum returns a P1 telegram without its checksum.
func withoutChecksum(telegram []byte) []byte {
	end := bytes.LastIndexByte(telegram, '!')
	return append(bytes.Clone(telegram[:end+1]), "\r\n"...)
}

// TestTelegramsWithoutChecksum checks that a telegram without a checksum is published if the one before of its kind is alike.
func TestTelegramsWithoutChecksum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p port
		var n recorder
		h := run(t, source(&p), &n)
		defer h.end()
		three, one := newMeter(t, "p1-se-aidon"), newMeter(t, "p1-se-aidon-1p")
		steps := []struct {
			name     string
			telegram []byte
			want     int // telegrams in all
		}{
			{"nothing in it", []byte("/ADN9 6534\r\n\r\n!\r\n"), 0},
			{"first", withoutChecksum(nextTelegram(three)), 0},
			{"other codes", withoutChecksum(nextTelegram(one)), 0},
			{"the first codes again", withoutChecksum(nextTelegram(three)), 1},
			{"interleaved", withoutChecksum(nextTelegram(one)), 2},
			{"alike", withoutChecksum(nextTelegram(three)), 3},
			{"a checksum needs no other", nextTelegram(one), 4},
			{"first after a checksum", withoutChecksum(nextTelegram(one)), 4},
			{"a checksum between", nextTelegram(one), 5},
			{"first again", withoutChecksum(nextTelegram(one)), 5},
			{"alike again", withoutChecksum(nextTelegram(one)), 6},
		}
		for _, s := range steps {
			p.send(s.telegram)
			if got := n.telegramCount(); got != s.want {
				t.Fatalf("%s: got %d telegrams, want %d", s.name, got, s.want)
			}
		}
	})
}

// TestDamagedTelegrams checks that damaged telegrams are counted and logged once, and do not make a meter online.
func TestDamagedTelegrams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p port
		var n recorder
		h := run(t, source(&p), &n)
		defer h.end()
		m := newMeter(t, "aidon-se")
		for range 5 {
			damaged := nextTelegram(m)
			damaged[100] ^= 1
			p.send(damaged)
		}
		if got := n.stateHistory(); got != "house offline" {
			t.Errorf("damaged telegrams: got %q, want house offline", got)
		}
		p.send(nextTelegram(m))
		n.inspect(func(n *recorder) {
			want := bridge.Stats{Telegrams: 1, Errors: 5, LastTelegram: time.Now(), Interval: 10 * time.Second}
			if diff := cmp.Diff(want, n.stats); diff != "" {
				t.Error("stats (-want +got):\n" + diff)
			}
		})
		if got := strings.Count(h.log.String(), "damaged telegram"); got != 1 {
			t.Errorf("the log has %d lines about damage, want 1:\n%s", got, h.log)
		}
	})
}

// TestStatsOnceAMinute checks that the counts are updated once a minute.
func TestStatsOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p port
		var n recorder
		h := run(t, source(&p), &n)
		defer h.end()
		m := newMeter(t, "aidon-se")
		for i, want := range []uint64{1, 1, 1, 1, 1, 1, 7, 7} { // after so many intervals of 10 s
			p.send(nextTelegram(m))
			n.inspect(func(n *recorder) {
				if n.stats.Telegrams != want {
					t.Errorf("after %d0 s: %d telegrams counted, want %d", i, n.stats.Telegrams, want)
				}
			})
			advance(10 * time.Second)
		}
	})
}

// TestMeterTimeZone checks that the zone of the meter's time is corrected.
func TestMeterTimeZone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		advance(time.Until(time.Date(2000, 7, 1, 10, 0, 0, 0, time.UTC)))
		var p port
		var n recorder
		h := run(t, source(&p), &n)
		defer h.end()
		p.send(nextTelegram(newMeter(t, "p1-fi-aidon"))) // sends Finnish summer time with the letter of Central European summer time
		n.inspect(func(n *recorder) {
			want := obis.Time{Year: 2000, Month: 7, Day: 1, Hour: 13, Zone: true, Offset: 180}
			if got := n.telegrams[0].MeterTime; got != want {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	})
}

var errAway = errors.New("away")

// TestSegmentsOfTwoMessages sends the first frame of one message and the remaining frames of the next one. The frames are intact, but nothing may
// be published from them.
func TestSegmentsOfTwoMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p port
		var n recorder
		h := run(t, source(&p), &n)
		defer h.end()
		m := newMeter(t, "iskra-ch")
		p.send(nextTelegram(m))
		advance(5 * time.Second)
		one := nextTelegram(m)
		cut := hdlc.Length(one)
		p.send(one[:cut])
		advance(5 * time.Second)
		another := nextTelegram(m)
		p.send(another[cut:])
		advance(5 * time.Second)
		p.send(nextTelegram(m))
		advance(time.Minute) // the counts are updated once in this time
		p.send(nextTelegram(m))
		n.inspect(func(n *recorder) {
			if len(n.telegrams) != 3 {
				t.Errorf("%d telegrams published, want the first and the two last, which were complete", len(n.telegrams))
			}
			if n.stats.Errors != 1 {
				t.Errorf("%+v, want one error", n.stats)
			}
		})
	})
}
