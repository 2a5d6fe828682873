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

// A closingReader is a network reader that closes each connection after it has sent some bytes.
type closingReader struct {
	delay       time.Duration // how long each connection waits before it sends its bytes
	connections []connection  // used one after another, from the start again after the last
	dials       int
}

// A connection has the bytes that a closingReader sends in one connection, and the error with which the connection then ends. If dialErr is not
// nil, there is no connection, because the dial fails.
type connection struct {
	bytes   []byte
	dialErr error
	end     error // nil means io.EOF
}

func (s *closingReader) source() probe.Source {
	return probe.Source{Endpoints: probe.Fixed(probe.Endpoint{Port: "tcp://192.0.2.1:8088", Dial: s.dial})}
}

func (s *closingReader) dial(context.Context) (io.ReadCloser, error) {
	c := s.connections[s.dials%len(s.connections)]
	s.dials++
	if c.dialErr != nil {
		return nil, c.dialErr
	}
	r, w := io.Pipe()
	go func() {
		<-time.After(s.delay)
		_, _ = w.Write(c.bytes)
		_ = w.CloseWithError(c.end)
	}()
	return r, nil
}

// TestClosingReader checks what is logged about readers that close their connections. A reader that closes each connection after a telegram has
// no fault. This is logged once, and no telegram is lost. Other ends of connections are faults, and each kind of fault has its own message.
func TestClosingReader(t *testing.T) {
	refused := errors.New("connection refused")
	m := newMeter(t, "aidon-se")
	one, two := nextTelegram(m), nextTelegram(m)
	p1 := nextTelegram(newMeter(t, "p1-se-aidon"))
	both := bytes.Join([][]byte{one, two}, nil)
	many := bytes.Repeat(one, 10)
	const (
		closedAfterTelegram   = "the reader closes the connection after a telegram"
		closedAfterMany       = "the other side closed the connection"
		closedWithinTelegram  = "closed within a telegram"
		closedBeforeByte      = "closed before a byte came"
		closedAfterOtherBytes = "closed after bytes that are no telegram"
	)
	tests := []struct {
		name          string
		delay         time.Duration
		connections   []connection
		perConnection int      // telegrams per connection; 0 if the test does not count them
		want          []string // texts that must be in the log; the other texts about connections must not be in it
		maxLines      int      // maximum number of log lines with these texts in an hour; each kind of fault gets up to three lines in ten minutes
		online        bool
	}{
		{"closes after each telegram: HDLC", 10 * time.Second, []connection{{bytes: one}, {bytes: two}}, 1, []string{closedAfterTelegram}, 1, true},
		{"closes after each telegram: P1 every second", 900 * time.Millisecond, []connection{{bytes: p1}}, 1, []string{closedAfterTelegram}, 1, true},
		{"closes after each two telegrams", 10 * time.Second, []connection{{bytes: both}}, 2, []string{closedAfterTelegram}, 1, true},
		{"resets the connection after each telegram", 10 * time.Second, []connection{{bytes: one, end: syscall.ECONNRESET}}, 1, []string{closedAfterTelegram}, 1, true},
		{"closes after each telegram without a checksum", 10 * time.Second, []connection{{bytes: withoutChecksum(p1)}}, 1, []string{closedAfterTelegram}, 1, true},
		{"closes after ten telegrams", 50 * time.Second, []connection{{bytes: many}}, 10, []string{closedAfterMany}, 3 * 6, true},
		{"closes within a telegram", 10 * time.Second, []connection{{bytes: one[:300]}}, 0, []string{closedWithinTelegram}, 7, false},
		{"closes within every second telegram", 10 * time.Second, []connection{{bytes: one}, {bytes: two[:300]}}, 1, []string{closedAfterTelegram, closedWithinTelegram}, 3*6 + 2, true},
		{"closes after the start of a telegram", 10 * time.Second, []connection{{bytes: append(bytes.Clone(one), two[:100]...)}}, 1, []string{closedWithinTelegram}, 3*6 + 1, true},
		{"closes at once", 0, []connection{{}}, 0, []string{closedBeforeByte}, 7, false},
		{"resets the connection at once", 0, []connection{{end: syscall.ECONNRESET}}, 0, []string{closedBeforeByte}, 7, false},
		{"closes after a greeting", time.Second, []connection{{bytes: []byte("busy\r\n")}}, 0, []string{closedAfterOtherBytes}, 7, false},
		{"closes after a web page", time.Second, []connection{{bytes: []byte("HTTP/1.1 400 Bad Request\r\n\r\n")}}, 0, []string{"a web server answers"}, 7, false},
		{"closes after a login", time.Second, []connection{{bytes: []byte("\xFF\xFD\x18\xFF\xFB\x01login: ")}}, 0, []string{"asks for a login"}, 7, false},
		{"refuses every third connection", 10 * time.Second, []connection{{bytes: one}, {dialErr: refused}, {bytes: two}}, 1, []string{closedAfterTelegram, "connection refused"}, 3*6 + 2, true},
		{"closes at once and refuses, alternating", 0, []connection{{}, {dialErr: refused}}, 0, []string{closedBeforeByte, "connection refused"}, 14, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &closingReader{delay: tt.delay, connections: tt.connections}
				var rec recorder
				running := run(t, s.source(), &rec)
				defer advance(tt.delay + time.Second) // until the last connection ends
				defer running.end()
				advance(time.Hour + time.Second)
				lines := 0
				for _, text := range tt.want {
					if got := running.countLines(text); got == 0 {
						t.Errorf("the log does not have %q", text)
					} else {
						lines += got
					}
				}
				for _, text := range []string{closedAfterTelegram, closedAfterMany, closedWithinTelegram, closedBeforeByte, closedAfterOtherBytes} {
					if !strings.Contains(strings.Join(tt.want, " "), text) && running.countLines(text) > 0 {
						t.Errorf("the log has %q, want it without this text", text)
					}
				}
				if lines > tt.maxLines {
					t.Errorf("got %d lines in an hour, want %d at most", lines, tt.maxLines)
				}
				rec.inspect(func(rec *recorder) {
					if got := strings.HasSuffix(strings.Join(rec.states, ", "), "online"); got != tt.online || tt.online && len(rec.states) != 2 {
						t.Errorf("got states %v, want the meter online at the end: %v", rec.states, tt.online)
					}
					if tt.perConnection > 0 && rec.stats.Errors == 0 && tt.delay >= time.Second {
						minTelegrams := int(time.Hour/(tt.delay+500*time.Millisecond)) * tt.perConnection * 2 / 3
						if len(rec.telegrams) < minTelegrams {
							t.Errorf("got %d telegrams in an hour, want %d or more", len(rec.telegrams), minTelegrams)
						}
					}
				})
				if t.Failed() {
					t.Logf("log:\n%s", running.log)
				}
			})
		})
	}
}

