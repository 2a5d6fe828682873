package recorder

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/bridge/source"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/virtualport"
	"github.com/hanbridge/hanbridge/pkg/line"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// noise returns a wire on which single bytes arrive that belong to no telegram.
func noise() io.ReadCloser { return repeatedBytes(700*time.Millisecond, "\x5A") }

// endpointOf returns an endpoint with a line setting, whose bytes open returns.
func endpointOf(line string, open func() io.ReadCloser) probe.Endpoint {
	return probe.Endpoint{Port: "/dev/ttyTEST", Line: line, Dial: func(context.Context) (io.ReadCloser, error) { return open(), nil }}
}

// meterWire returns a wire on which the telegrams of a simulated meter arrive.
func meterWire() io.ReadCloser {
	f, _ := simulate.Named("aidon-se")
	return virtualport.NewSimulatedWire(simulate.NewMeter(f, 1, time.Now()), 1)
}

var errNoPort = errors.New("no serial port found")

// runCapture captures from the endpoints for the time d, or until count telegrams are intact if count is not 0. It returns the messages
// and the content of the file.
func runCapture(t *testing.T, d time.Duration, count int, endpoints ...probe.Endpoint) (messages, content string, l *listener, err error) {
	t.Helper()
	var stderr bytes.Buffer
	name := filepath.Join(t.TempDir(), "house.txt")
	out := &captureFile{name: name, messages: &stderr}
	defer out.close()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	l = &listener{count: count, out: out}
	err = l.report(l.listen(ctx, probe.Source{Endpoints: func() ([]probe.Endpoint, error) {
		if len(endpoints) == 0 {
			return nil, errNoPort
		}
		return endpoints, nil
	}}))
	b, _ := os.ReadFile(name) // empty if nothing was written
	return strings.ReplaceAll(stderr.String(), name, "FILE"), string(b), l, err
}

// TestCaptureTriesLineSettings tests that each line setting is tried for 12 s and the first one that gives a telegram stays. The file
// contains all bytes with their times of arrival.
func TestCaptureTriesLineSettings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		messages, content, l, err := runCapture(t, 65*time.Second, 0,
			endpointOf("115200 8N1", noise),
			endpointOf("2400 8E1", meterWire),
		)
		if err != nil || l.good != 6 || l.bad != 0 {
			t.Fatalf("got %d good, %d damaged, %v, want 6 good ones:\n%s", l.good, l.bad, err, messages)
		}
		const want = "reading /dev/ttyTEST at 115200 8N1; Ctrl-C ends it\n" +
			"no telegram from /dev/ttyTEST at 115200 8N1 in 12s; next: /dev/ttyTEST at 2400 8E1\n" +
			"reading /dev/ttyTEST at 2400 8E1; Ctrl-C ends it\n" +
			"FILE: 3503 bytes; telegrams: 6 good, 0 damaged\n"
		if diff := cmp.Diff(want, messages); diff != "" {
			t.Errorf("messages (-want +got):\n%s", diff)
		}
		lines := strings.SplitAfter(content, "\n")
		if len(lines) != 3+17+6+1 || lines[1] != "# line 115200 8N1\n" || lines[19] != "# line 2400 8E1\n" {
			t.Fatalf("got %d lines, want 3 comments, 17 reads of noise and 6 telegrams:\n%.500s", len(lines)-1, content)
		}
		if want := start.Add(700*time.Millisecond).Format("2006-01-02T15:04:05.000Z07:00") + " 5a\n"; lines[2] != want {
			t.Errorf("first read: got %q, want %q", lines[2], want)
		}
	})
}

// TestCaptureEnds tests what ends a capture, and the exit code and the number of telegrams then.
func TestCaptureEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errGone := errors.New("the port has gone")
		meter := endpointOf("2400 8E1", meterWire)
		silent := endpointOf("115200 8N1", silence)
		for _, tt := range []struct {
			name      string
			endpoints []probe.Endpoint
			count     int
			wantTook  time.Duration
			good      int
			code      int
			reason    string
		}{
			{"count", []probe.Endpoint{meter}, 3, 20 * time.Second, 3, cli.ExitOK, ""},
			{"time", []probe.Endpoint{meter}, 0, 95 * time.Second, 10, cli.ExitOK, ""},
			{"silence", []probe.Endpoint{silent, silent}, 0, 95 * time.Second, 0, cli.ExitData, "not activated"},
			{"noise", []probe.Endpoint{endpointOf("2400 8E1", noise)}, 0, 95 * time.Second, 0, cli.ExitData, "like nothing that a meter sends"},
			{"a pulled cable", []probe.Endpoint{endpointOf("", func() io.ReadCloser {
				return io.NopCloser(io.MultiReader(io.LimitReader(meterWire(), 2*581), errReader{errGone}))
			})}, 0, 11 * time.Second, 2, cli.ExitData, "/dev/ttyTEST: the port has gone"},
		} {
			start := time.Now()
			messages, _, l, err := runCapture(t, 95*time.Second, tt.count, tt.endpoints...)
			code, _ := cli.ExitCode(err)
			reason := ""
			if err != nil {
				reason = err.Error()
			}
			if code != tt.code || !strings.Contains(reason, tt.reason) || l.good != tt.good {
				t.Errorf("%s: got %d good, code %d, %q, want %d, %d, %q\n%s", tt.name, l.good, code, reason, tt.good, tt.code, tt.reason, messages)
			}
			if took := time.Since(start); took > tt.wantTook+10*time.Second {
				t.Errorf("%s: took %v, want about %v", tt.name, took, tt.wantTook)
			}
		}
	})
}

