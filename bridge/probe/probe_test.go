package probe_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/pkg/line"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// wire sends bytes at fixed times. After the last bytes, Read returns err. If err is nil, Read blocks until the wire is closed.
type wire struct {
	sends  []sent
	err    error
	closed chan struct{}
	once   sync.Once
}

type sent struct {
	after time.Duration // since the bytes before
	bytes []byte
}

func (w *wire) Read(p []byte) (int, error) {
	if len(w.sends) == 0 && w.err != nil {
		return 0, w.err
	}
	wait := 1000 * time.Hour
	if len(w.sends) > 0 {
		wait = w.sends[0].after
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-w.closed:
		return 0, os.ErrClosed
	case <-timer.C:
	}
	b := w.sends[0].bytes
	w.sends = w.sends[1:]
	return copy(p, b), nil
}

func (w *wire) Close() error {
	w.once.Do(func() { close(w.closed) })
	return nil
}

// endpoint returns an endpoint whose wires send sends and then end with err. setting is a speed and a name, such as "2 b"; a setting
// without a speed is "".
func endpoint(setting string, err error, sends ...sent) probe.Endpoint {
	var baud int
	if _, err := fmt.Sscan(setting, &baud); err != nil {
		baud = 0 // a setting without a speed
	}
	return probe.Endpoint{Port: "/dev/ttyUSB0", Line: setting, Baud: baud, Dial: func(context.Context) (io.ReadCloser, error) {
		return &wire{sends: sends, err: err, closed: make(chan struct{})}, nil
	}}
}

func refusing(setting string, err error) probe.Endpoint {
	return probe.Endpoint{Port: "/dev/ttyUSB0", Line: setting, Dial: func(context.Context) (io.ReadCloser, error) { return nil, err }}
}

// recorder is a Handler that records all calls as text.
type recorder struct {
	text        strings.Builder
	began       time.Time
	maxEnds     int // after how many ends of connections it stops the search; 0 means never
	maxVerified int // after how many verified telegrams it stops the search; 0 means never
	ends        int // connections that have ended
	verified    int // verified telegrams
	attempt     *probe.Attempt
}

func (r *recorder) note(format string, args ...any) {
	fmt.Fprintf(&r.text, "%v "+format+"\n", append([]any{time.Since(r.began).Round(time.Second)}, args...)...)
}

func (r *recorder) Opened(a *probe.Attempt) error {
	r.attempt = a
	r.note("open %s", a.Line)
	return nil
}

func (r *recorder) Reading(_ context.Context, reading *meter.Reading) bool {
	r.note("telegram, verified %v", reading.Verified)
	if reading.Verified {
		r.verified++
		r.attempt.PauseEvidence(time.Now().Add(20 * time.Second))
	}
	return r.maxVerified > 0 && r.verified >= r.maxVerified
}

func (r *recorder) Damaged(e *meter.TelegramError) bool {
	r.note("damaged, intact %v", e.Intact)
	return false
}

func (r *recorder) Ended(e probe.ConnectionEnd) bool {
	if e.Err == nil {
		r.note("nothing: %v", e.Finding.Verdict)
	} else {
		parts := strings.SplitN(e.Err.Error(), ": ", 3) // the rest is advice
		reason, _, _ := strings.Cut(strings.Join(parts[:min(2, len(parts))], ": "), ",")
		r.note("ended: %s", reason)
	}
	r.ends++
	return r.ends != r.maxEnds
}

func telegramOf(t *testing.T, family string) []byte {
	t.Helper()
	f, ok := simulate.Named(family)
	if !ok {
		t.Fatal("no family " + family)
	}
	_, b := simulate.NewMeter(f, 1, time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)).Next()
	return bytes.Clone(b)
}

