package recorder

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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

// noise returns a wire on which a byte that belongs to no telegram arrives every 700 ms.
func noise() io.ReadCloser { return repeatedBytes(700*time.Millisecond, "\x5A") }

// endpointOf returns an endpoint with a line setting. Its wire is the result of open.
func endpointOf(line string, open func() io.ReadCloser) probe.Endpoint {
	return probe.Endpoint{Port: "/dev/ttyTEST", Line: line, Dial: func(context.Context) (io.ReadCloser, error) { return open(), nil }}
}

// meterWire returns a wire on which the telegrams of a simulated meter arrive.
func meterWire() io.ReadCloser {
	f, _ := simulate.Named("aidon-se")
	return virtualport.NewSimulatedWire(simulate.NewMeter(f, 1, time.Now()), 1)
}

// errNoPort is the error of a source without endpoints.
var errNoPort = errors.New("no serial port found")

// runCapture captures from the endpoints for the time d. If count is not 0, the capture ends after count intact telegrams. It returns the
// messages, the content of the file, the listener and the error of the capture.
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

// TestCaptureTriesLineSettings tests that a capture tries each line setting for 12 s, and stays at the first setting that gives a telegram.
// The file contains the bytes of all settings with the times of their arrival.
func TestCaptureTriesLineSettings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		messages, content, l, err := runCapture(t, 65*time.Second, 0,
			endpointOf("115200 8N1", noise),
			endpointOf("2400 8E1", meterWire),
		)
		if err != nil || l.good != 6 || l.damaged != 0 {
			t.Fatalf("telegrams: got %d good, %d damaged, error %v, want 6 good:\n%s", l.good, l.damaged, err, messages)
		}
		const want = "reading /dev/ttyTEST at 115200 8N1; Ctrl-C ends it\n" +
			"no telegram from /dev/ttyTEST at 115200 8N1 in 12s; next: /dev/ttyTEST at 2400 8E1\n" +
			"reading /dev/ttyTEST at 2400 8E1; Ctrl-C ends it\n" +
			// 17 bytes of noise, and 6 telegrams of 581 bytes
			"FILE: 3503 bytes; telegrams: 6 good, 0 damaged\n"
		if diff := cmp.Diff(want, messages); diff != "" {
			t.Errorf("messages (-want +got):\n%s", diff)
		}
		lines := strings.SplitAfter(content, "\n")
		// The comments are the first line of the capture and a line for each setting. In 12 s, 17 bytes of noise arrive, one every 700 ms.
		// After the last line end, SplitAfter returns an empty string.
		if len(lines) != 3+17+6+1 || lines[1] != "# line 115200 8N1\n" || lines[2+17] != "# line 2400 8E1\n" {
			t.Fatalf("got %d lines, want 3 comments, 17 reads of noise and 6 telegrams:\n%.500s", len(lines)-1, content)
		}
		if want := start.Add(700*time.Millisecond).Format("2006-01-02T15:04:05.000Z07:00") + " 5a\n"; lines[2] != want {
			t.Errorf("first read: got %q, want %q", lines[2], want)
		}
	})
}

// TestCaptureEnds tests when a capture ends, with which exit code, and with how many telegrams.
func TestCaptureEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const (
			maxTime       = 95 * time.Second // the limit of each capture
			telegramBytes = 581              // length of a telegram of meterWire
		)
		errGone := errors.New("the port has gone")
		meter := endpointOf("2400 8E1", meterWire)
		silent := endpointOf("115200 8N1", silence)
		for _, tt := range []struct {
			name      string
			endpoints []probe.Endpoint
			count     int           // number of telegrams after which the capture ends; 0 for no limit
			wantTime  time.Duration // after which the capture ends
			wantGood  int           // telegrams with a reading
			wantCode  int           // exit code
			wantErr   string        // part of the error
		}{
			{
				name: "the count is reached", endpoints: []probe.Endpoint{meter}, count: 3,
				wantTime: 20 * time.Second, wantGood: 3, wantCode: cli.ExitOK,
			},
			{
				name: "the time is over", endpoints: []probe.Endpoint{meter},
				wantTime: maxTime, wantGood: 10, wantCode: cli.ExitOK,
			},
			{
				name: "the time is over, without a byte", endpoints: []probe.Endpoint{silent, silent},
				wantTime: maxTime, wantCode: cli.ExitData, wantErr: "not activated",
			},
			{
				name: "the time is over, without a telegram", endpoints: []probe.Endpoint{endpointOf("2400 8E1", noise)},
				wantTime: maxTime, wantCode: cli.ExitData, wantErr: "no meter sends such bytes",
			},
			{
				name: "the cable is pulled after two telegrams",
				endpoints: []probe.Endpoint{endpointOf("", func() io.ReadCloser {
					return io.NopCloser(io.MultiReader(io.LimitReader(meterWire(), 2*telegramBytes), errReader{errGone}))
				})},
				wantTime: 11 * time.Second, wantGood: 2, wantCode: cli.ExitData, wantErr: "/dev/ttyTEST: the port has gone",
			},
		} {
			start := time.Now()
			messages, _, l, err := runCapture(t, maxTime, tt.count, tt.endpoints...)
			code, _ := cli.ExitCode(err)
			if code != tt.wantCode || !strings.Contains(fmt.Sprint(err), tt.wantErr) || l.good != tt.wantGood {
				t.Errorf("%s: got %d telegrams, exit code %d, error %v, want %d, %d, %q\n%s",
					tt.name, l.good, code, err, tt.wantGood, tt.wantCode, tt.wantErr, messages)
			}
			if took := time.Since(start); took > tt.wantTime+10*time.Second { // the first telegram arrives within 10 s
				t.Errorf("%s: the capture took %v, want about %v", tt.name, took, tt.wantTime)
			}
		}
	})
}

