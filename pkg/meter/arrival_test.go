package meter_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/pkg/meter"
)

// A timedReader is a meter.TimedReader. Each read returns bytes of one piece.
type timedReader struct{ pieces []timedPiece }

// A timedPiece are bytes that arrive at the same time.
type timedPiece struct {
	bytes   string
	arrival meter.Arrival
}

func (r *timedReader) ReadTimed(p []byte) (int, meter.Arrival, error) {
	if len(r.pieces) == 0 {
		return 0, meter.Arrival{}, io.EOF
	}
	piece := &r.pieces[0]
	n, arrival := copy(p, piece.bytes), piece.arrival
	if piece.bytes, piece.arrival.Waited = piece.bytes[n:], 0; piece.bytes == "" {
		r.pieces = r.pieces[1:]
	}
	return n, arrival, nil
}

func (*timedReader) Read([]byte) (int, error) {
	return 0, errors.New("the Decoder did not call ReadTimed")
}

// inSeconds returns a reader whose first piece arrives 1 s after start, the second 2 s after start, and so on.
func inSeconds(start time.Time, pieces ...string) *timedReader {
	r := &timedReader{}
	for i, piece := range pieces {
		r.pieces = append(r.pieces, timedPiece{piece, meter.Arrival{Time: start.Add(time.Duration(i+1) * time.Second)}})
	}
	return r
}

// received returns Received of all readings and errors of d, in seconds since start. "!" is before the seconds of an error.
func received(t *testing.T, d *meter.Decoder, start time.Time) string {
	t.Helper()
	var out []string
	for {
		r, err := d.Next()
		e, isTelegramErr := errors.AsType[*meter.TelegramError](err)
		switch {
		case isTelegramErr:
			out = append(out, fmt.Sprint("!", e.Received.Sub(start).Seconds()))
		case errors.Is(err, io.EOF):
			return strings.Join(out, " ")
		case err != nil:
			t.Fatal(err)
		default:
			out = append(out, fmt.Sprint(r.Received.Sub(start).Seconds()))
		}
	}
}

// TestReceived tests that Received is when the last byte of a telegram arrived. The pieces of each stream arrive after 1 s, 2 s and so on.
func TestReceived(t *testing.T) {
	telegram, _ := twoTelegrams(t, "aidon-no2")
	ascii, _ := twoTelegrams(t, "p1-se-aidon")
	a, p, half := telegram.bytes, ascii.bytes, len(telegram.bytes)/2
	first, _, _ := messages(t)
	parts, blocks := hdlcSegments(first.apdu, 4), hdlcBlocks(first.apdu, 4)
	damaged := a[:half] + "\x55\x55" + a[half+2:]
	truncated := aidonFrame(strings.Repeat("x", len(p)*5/2), false)[:40] // the Decoder waits until as many bytes as in the whole frame have arrived
	for _, tt := range []struct {
		name   string
		pieces []string
		want   string
	}{
		{"a telegram in one piece", []string{a}, "1"},
		{"two telegrams in one piece", []string{a + p, a}, "1 1 2"},
		{"a telegram in two pieces", []string{a[:half], a[half:]}, "2"},
		{"a telegram in 20 pieces", slices.Concat(strings.Split(a[:19], ""), []string{a[19:]}), "20"},
		{"pieces that begin within telegrams", []string{a[:half], a[half:] + a + a[:half], a[half:]}, "2 2 3"},
		{"a damaged telegram", []string{damaged[:half], damaged[half:], a}, "!2 3"},
		{"segments", []string{parts[0], parts[1], parts[2], parts[3]}, "4"},
		{"blocks", []string{blocks[0], blocks[1], blocks[2] + blocks[3]}, "3"},
		{"segments without the last", []string{parts[0], parts[1], parts[2], a}, "!3 4"},
		{"blocks without the last", []string{blocks[0], blocks[1], blocks[2], a}, "!3 4"},
		{"telegrams after a truncated frame", []string{truncated, p, p, p + a}, "!4 2 3 4 4"},
	} {
		start := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
		if got := received(t, newDecoder(inSeconds(start, tt.pieces...)), start); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestReceivedInManyPieces tests that Received is right if a truncated frame makes the Decoder read many pieces before it decodes the telegrams in
// them. The bytes of a telegram arrive 1 ms after each other, and there are 10 s between two telegrams.
func TestReceivedInManyPieces(t *testing.T) {
	ascii, _ := twoTelegrams(t, "p1-se-aidon")
	truncated := aidonFrame(strings.Repeat("x", len(ascii.bytes)*5/2), false)[:40]
	start := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	reader, now, ends := inSeconds(start, truncated), start, []string{}
	for range 4 {
		now = now.Add(10 * time.Second)
		for _, b := range []byte(ascii.bytes) {
			now = now.Add(time.Millisecond)
			reader.pieces = append(reader.pieces, timedPiece{string(b), meter.Arrival{Time: now}})
		}
		ends = append(ends, fmt.Sprint(now.Sub(start).Seconds()))
	}
	got := strings.Fields(received(t, newDecoder(reader), start))
	if len(got) != 5 || !slices.Equal(got[1:], ends) {
		t.Errorf("got an error and readings at %q; want readings at %q", got, ends)
	}
}

// TestReceivedByFamily tests Received with telegrams of each family, in pieces of one size. The bytes of each piece arrive as many seconds after
// start as the offset of its end says.
func TestReceivedByFamily(t *testing.T) {
	start := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for _, s := range sentTelegrams() {
		stream := s.bytes + s.bytes
		for _, size := range []int{1, 2, 7, 64, 500} {
			reader, want := &timedReader{}, []string{}
			for at := 0; at < len(stream); at += size {
				end := min(at+size, len(stream))
				reader.pieces = append(reader.pieces, timedPiece{stream[at:end], meter.Arrival{Time: start.Add(time.Duration(end) * time.Second)}})
			}
			for _, o := range outcomes(t, strings.NewReader(stream)) {
				end := int(o.Offset) + o.Bytes
				want = append(want, map[bool]string{false: "!"}[o.Good]+fmt.Sprint(min((end+size-1)/size*size, len(stream))))
			}
			if got := received(t, newDecoder(reader), start); got != strings.Join(want, " ") {
				t.Fatalf("%s in pieces of %d bytes: got %s, want %s", s.family, size, got, want)
			}
		}
	}
}

// TestReceivedUnknown tests that Received is zero if the reader gives no times.
func TestReceivedUnknown(t *testing.T) {
	a, _ := twoTelegrams(t, "aidon-no2")
	r, err := newDecoder(strings.NewReader(a.bytes)).Next()
	if err != nil || !r.Received.IsZero() {
		t.Errorf("got a reading received at %v, error %v; want the zero time and no error", r.Received, err)
	}
}