// TestProbe tests whole searches with each kind of endpoint: what the Handler is called with, and which endpoint is read next.
func TestProbe(t *testing.T) {
	good, unchecked, encrypted, glo := telegramOf(t, "aidon-se"), telegramOf(t, "p1-nl-22"), telegramOf(t, "kamstrup-dk"), telegramOf(t, "p1-lu")
	damaged := bytes.Clone(good)
	damaged[len(damaged)/2] ^= 0xFF
	slow := bytes.Repeat([]byte{0xF0, 0x00, 0xFE, 0x80}, 40)
	at := func(after time.Duration, b []byte) sent { return sent{after * time.Second, b} }
	silent := func(setting string) probe.Endpoint { return endpoint(setting, nil) }
	gone := errors.New("the port has gone")
	minute := func() time.Duration { return time.Minute }
	tests := []struct {
		name      string
		endpoints []probe.Endpoint
		options   probe.Options
		// After so many ends of connections, or so many verified telegrams, the Handler stops the search; 0 means never.
		maxEnds     int
		maxVerified int
		want        string
		proved      string // the setting of the proved endpoint, "" for none
		err         string // what the error contains, "" for no error
	}{
		{"silence", []probe.Endpoint{silent("1 a"), silent("2 b")}, probe.Options{SinglePass: true, ProvedTimeout: minute}, 0, 0,
			"0s open 1 a\n12s nothing: silent\n12s open 2 b\n24s nothing: silent\n", "", ""},
		{"silence, in rounds", []probe.Endpoint{silent("1 a"), silent("2 b")}, probe.Options{ProvedTimeout: minute}, 3, 0,
			"0s open 1 a\n12s nothing: silent\n12s open 2 b\n24s nothing: silent\n24s open 1 a\n36s nothing: silent\n", "", ""},
		{"a dwell of 3 s", []probe.Endpoint{silent("1 a")}, probe.Options{SinglePass: true, Dwell: 3 * time.Second, ProvedTimeout: minute}, 0, 0,
			"0s open 1 a\n3s nothing: silent\n", "", ""},
		{"the only endpoint is read for ProvedTimeout", []probe.Endpoint{silent("1 a")}, probe.Options{ProvedTimeout: minute}, 2, 0,
			"0s open 1 a\n1m0s nothing: silent\n1m0s open 1 a\n2m0s nothing: silent\n", "", ""},
		{"a verdict of another speed skips settings of the same speed", []probe.Endpoint{endpoint("9 a", nil, at(1, slow)), silent("9 b"), silent("2 b")}, probe.Options{ProvedTimeout: minute}, 2, 0,
			"0s open 9 a\n12s nothing: other-baud\n12s open 2 b\n24s nothing: silent\n", "", ""},
		{"a single pass skips no setting of the same speed", []probe.Endpoint{endpoint("9 a", nil, at(1, slow)), silent("9 b")}, probe.Options{SinglePass: true, ProvedTimeout: minute}, 0, 0,
			"0s open 9 a\n12s nothing: other-baud\n12s open 9 b\n24s nothing: silent\n", "", ""},
		{"proved shortly before the turn would end", []probe.Endpoint{silent("1 a"), endpoint("2 b", nil, at(11, good), at(10, good))}, probe.Options{ProvedTimeout: minute}, 0, 2,
			"0s open 1 a\n12s nothing: silent\n12s open 2 b\n23s telegram, verified true\n33s telegram, verified true\n", "2 b", ""},
		{"the last proved endpoint is first", []probe.Endpoint{silent("1 a"), endpoint("2 b", nil, at(1, good))}, probe.Options{ProvedTimeout: minute,
			LastProved: probe.Endpoint{Port: "/dev/ttyUSB0", Line: "2 b"}}, 0, 1, "0s open 2 b\n1s telegram, verified true\n", "2 b", ""},
		{"proved, then silent", []probe.Endpoint{endpoint("2 b", nil, at(1, good)), silent("1 a")}, probe.Options{ProvedTimeout: minute}, 2, 0,
			"0s open 2 b\n1s telegram, verified true\n1m1s nothing: silent\n1m1s open 2 b\n1m2s telegram, verified true\n2m2s nothing: silent\n", "2 b", ""},
		{"a proved endpoint without ProvedTimeout is read for ever", []probe.Endpoint{endpoint("2 b", gone, at(1, good), at(7200, good)), silent("1 a")}, probe.Options{}, 1, 0,
			"0s open 2 b\n1s telegram, verified true\n2h0m1s telegram, verified true\n2h0m1s ended: /dev/ttyUSB0: the port has gone\n", "2 b", "gone"},
		{"a part of a telegram extends the turn by 12 s", []probe.Endpoint{endpoint("2 b", nil, at(11, good[:100]), at(3, good[100:]))}, probe.Options{SinglePass: true, ProvedTimeout: minute}, 0, 1,
			"0s open 2 b\n14s telegram, verified true\n", "2 b", ""},
		{"a damaged telegram", []probe.Endpoint{endpoint("2 b", nil, at(5, damaged))}, probe.Options{SinglePass: true, ProvedTimeout: minute}, 0, 0,
			"0s open 2 b\n5s damaged, intact false\n24s nothing: frames\n", "", ""},
		{"telegrams without a checksum", []probe.Endpoint{endpoint("2 b", nil, at(10, unchecked), at(10, unchecked))}, probe.Options{SinglePass: true, ProvedTimeout: minute}, 0, 1,
			"0s open 2 b\n10s telegram, verified false\n20s telegram, verified true\n", "2 b", ""},
		{"an encrypted telegram in a frame", []probe.Endpoint{endpoint("2 b", gone, at(10, encrypted))}, probe.Options{SinglePass: true, ProvedTimeout: minute}, 0, 0,
			"0s open 2 b\n10s damaged, intact true\n10s ended: /dev/ttyUSB0: the port has gone\n", "2 b", "gone"},
		{"an encrypted message without a frame", []probe.Endpoint{endpoint("2 b", gone, at(10, glo))}, probe.Options{SinglePass: true, ProvedTimeout: minute}, 0, 0,
			"0s open 2 b\n10s damaged, intact true\n10s ended: /dev/ttyUSB0: the port has gone\n", "", "gone"},
		{"two encrypted messages without a frame", []probe.Endpoint{endpoint("2 b", gone, at(10, glo), at(10, glo))}, probe.Options{SinglePass: true, ProvedTimeout: minute}, 0, 0,
			"0s open 2 b\n10s damaged, intact true\n20s damaged, intact true\n20s ended: /dev/ttyUSB0: the port has gone\n", "2 b", "gone"},
		{"the reader closes after a telegram", []probe.Endpoint{endpoint("2 b", io.EOF, at(10, good))}, probe.Options{ProvedTimeout: minute}, 0, 2,
			"0s open 2 b\n10s telegram, verified true\n10s ended: /dev/ttyUSB0: closed by the other side\n10s open 2 b\n20s telegram, verified true\n", "2 b", ""},
		{"the reader closes within a telegram", []probe.Endpoint{endpoint("2 b", io.EOF, at(1, good[:300]))}, probe.Options{SinglePass: true, ProvedTimeout: minute}, 0, 0,
			"0s open 2 b\n1s damaged, intact false\n1s ended: /dev/ttyUSB0: closed within a telegram\n", "", "power supply"},
		{"the reader closes before it sends a byte", []probe.Endpoint{endpoint("2 b", io.EOF)}, probe.Options{SinglePass: true, ProvedTimeout: minute}, 0, 0,
			"0s open 2 b\n0s ended: /dev/ttyUSB0: closed before a byte came\n", "", "stop the other one"},
		{"a port that cannot be opened, in a single pass", []probe.Endpoint{refusing("1 a", errors.New("refused")), silent("2 b")}, probe.Options{SinglePass: true, ProvedTimeout: minute}, 0, 0,
			"0s ended: refused\n", "", "refused"},
		{"a port that cannot be opened, in rounds", []probe.Endpoint{refusing("1 a", errors.New("refused")), endpoint("2 b", nil, at(1, good))}, probe.Options{ProvedTimeout: minute}, 0, 1,
			"0s ended: refused\n0s open 2 b\n1s telegram, verified true\n", "2 b", ""},
		{"no endpoint", nil, probe.Options{SinglePass: true, ProvedTimeout: minute}, 0, 0, "0s ended: no port and no line setting to try\n", "", "to try"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &recorder{began: time.Now(), maxEnds: tt.maxEnds, maxVerified: tt.maxVerified}
				found := probe.Probe(t.Context(), probe.Source{Endpoints: probe.Fixed(tt.endpoints...)}, tt.options, r)
				if got := r.text.String(); got != tt.want {
					t.Errorf("got\n%swant\n%s", got, tt.want)
				}
				proved := ""
				if found.Proved != nil {
					proved = found.Proved.Line
				}
				if proved != tt.proved {
					t.Errorf("proved: got %q, want %q", proved, tt.proved)
				}
				if (found.Err == nil) != (tt.err == "") || found.Err != nil && !strings.Contains(found.Err.Error(), tt.err) {
					t.Errorf("error: got %v, want %q", found.Err, tt.err)
				}
			})
		})
	}
}

