package probe_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
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

// wire delivers bytes at fixed times. After the last bytes, Read returns err. If err is nil, Read blocks until the wire is closed.
type wire struct {
	deliveries []delivery
	err        error
	closed     chan struct{}
	once       sync.Once
}

type delivery struct {
	after time.Duration // since the previous delivery
	bytes []byte
}

func (w *wire) Read(p []byte) (int, error) {
	if len(w.deliveries) == 0 && w.err != nil {
		return 0, w.err
	}
	wait := 1000 * time.Hour // until the wire is closed
	if len(w.deliveries) > 0 {
		wait = w.deliveries[0].after
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-w.closed:
		return 0, os.ErrClosed
	case <-timer.C:
	}
	next := &w.deliveries[0]
	n := copy(p, next.bytes)
	if next.after, next.bytes = 0, next.bytes[n:]; len(next.bytes) == 0 {
		w.deliveries = w.deliveries[1:]
	}
	return n, nil
}

func (w *wire) Close() error {
	w.once.Do(func() { close(w.closed) })
	return nil
}

// endpoint returns an endpoint whose wires make the deliveries and then end with err. The setting is a speed and an arbitrary name, such as
// "2 b" for 2 bits a second, or "".
func endpoint(setting string, err error, deliveries ...delivery) probe.Endpoint {
	var baud int
	if _, err := fmt.Sscan(setting, &baud); err != nil {
		baud = 0 // the setting is ""
	}
	return probe.Endpoint{Port: "/dev/ttyUSB0", Line: setting, Baud: baud, Dial: func(context.Context) (io.ReadCloser, error) {
		return &wire{deliveries: slices.Clone(deliveries), err: err, closed: make(chan struct{})}, nil
	}}
}

// refusing returns an endpoint that cannot be opened because of err.
func refusing(setting string, err error) probe.Endpoint {
	return probe.Endpoint{Port: "/dev/ttyUSB0", Line: setting, Dial: func(context.Context) (io.ReadCloser, error) { return nil, err }}
}

// recorder is a Handler that records all calls as text.
type recorder struct {
	text        strings.Builder
	began       time.Time
	maxEnds     int // the search ends when this number of connections has ended; 0 means never
	maxVerified int // the search ends after this number of verified telegrams; 0 means never
	ends        int // the number of connections that have ended
	verified    int // the number of verified telegrams
	attempt     *probe.Attempt
}

// note adds a line with the seconds since began.
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
	r.note("no reading, intact %v", e.Intact)
	return false
}