// TestClosingReaderInterval uses a reader that closes the connection after each telegram. It checks that the interval of the meter is learned,
// and that no telegram is lost.
func TestClosingReaderInterval(t *testing.T) {
	for _, every := range []time.Duration{time.Second, 2500 * time.Millisecond, 10 * time.Second, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			var p port
			var rec recorder
			running := run(t, networkSource(&p), &rec)
			defer running.end()
			m := newMeter(t, "aidon-se")
			for i := range 40 {
				advance(every)
				p.send(nextTelegram(m))
				p.mu.Lock()
				_ = p.writer.Close()
				p.mu.Unlock()
				if got := rec.telegramCount(); got != i+1 {
					t.Fatalf("every %v: got %d telegrams, want %d", every, got, i+1)
				}
			}
			rec.inspect(func(rec *recorder) {
				if rec.stats.Interval != every || len(rec.states) != 2 && every < time.Hour {
					t.Errorf("every %v: got interval %v and states %v, want this interval and only two states", every, rec.stats.Interval, rec.states)
				}
			})
		})
	}
}

// TestTelegramOverTwoConnections sends the two halves of a telegram on two connections. The bridge must not join the halves.
func TestTelegramOverTwoConnections(t *testing.T) {
	for _, family := range []string{"aidon-se", "p1-se-aidon", "kamstrup-no", "iskra-ch"} {
		for _, end := range []error{io.EOF, syscall.ECONNRESET, io.ErrUnexpectedEOF} {
			synctest.Test(t, func(t *testing.T) {
				var p port
				var rec recorder
				running := run(t, networkSource(&p), &rec)
				defer running.end()
				m := newMeter(t, family)
				p.send(nextTelegram(m))
				divided := nextTelegram(m)
				p.send(divided[:len(divided)/2])
				p.mu.Lock()
				_ = p.writer.CloseWithError(end)
				p.mu.Unlock()
				advance(5 * time.Second)
				p.send(divided[len(divided)/2:])
				advance(5 * time.Second)
				p.send(nextTelegram(m))
				if got := rec.telegramCount(); got != 2 {
					t.Errorf("%s, connection ended by %v: got %d telegrams, want the first and the last", family, end, got)
				}
			})
		}
	}
}