// TestUnprovedReaderIsGivenUp checks that the search gives up a reader that closes each connection after a telegram that is not verified.
func TestUnprovedReaderIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		telegram, n := telegramOf(t, "p1-nl-22"), 0
		value := bytes.IndexByte(telegram, '(')
		first := bytes.LastIndexByte(telegram[:value], '\n') + 1
		end := first + bytes.IndexByte(telegram[first:], '\n') + 1
		e := endpoint("", nil)
		e.Dial = func(context.Context) (io.ReadCloser, error) {
			n++
			b := append(bytes.Clone(telegram[:first]), bytes.Repeat(telegram[first:end], n%20+1)...)
			return &wire{sends: []sent{{time.Second, append(b, telegram[end:]...)}}, err: io.EOF, closed: make(chan struct{})}, nil
		}
		found := probe.Probe(t.Context(), probe.Source{Endpoints: probe.Fixed(e)}, probe.Options{SinglePass: true, ProvedTimeout: func() time.Duration { return time.Minute }},
			&recorder{began: time.Now()})
		if found.Proved != nil || found.Err != nil || n > 100 {
			t.Errorf("dialled %d times, proved %v, %v, want neither proved nor an error", n, found.Proved != nil, found.Err)
		}
	})
}

// TestProbeEnds checks that the end of the context ends a search, in a Read and between two attempts.
func TestProbeEnds(t *testing.T) {
	for name, e := range map[string]probe.Endpoint{"in a Read": endpoint("2 b", nil), "in a pause": refusing("2 b", errors.New("refused"))} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 3333*time.Millisecond)
				defer cancel()
				start := time.Now()
				probe.Probe(ctx, probe.Source{Endpoints: probe.Fixed(e)}, probe.Options{}, &recorder{began: start})
				if took := time.Since(start); took != 3333*time.Millisecond {
					t.Errorf("took %v, want 3.333 s", took)
				}
			})
		})
	}
}