func (r *recorder) Ended(e probe.ConnectionEnd) bool {
	if e.Err == nil {
		r.note("nothing: %v", e.Finding.Verdict)
	} else {
		parts := strings.SplitN(e.Err.Error(), ": ", 3) // the third part is advice
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

// TestProbe tests searches from the beginning to the end: the calls of the Handler, the order of the endpoints, and the Result.
func TestProbe(t *testing.T) {
	// unchecked has no checksum. glo is an encrypted message without a frame.
	good, unchecked, encrypted, glo := telegramOf(t, "aidon-se"), telegramOf(t, "p1-nl-22"), telegramOf(t, "kamstrup-dk"), telegramOf(t, "p1-lu")
	damaged := bytes.Clone(good)
	damaged[len(damaged)/2] ^= 0xFF
	slow := bytes.Repeat([]byte{0xF0, 0x00, 0xFE, 0x80}, 40) // bytes as received if the line is read much faster than the meter sends
	after := func(seconds time.Duration, b []byte) delivery { return delivery{seconds * time.Second, b} }
	silent := func(setting string) probe.Endpoint { return endpoint(setting, nil) }
	gone := errors.New("the port has gone")
	minute := func() time.Duration { return time.Minute }
	tests := []struct {
		name        string
		endpoints   []probe.Endpoint
		options     probe.Options
		maxEnds     int    // as in recorder
		maxVerified int    // as in recorder
		want        string // what the recorder has recorded, with the seconds since the start
		wantProved  string // the setting of the proved endpoint, "" for none
		wantErr     string // a part of the error, "" for no error
	}{
		{"silence", []probe.Endpoint{silent("1 a"), silent("2 b")}, probe.Options{SinglePass: true, ProvedTimeout: minute}, 0, 0,
			"0s open 1 a\n12s nothing: silent\n12s open 2 b\n24s nothing: silent\n", "", ""},
		{"silence in repeated rounds", []probe.Endpoint{silent("1 a"), silent("2 b")}, probe.Options{ProvedTimeout: minute}, 3, 0,
			"0s open 1 a\n12s nothing: silent\n12s open 2 b\n24s nothing: silent\n24s open 1 a\n36s nothing: silent\n", "", ""},
		{"a dwell of 3 s", []probe.Endpoint{silent("1 a")}, probe.Options{SinglePass: true, Dwell: 3 * time.Second, ProvedTimeout: minute}, 0, 0,
			"0s open 1 a\n3s nothing: silent\n", "", ""},
		{"the only endpoint is read for ProvedTimeout", []probe.Endpoint{silent("1 a")}, probe.Options{ProvedTimeout: minute}, 2, 0,
			"0s open 1 a\n1m0s nothing: silent\n1m0s open 1 a\n2m0s nothing: silent\n", "", ""},
		{"a verdict of another speed skips settings of the same speed", []probe.Endpoint{endpoint("9 a", nil, after(1, slow)), silent("9 b"), silent("2 b")}, probe.Options{ProvedTimeout: minute}, 2, 0,
			"0s open 9 a\n12s nothing: other-baud\n12s open 2 b\n24s nothing: silent\n", "", ""},
		{"a single pass skips no setting of the same speed", []probe.Endpoint{endpoint("9 a", nil, after(1, slow)), silent("9 b")}, probe.Options{SinglePass: true, ProvedTimeout: minute}, 0, 0,
			"0s open 9 a\n12s nothing: other-baud\n12s open 9 b\n24s nothing: silent\n", "", ""},
		{"proved shortly before the turn would end", []probe.Endpoint{silent("1 a"), endpoint("2 b", nil, after(11, good), after(10, good))}, probe.Options{ProvedTimeout: minute}, 0, 2,
			"0s open 1 a\n12s nothing: silent\n12s open 2 b\n23s telegram, verified true\n33s telegram, verified true\n", "2 b", ""},
		{"the last proved endpoint is first", []probe.Endpoint{silent("1 a"), endpoint("2 b", nil, after(1, good))}, probe.Options{ProvedTimeout: minute,
			LastProved: probe.Endpoint{Port: "/dev/ttyUSB0", Line: "2 b"}}, 0, 1, "0s open 2 b\n1s telegram, verified true\n", "2 b", ""},
		{"a proved endpoint that gets silent", []probe.Endpoint{endpoint("2 b", nil, after(1, good)), silent("1 a")}, probe.Options{ProvedTimeout: minute}, 2, 0,
			"0s open 2 b\n1s telegram, verified true\n1m1s nothing: silent\n1m1s open 2 b\n1m2s telegram, verified true\n2m2s nothing: silent\n", "2 b", ""},
		{"a proved endpoint without ProvedTimeout is read for ever", []probe.Endpoint{endpoint("2 b", gone, after(1, good), after(7200, good)), silent("1 a")}, probe.Options{}, 1, 0,
			"0s open 2 b\n1s telegram, verified true\n2h0m1s telegram, verified true\n2h0m1s ended: /dev/ttyUSB0: the port has gone\n", "2 b", "gone"},
		{"a part of a telegram extends the turn by 12 s", []probe.Endpoint{endpoint("2 b", nil, after(11, good[:100]), after(3, good[100:]))}, probe.Options{SinglePass: true, ProvedTimeout: minute}, 0, 1,
			"0s open 2 b\n14s telegram, verified true\n", "2 b", ""},
		{"a damaged telegram", []probe.Endpoint{endpoint("2 b", nil, after(5, damaged))}, probe.Options{SinglePass: true, ProvedTimeout: minute}, 0, 0,
			"0s open 2 b\n5s no reading, intact false\n24s nothing: frames\n", "", ""},
		{"telegrams without a checksum", []probe.Endpoint{endpoint("2 b", nil, after(10, unchecked), after(10, unchecked))}, probe.Options{SinglePass: true, ProvedTimeout: minute}, 0, 1,
			"0s open 2 b\n10s telegram, verified false\n20s telegram, verified true\n", "2 b", ""},
		{"an encrypted telegram in a frame", []probe.Endpoint{endpoint("2 b", gone, after(10, encrypted))}, probe.Options{SinglePass: true, ProvedTimeout: minute}, 0, 0,
			"0s open 2 b\n10s no reading, intact true\n10s ended: /dev/ttyUSB0: the port has gone\n", "2 b", "gone"},
		{"an encrypted message without a frame", []probe.Endpoint{endpoint("2 b", gone, after(10, glo))}, probe.Options{SinglePass: true, ProvedTimeout: minute}, 0, 0,
			"0s open 2 b\n10s no reading, intact true\n10s ended: /dev/ttyUSB0: the port has gone\n", "", "gone"},
		{"two encrypted messages without a frame", []probe.Endpoint{endpoint("2 b", gone, after(10, glo), after(10, glo))}, probe.Options{SinglePass: true, ProvedTimeout: minute}, 0, 0,
			"0s open 2 b\n10s no reading, intact true\n20s no reading, intact true\n20s ended: /dev/ttyUSB0: the port has gone\n", "2 b", "gone"},
		{"the reader closes after a telegram", []probe.Endpoint{endpoint("2 b", io.EOF, after(10, good))}, probe.Options{ProvedTimeout: minute}, 0, 2,
			"0s open 2 b\n10s telegram, verified true\n10s ended: /dev/ttyUSB0: closed by the other side\n10s open 2 b\n20s telegram, verified true\n", "2 b", ""},
		{"the reader closes within a telegram", []probe.Endpoint{endpoint("2 b", io.EOF, after(1, good[:300]))}, probe.Options{SinglePass: true, ProvedTimeout: minute}, 0, 0,
			"0s open 2 b\n1s no reading, intact false\n1s ended: /dev/ttyUSB0: closed within a telegram\n", "", "power supply"},
		{"the reader closes before it sends a byte", []probe.Endpoint{endpoint("2 b", io.EOF)}, probe.Options{SinglePass: true, ProvedTimeout: minute}, 0, 0,
			"0s open 2 b\n0s ended: /dev/ttyUSB0: closed before a byte came\n", "", "stop the other program"},
		{"a port that cannot be opened, in a single pass", []probe.Endpoint{refusing("1 a", errors.New("refused")), silent("2 b")}, probe.Options{SinglePass: true, ProvedTimeout: minute}, 0, 0,
			"0s ended: refused\n", "", "refused"},
		{"a port that cannot be opened, in rounds", []probe.Endpoint{refusing("1 a", errors.New("refused")), endpoint("2 b", nil, after(1, good))}, probe.Options{ProvedTimeout: minute}, 0, 1,
			"0s ended: refused\n0s open 2 b\n1s telegram, verified true\n", "2 b", ""},
		{"no endpoint", nil, probe.Options{SinglePass: true, ProvedTimeout: minute}, 0, 0, "0s ended: no port and no line setting to try\n", "", "to try"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &recorder{began: time.Now(), maxEnds: tt.maxEnds, maxVerified: tt.maxVerified}
				result := probe.Probe(t.Context(), probe.Source{Endpoints: probe.Fixed(tt.endpoints...)}, tt.options, r)
				if got := r.text.String(); got != tt.want {
					t.Errorf("calls of the Handler: got\n%swant\n%s", got, tt.want)
				}
				proved := ""
				if result.Proved != nil {
					proved = result.Proved.Line
				}
				if proved != tt.wantProved {
					t.Errorf("proved endpoint: got %q, want %q", proved, tt.wantProved)
				}
				if (result.Err == nil) != (tt.wantErr == "") || result.Err != nil && !strings.Contains(result.Err.Error(), tt.wantErr) {
					t.Errorf("got error %v, want %q", result.Err, tt.wantErr)
				}
			})
		})
	}
}