// An errReader returns an error from each Read.
type errReader struct{ err error }

func (b errReader) Read([]byte) (int, error) { return 0, b.err }

// TestCaptureWithoutPort tests that the error of the last port is returned, and that no empty file is left.
func TestCaptureWithoutPort(t *testing.T) {
	errDenied := errors.New("open /dev/ttyTEST: permission denied")
	denied := probe.Endpoint{Port: "/dev/ttyTEST", Dial: func(context.Context) (io.ReadCloser, error) { return nil, errDenied }}
	for _, endpoints := range [][]probe.Endpoint{{denied}, {denied, denied}} {
		_, content, l, err := runCapture(t, time.Minute, 0, endpoints...)
		if _, statErr := os.Stat(l.out.name); !errors.Is(err, errDenied) || content != "" || statErr == nil {
			t.Errorf("%d ports: got %v, %q", len(endpoints), err, content)
		}
	}
	if _, _, _, err := runCapture(t, time.Minute, 0); !errors.Is(err, errNoPort) {
		t.Errorf("no port: got %v", err)
	}
}

// TestCaptureDials tests that a port that cannot be opened gives ExitData, and that ending the capture meanwhile is no error.
func TestCaptureDials(t *testing.T) {
	errRefused := errors.New("connection refused")
	stopped, stop := context.WithCancel(t.Context())
	stop()
	expired, end := context.WithDeadline(t.Context(), time.Now())
	defer end()
	for _, tt := range []struct {
		name     string
		ctx      context.Context
		recorded bool
		code     int
	}{
		{"refused", t.Context(), false, cli.ExitData},
		{"stopped", stopped, false, cli.ExitOK},
		{"time is over", expired, false, cli.ExitData},
		{"no such recording", t.Context(), true, cli.ExitUsage},
	} {
		l := &listener{out: &captureFile{name: "house.txt", messages: io.Discard, w: io.Discard}}
		dial := func(context.Context) (io.ReadCloser, error) { return nil, errRefused }
		err := l.report(l.listen(tt.ctx, probe.Source{Recorded: tt.recorded, Endpoints: probe.Fixed(probe.Endpoint{Port: "tcp://reader:1", Dial: dial})}))
		if got, _ := cli.ExitCode(err); got != tt.code {
			t.Errorf("%s: got code %d, %v, want %d", tt.name, got, err, tt.code)
		}
	}
}

// TestCaptureInvertedLine tests that an inverted line is recognised, although only one line setting shows it.
func TestCaptureInvertedLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, ok := simulate.Named("iskra-si-celje-1p")
		if !ok {
			t.Fatal("no such family")
		}
		var endpoints []probe.Endpoint
		for _, l := range source.UsualLines {
			endpoints = append(endpoints, endpointOf(l.String(), func() io.ReadCloser { return invertedWire(f, l) }))
		}
		_, _, l, _ := runCapture(t, 10*time.Minute, 0, endpoints...)
		if best, _ := l.findings.Best(); best.Verdict != line.Inverted {
			t.Errorf("got %v, want %v", best.Verdict, line.Inverted)
		}
	})
}

// TestCaptureCounts tests that a telegram that no key decrypts counts as intact in a capture, but not in an anonymised one.
func TestCaptureCounts(t *testing.T) {
	for _, tt := range []struct {
		mask *maskCounts
		want int
	}{{nil, 3}, {&maskCounts{}, 2}} {
		if l := (&listener{good: 2, unreadable: 1, bad: 1, mask: tt.mask}); l.counted() != tt.want {
			t.Errorf("masked %v: got %d, want %d", tt.mask != nil, l.counted(), tt.want)
		}
	}
}

// fullDisk is a writer to a full disk.
type fullDisk struct{}

var errFull = errors.New("no space left on device")

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

// TestCaptureDiskFull tests that a capture ends if its file cannot be written.
func TestCaptureDiskFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &listener{out: &captureFile{name: "house.txt", messages: io.Discard, w: fullDisk{}}}
		wire := endpointOf("2400 8E1", meterWire)
		if err := l.report(l.listen(t.Context(), probe.Source{Endpoints: probe.Fixed(wire, wire)})); !errors.Is(err, errFull) {
			t.Errorf("got %v, want %v", err, errFull)
		}
	})
}
