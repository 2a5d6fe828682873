package bridge_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
)

// A script is a reader in the network: for each connection what it sends, and how it ends it.
type closingReader struct {
	delay       time.Duration // before each connection gives its bytes
	connections []connection  // again and again
	dials       int
}

type connection struct {
	bytes   []byte
	dialErr error
	end     error // io.EOF where it is nil
}

func (s *closingReader) source() probe.Source {
	return probe.Source{Endpoints: probe.Fixed(probe.Endpoint{Port: "tcp://192.0.2.1:8088", Dial: s.dial})}
}

func (s *closingReader) dial(context.Context) (io.ReadCloser, error) {
	now := s.connections[s.dials%len(s.connections)]
	s.dials++
	if now.dialErr != nil {
		return nil, now.dialErr
	}
	r, w := io.Pipe()
	go func() {
		<-time.After(s.delay)
		_, _ = w.Write(now.bytes)
		_ = w.CloseWithError(now.end)
	}()
	return r, nil
}

// TestReaderThatCloses: a reader may close each connection behind a telegram, which is one line and costs nothing; what is wrong
// with others is told apart, and counted.
func TestReaderThatCloses(t *testing.T) {
	refused := errors.New("connection refused")
	m := newMeter(t, "aidon-se")
	one, two := nextTelegram(m), nextTelegram(m)
	p1 := nextTelegram(newMeter(t, "p1-se-aidon"))
	both := bytes.Join([][]byte{one, two}, nil)
	many := bytes.Repeat(one, 10)
	const each, again = "the reader closes the connection behind a telegram", "the other side closed the connection"
	within, before, not := "closed within a telegram", "closed before a byte came", "closed after bytes that are no telegram"
	tests := []struct {
		name   string
		every  time.Duration
		turns  []connection
		per    int      // telegrams a connection, on average of the turns 10 times
		said   []string // each at least once, and what is said in all
		most   int      // lines about it in an hour
		online bool
	}{
		{"closes each: HDLC", 10 * time.Second, []connection{{bytes: one}, {bytes: two}}, 1, []string{each}, 1, true},
		{"closes each: P1 every second", 900 * time.Millisecond, []connection{{bytes: p1}}, 1, []string{each}, 1, true},
		{"closes each: two telegrams", 10 * time.Second, []connection{{bytes: both}}, 2, []string{each}, 1, true},
		{"closes each: by a reset", 10 * time.Second, []connection{{bytes: one, end: syscall.ECONNRESET}}, 1, []string{each}, 1, true},
		{"closes each: without a checksum", 10 * time.Second, []connection{{bytes: withoutChecksum(p1)}}, 1, []string{each}, 1, true},
		{"closes after many", 50 * time.Second, []connection{{bytes: many}}, 10, []string{again}, 3 * 6, true},
		{"closes within a telegram", 10 * time.Second, []connection{{bytes: one[:300]}}, 0, []string{within}, 7, false},
		{"closes within every second telegram", 10 * time.Second, []connection{{bytes: one}, {bytes: two[:300]}}, 1, []string{each, within}, 3*6 + 2, true},
		{"closes behind the head of a telegram", 10 * time.Second, []connection{{bytes: append(bytes.Clone(one), two[:100]...)}}, 1, []string{within}, 3*6 + 1, true},
		{"closes at once", 0, []connection{{}}, 0, []string{before}, 7, false},
		{"closes at once by a reset", 0, []connection{{end: syscall.ECONNRESET}}, 0, []string{before}, 7, false},
		{"closes behind a greeting", time.Second, []connection{{bytes: []byte("busy\r\n")}}, 0, []string{not}, 7, false},
		{"closes behind a web page", time.Second, []connection{{bytes: []byte("HTTP/1.1 400 Bad Request\r\n\r\n")}}, 0, []string{"a web server answers"}, 7, false},
		{"closes behind a login", time.Second, []connection{{bytes: []byte("\xFF\xFD\x18\xFF\xFB\x01login: ")}}, 0, []string{"asks for a login"}, 7, false},
		{"refuses in between", 10 * time.Second, []connection{{bytes: one}, {dialErr: refused}, {bytes: two}}, 1, []string{each, "connection refused"}, 3*6 + 2, true},
		{"refuses by turns with closing at once", 0, []connection{{}, {dialErr: refused}}, 0, []string{before, "connection refused"}, 14, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &closingReader{delay: tt.every, connections: tt.turns}
				var n recorder
				h := run(t, s.source(), &n)
				defer advance(tt.every + time.Second) // the last connection ends
				defer h.end()
				advance(time.Hour + time.Second)
				lines := 0
				for _, text := range tt.said {
					if got := h.countLines(text); got == 0 {
						t.Errorf("want %q in the log", text)
					} else {
						lines += got
					}
				}
				for _, text := range []string{each, again, within, before, not} {
					if !strings.Contains(strings.Join(tt.said, " "), text) && h.countLines(text) > 0 {
						t.Errorf("the log says %q, which is not so", text)
					}
				}
				if lines > tt.most {
					t.Errorf("%d lines about it in an hour, want %d at most", lines, tt.most)
				}
				n.inspect(func(n *recorder) {
					if got := strings.HasSuffix(strings.Join(n.states, ", "), "online"); got != tt.online || tt.online && len(n.states) != 2 {
						t.Errorf("states: %v", n.states)
					}
					if tt.per > 0 && n.stats.Errors == 0 && tt.every >= time.Second {
						least := int(time.Hour/(tt.every+500*time.Millisecond)) * tt.per * 2 / 3
						if len(n.telegrams) < least {
							t.Errorf("%d telegrams in an hour, want %d or more", len(n.telegrams), least)
						}
					}
				})
				if t.Failed() {
					t.Logf("it says:\n%s", h.log)
				}
			})
		})
	}
}