// TestUnprovedReaderIsGivenUp checks that the search gives up a reader that closes each connection after a telegram that is not verified.
func TestUnprovedReaderIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		telegram, dials := telegramOf(t, "p1-nl-22"), 0
		value := bytes.IndexByte(telegram, '(')
		start := bytes.LastIndexByte(telegram[:value], '\n') + 1 // of the first line with a value
		end := start + bytes.IndexByte(telegram[start:], '\n') + 1
		e := endpoint("", nil)
		e.Dial = func(context.Context) (io.ReadCloser, error) {
			dials++
			// The line is repeated a different number of times. So no telegram is verified by having the same codes as an earlier telegram.
			b := append(bytes.Clone(telegram[:start]), bytes.Repeat(telegram[start:end], dials%20+1)...)
			return &wire{deliveries: []delivery{{time.Second, append(b, telegram[end:]...)}}, err: io.EOF, closed: make(chan struct{})}, nil
		}
		result := probe.Probe(t.Context(), probe.Source{Endpoints: probe.Fixed(e)}, probe.Options{SinglePass: true, ProvedTimeout: func() time.Duration { return time.Minute }},
			&recorder{began: time.Now()})
		if result.Proved != nil || result.Err != nil || dials > 100 { // the turn has 72 s, and each dial takes a second or more
			t.Errorf("dialled %d times, proved %v, error %v; want at most 100 dials, no proof and no error", dials, result.Proved != nil, result.Err)
		}
	})
}