// errReader returns an error from each Read.
type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

// TestCaptureWithoutPort tests that a capture without a usable port returns the error of the port, and creates no file.
func TestCaptureWithoutPort(t *testing.T) {
	errDenied := errors.New("open /dev/ttyTEST: permission denied")
	denied := probe.Endpoint{Port: "/dev/ttyTEST", Dial: func(context.Context) (io.ReadCloser, error) { return nil, errDenied }}
	for _, endpoints := range [][]probe.Endpoint{{denied}, {denied, denied}} {
		_, content, l, err := runCapture(t, time.Minute, 0, endpoints...)
		if _, statErr := os.Stat(l.out.name); !errors.Is(err, errDenied) || content != "" || statErr == nil {
			t.Errorf("%d endpoints: got error %v, file %q (missing: %v), want %v and no file", len(endpoints), err, content, statErr != nil, errDenied)
		}
	}
	if _, _, _, err := runCapture(t, time.Minute, 0); !errors.Is(err, errNoPort) {
		t.Errorf("no endpoint: got error %v, want %v", err, errNoPort)
	}
}

// TestCaptureDials tests the exit code of a capture whose port cannot be opened.
func TestCaptureDials(t *testing.T) {
	errRefused := errors.New("connection refused")
	stopped, stop := context.WithCancel(t.Context())
	stop()
	expired, end := context.WithDeadline(t.Context(), time.Now())
	defer end()
	for _, tt := range []struct {
		name     string
		ctx      context.Context
		recorded bool // the source is a file
		wantCode int
	}{
		{"the connection is refused", t.Context(), false, cli.ExitData},
		{"the user stops the capture", stopped, false, cli.ExitOK},
		{"the time is over", expired, false, cli.ExitData},
		{"a recording cannot be opened", t.Context(), true, cli.ExitUsage},
	} {
		l := &listener{out: &captureFile{name: "house.txt", messages: io.Discard, w: io.Discard}}
		dial := func(context.Context) (io.ReadCloser, error) { return nil, errRefused }
		err := l.report(l.listen(tt.ctx, probe.Source{Recorded: tt.recorded, Endpoints: probe.Fixed(probe.Endpoint{Port: "tcp://reader:1", Dial: dial})}))
		if got, _ := cli.ExitCode(err); got != tt.wantCode {
			t.Errorf("%s: got exit code %d, error %v, want %d", tt.name, got, err, tt.wantCode)
		}
	}
}

// TestCaptureInvertedLine tests that a capture recognises an inverted signal, although the bytes show the inversion at only one line setting.
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
			t.Errorf("best verdict: got %v, want %v", best.Verdict, line.Inverted)
		}
	})
}

// TestCaptureIntact tests that an intact telegram without a reading counts in a capture, but not in an anonymised capture.
func TestCaptureIntact(t *testing.T) {
	captured := &listener{good: 2, unreadable: 1, damaged: 1}
	if got := captured.intact(); got != 3 {
		t.Errorf("capture: got %d intact telegrams, want 3", got)
	}
	anonymised := &listener{good: 2, unreadable: 1, damaged: 1, mask: &maskCounts{}}
	if got := anonymised.intact(); got != 2 {
		t.Errorf("anonymised capture: got %d intact telegrams, want 2", got)
	}
}

// fullDisk is a writer whose Write returns errFull.
type fullDisk struct{}

var errFull = errors.New("no space left on device")

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

// TestCaptureDiskFull tests that a capture ends with the error of its file.
func TestCaptureDiskFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &listener{out: &captureFile{name: "house.txt", messages: io.Discard, w: fullDisk{}}}
		wire := endpointOf("2400 8E1", meterWire)
		if err := l.report(l.listen(t.Context(), probe.Source{Endpoints: probe.Fixed(wire, wire)})); !errors.Is(err, errFull) {
			t.Errorf("got error %v, want %v", err, errFull)
		}
	})
}