// TestClosingReaderKeepsItsPace: telegram_interval is that of the meter, and its telegrams all come, at whatever pace.
func TestClosingReaderKeepsItsPace(t *testing.T) {
	for _, every := range []time.Duration{time.Second, 2500 * time.Millisecond, 10 * time.Second, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			var p port
			var n recorder
			h := run(t, portSource(&p, true), &n)
			defer h.end()
			m := newMeter(t, "aidon-se")
			for i := range 40 {
				advance(every)
				p.send(nextTelegram(m))
				p.mu.Lock()
				_ = p.writer.Close()
				p.mu.Unlock()
				if got := n.telegramCount(); got != i+1 {
					t.Fatalf("%v: %d telegrams of %d", every, got, i+1)
				}
			}
			n.inspect(func(n *recorder) {
				if n.stats.Interval != every || len(n.states) != 2 && every < time.Hour {
					t.Errorf("%v: interval %v, states %v", every, n.stats.Interval, n.states)
				}
			})
		})
	}
}

// TestCutTailIsNotJoined: what a connection broke off is not continued by the next one.
func TestCutTailIsNotJoined(t *testing.T) {
	for _, family := range []string{"aidon-se", "p1-se-aidon", "kamstrup-no", "iskra-ch"} {
		for _, end := range []error{io.EOF, syscall.ECONNRESET, io.ErrUnexpectedEOF} {
			synctest.Test(t, func(t *testing.T) {
				var p port
				var n recorder
				h := run(t, portSource(&p, true), &n)
				defer h.end()
				m := newMeter(t, family)
				p.send(nextTelegram(m))
				one := nextTelegram(m)
				p.send(one[:len(one)/2])
				p.mu.Lock()
				_ = p.writer.CloseWithError(end)
				p.mu.Unlock()
				advance(5 * time.Second)
				p.send(one[len(one)/2:])
				advance(5 * time.Second)
				p.send(nextTelegram(m))
				if got := n.telegramCount(); got != 2 {
					t.Errorf("%s, %v: %d telegrams, want the first and the last", family, end, got)
				}
			})
		}
	}
}