// TestProbeEnds checks that the end of the context ends a search immediately, in a Read and in a pause between two connections.
func TestProbeEnds(t *testing.T) {
	for name, e := range map[string]probe.Endpoint{"in a Read": endpoint("2 b", nil), "in a pause": refusing("2 b", errors.New("refused"))} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				// No pause and no dwell ends after exactly this time.
				ctx, cancel := context.WithTimeout(t.Context(), 3333*time.Millisecond)
				defer cancel()
				start := time.Now()
				probe.Probe(ctx, probe.Source{Endpoints: probe.Fixed(e)}, probe.Options{}, &recorder{began: start})
				if took := time.Since(start); took != 3333*time.Millisecond {
					t.Errorf("Probe took %v, want 3.333 s, the timeout of the context", took)
				}
			})
		})
	}
}

// TestRecordingIsReadOnce checks that a recording is read to its end, also with long pauses, and that the search ends there.
func TestRecordingIsReadOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{began: time.Now()}
		e := endpoint("", io.EOF, delivery{time.Hour, telegramOf(t, "aidon-se")})
		result := probe.Probe(t.Context(), probe.Source{Recorded: true, Endpoints: probe.Fixed(e)}, probe.Options{ProvedTimeout: func() time.Duration { return time.Minute }}, r)
		if !errors.Is(result.Err, io.EOF) || r.verified != 1 || result.Proved == nil {
			t.Errorf("got error %v after %d telegrams, proved %v; want EOF after 1 telegram, proved", result.Err, r.verified, result.Proved != nil)
		}
	})
}

// TestAdvice checks that no two verdicts have the same advice. The advice must be to set serial to auto if another line setting can help.
func TestAdvice(t *testing.T) {
	seen := map[string]bool{} // by advice
	for v := line.Silent; v <= line.LoginPrompt; v++ {
		got := probe.Advice(v)
		if seen[got] {
			t.Errorf("%v has the advice of another verdict: %q", v, got)
		}
		seen[got] = true
		if strings.Contains(got, "set serial to auto") != v.SuggestsOtherSetting() {
			t.Errorf("%v: got advice %q, want \"set serial to auto\" in it: %v", v, got, v.SuggestsOtherSetting())
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
		t.Errorf("got best finding %s and %d bytes of %d endpoints, want c and 50 bytes of 3 endpoints", best.Line, bytes, len(f))
	}
	if got, want := f.Advice(line.OtherBaud), "at any setting tried"; !strings.Contains(got, want) {
		t.Errorf("several settings: got advice %q, want %q in it", got, want)
	}
	if got, want := f[:1].Advice(line.OtherBaud), probe.Advice(line.OtherBaud); !strings.Contains(got, want) {
		t.Errorf("one setting: got advice %q, want %q in it", got, want)
	}
}
