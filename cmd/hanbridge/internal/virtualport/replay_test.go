package virtualport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/pkg/capture"
)

// TestReplayPace tests that a recorded wire waits between records for the recorded time, divided by the speed.
func TestReplayPace(t *testing.T) {
	// The third record is 10 s after the second, in another time zone. The fourth is earlier than the third, and does not wait.
	const text = capture.FirstLinePrefix + `
2026-11-22T10:15:20.125+01:00 7e
2026-11-22T10:15:20.375+01:00 a243
2026-11-22T09:15:30.375Z 41
2026-11-22T10:15:29.000+01:00 08
`
	// wantTimes are the times of the four reads after the start.
	for speed, wantTimes := range map[int][]time.Duration{
		0: {0, 0, 0, 0}, 1: {0, 250 * time.Millisecond, 10250 * time.Millisecond, 10250 * time.Millisecond},
		10: {0, 25 * time.Millisecond, 1025 * time.Millisecond, 1025 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			wire := NewRecordedWire(strings.NewReader(text), speed)
			start, gotTimes, content := time.Now(), []time.Duration{}, ""
			for buf := make([]byte, 10); ; {
				n, err := wire.Read(buf)
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				gotTimes, content = append(gotTimes, time.Since(start)), content+string(buf[:n])
			}
			if diff := cmp.Diff(wantTimes, gotTimes); diff != "" || content != "\x7e\xa2\x43\x41\x08" {
				t.Errorf("speed %d: got content %x, want 7ea2434108; times after the start (-want +got):\n%s", speed, content, diff)
			}
		})
	}
}

// TestReplayIsStopped tests that the end of the context stops a replay that waits for the next record.
func TestReplayIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const text = "2026-11-22T10:15:20.125Z 7e\n2026-11-23T10:15:20.125Z a2\n"
		s := sender{wire: NewRecordedWire(strings.NewReader(text), 1)}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var got bytes.Buffer
		start := time.Now()
		if err := s.write(ctx, &got); err != nil || got.String() != "\x7e" || time.Since(start) != time.Second {
			t.Errorf("got bytes %x and error %v after %v, want 7e and no error after 1 s", got.Bytes(), err, time.Since(start))
		}
	})
}