// TestRecordingIsReadOnce checks that a recording is read to its end, whatever pauses it has, and that its end ends the search.
func TestRecordingIsReadOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{began: time.Now()}
		e := endpoint("", io.EOF, sent{time.Hour, telegramOf(t, "aidon-se")})
		found := probe.Probe(t.Context(), probe.Source{Recorded: true, Endpoints: probe.Fixed(e)}, probe.Options{ProvedTimeout: func() time.Duration { return time.Minute }}, r)
		if !errors.Is(found.Err, io.EOF) || r.verified != 1 || found.Proved == nil {
			t.Errorf("got %v after %d telegrams, want EOF after 1", found.Err, r.verified)
		}
	})
}

// TestAdvice checks that each verdict has its own text, and that the text says to set serial to auto if another line setting can help.
func TestAdvice(t *testing.T) {
	found := map[string]bool{} // by advice
	for v := line.Silent; v <= line.LoginPrompt; v++ {
		got := probe.Advice(v)
		if found[got] {
			t.Errorf("%v has the advice of another verdict: %q", v, got)
		}
		found[got] = true
		if strings.Contains(got, "set serial to auto") != v.SuggestsOtherSetting() {
			t.Errorf("%v: got advice %q, want to set serial to auto only if another setting can help", v, got)
		}
	}
}

// TestFindings tests that With replaces the finding of an endpoint, and that Best and Advice consider all findings.
func TestFindings(t *testing.T) {
	var f probe.Findings
	for _, n := range []probe.Finding{
		{Endpoint: probe.Endpoint{Line: "a"}, Verdict: line.Silent},
		{Endpoint: probe.Endpoint{Line: "b"}, Verdict: line.OtherBaud, Bytes: 10},
		{Endpoint: probe.Endpoint{Line: "c"}, Verdict: line.Inverted, Bytes: 20},
		{Endpoint: probe.Endpoint{Line: "b"}, Verdict: line.OtherBaud, Bytes: 30},
	} {
		f = f.With(n)
	}
	if best, bytes := f.Best(); best.Line != "c" || bytes != 50 || len(f) != 3 {
		t.Errorf("got %s, %d bytes of %d endpoints, want c, 50 of 3", best.Line, bytes, len(f))
	}
	if got := f.Advice(line.OtherBaud); !strings.Contains(got, "at any setting tried") {
		t.Errorf("several settings: got %q", got)
	}
	if got := f[:1].Advice(line.OtherBaud); !strings.Contains(got, probe.Advice(line.OtherBaud)) {
		t.Errorf("one setting: got %q", got)
	}
}
