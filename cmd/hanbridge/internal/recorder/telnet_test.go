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

// telnetRecording returns telegrams of a simulated meter as a gateway in telnet mode sends them.
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

// TestCaptureTelnet tests that a capture contains the bytes of a telnet gateway unchanged, and that a message names telnet mode.
func TestCaptureTelnet(t *testing.T) {
	b := telnetRecording(t, "aidon-se", 3)
	messages, content, l, err := runCapture(t, time.Minute, 3, endpointOf("", func() io.ReadCloser { return io.NopCloser(bytes.NewReader(b)) }))
	if err != nil || l.good != 3 || !strings.Contains(messages, line.Telnet.Advice()) {
		t.Errorf("got %d telegrams, error %v, want 3 telegrams and the advice about telnet:\n%s", l.good, err, messages)
	}
	if got, err := io.ReadAll(capture.NewBytesReader(strings.NewReader(content))); err != nil || !bytes.Equal(got, b) {
		t.Errorf("the capture: got %d bytes, error %v, want the %d bytes that arrived", len(got), err, len(b))
	}
}

// TestCaptureClosing tests the capture of a reader that closes each connection after a telegram. The capture ends when the count is reached,
// or when the reader cannot be reached again.
func TestCaptureClosing(t *testing.T) {
	f, _ := simulate.Named("aidon-se")
	for _, tt := range []struct {
		name            string
		connections     int // how often the reader accepts a connection
		count           int // the capture ends after this number of telegrams
		wantTelegrams   int
		closedMessages  int // "closed by the other side"
		readingMessages int // "reading …": only the first connection has a message
	}{
		{name: "the count is reached", connections: 9, count: 3, wantTelegrams: 3, closedMessages: 0, readingMessages: 1},
		{name: "not reachable after one connection", connections: 1, count: 3, wantTelegrams: 1, closedMessages: 1, readingMessages: 1},
		{name: "not reachable after four connections", connections: 4, count: 9, wantTelegrams: 4, closedMessages: 1, readingMessages: 1},
	} {
		m := simulate.NewMeter(f, 3, time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
		dialCount := 0
		e := probe.Endpoint{Port: "tcp://192.0.2.1:8088", Dial: func(context.Context) (io.ReadCloser, error) {
			if dialCount++; dialCount > tt.connections {
				return nil, errNoPort
			}
			_, b := m.Next()
			return io.NopCloser(bytes.NewReader(bytes.Clone(b))), nil
		}}
		messages, content, l, err := runCapture(t, time.Minute, tt.count, e)
		gotClosed, gotReading := strings.Count(messages, "closed by the other side"), strings.Count(messages, "reading")
		if err != nil || l.good != tt.wantTelegrams || gotClosed != tt.closedMessages || gotReading != tt.readingMessages {
			t.Errorf("%s: got %d telegrams, error %v, want %d telegrams, %d messages about closing, %d about reading:\n%s",
				tt.name, l.good, err, tt.wantTelegrams, tt.closedMessages, tt.readingMessages, messages)
		}
		if got := strings.Count(content, "# hanbridge capture"); got != 1 {
			t.Errorf("%s: got %d header lines, want 1:\n%s", tt.name, got, content)
		}
	}
}

// telnet returns a telegram as a gateway in telnet mode sends it: after a negotiation, and with each FF doubled.
func telnet(b []byte) []byte {
	return append([]byte("\xFF\xFB\x03\xFF\xFD\x03"), bytes.ReplaceAll(b, []byte{0xFF}, []byte{0xFF, 0xFF})...)
}
