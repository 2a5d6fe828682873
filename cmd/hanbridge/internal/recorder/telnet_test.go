package recorder

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/pkg/capture"
	"github.com/hanbridge/hanbridge/pkg/line"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// telnetRecording returns telegrams as a gateway in telnet mode sends them.
func telnetRecording(t *testing.T, family string, telegrams int) (b []byte) {
	t.Helper()
	f, ok := simulate.Named(family)
	if !ok {
		t.Fatal("no family " + family)
	}
	m := simulate.NewMeter(f, 3, time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
	for range telegrams {
		_, telegram := m.Next()
		b = append(b, telnet(telegram)...)
	}
	return b
}

// TestCaptureTelnet tests that a capture holds the bytes unchanged, and that a message names telnet mode.
func TestCaptureTelnet(t *testing.T) {
	b := telnetRecording(t, "aidon-se", 3)
	messages, content, l, err := runCapture(t, time.Minute, 3, endpointOf("", func() io.ReadCloser { return io.NopCloser(bytes.NewReader(b)) }))
	if err != nil || l.good != 3 || !strings.Contains(messages, line.Telnet.Advice()) {
		t.Errorf("got %d telegrams, %v, want 3, and the telnet advice:\n%s", l.good, err, messages)
	}
	if got, err := io.ReadAll(capture.NewBytesReader(strings.NewReader(content))); err != nil || !bytes.Equal(got, b) {
		t.Errorf("the capture contains %d bytes, %v, want the %d that arrived", len(got), err, len(b))
	}
}

// TestCaptureClosing tests the capture of a reader that closes each connection after a telegram: it ends with the count, or when the reader
// cannot be reached again.
func TestCaptureClosing(t *testing.T) {
	f, _ := simulate.Named("aidon-se")
	for _, tt := range []struct {
		name            string
		connections     int // how often the reader can be reached
		count, want     int
		closed, reading int // messages about a closed connection, and about reading
	}{
		{"the count is reached", 9, 3, 3, 0, 1},
		{"not reachable after one connection", 1, 3, 1, 1, 1},
		{"not reachable after four connections", 4, 9, 4, 1, 1},
	} {
		m, dials := simulate.NewMeter(f, 3, time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)), 0
		c := probe.Endpoint{Port: "tcp://192.0.2.1:8088", Dial: func(context.Context) (io.ReadCloser, error) {
			if dials++; dials > tt.connections {
				return nil, errNoPort
			}
			_, b := m.Next()
			return io.NopCloser(bytes.NewReader(bytes.Clone(b))), nil
		}}
		messages, content, l, err := runCapture(t, time.Minute, tt.count, c)
		if err != nil || l.good != tt.want || strings.Count(messages, "closed by the other side") != tt.closed || strings.Count(messages, "reading") != tt.reading {
			t.Errorf("%s: %d telegrams, %v, want %d:\n%s", tt.name, l.good, err, tt.want, messages)
		}
		if got := strings.Count(content, "# hanbridge capture"); got != 1 {
			t.Errorf("%s: got %d first lines, want one:\n%s", tt.name, got, content)
		}
	}
}

// telnet returns a telegram as a gateway in telnet mode sends it: after a negotiation, and with each FF doubled.
func telnet(b []byte) []byte {
	return append([]byte("\xFF\xFB\x03\xFF\xFD\x03"), bytes.ReplaceAll(b, []byte{0xFF}, []byte{0xFF, 0xFF})...)
}
