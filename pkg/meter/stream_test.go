package meter_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A part is one piece of a stream.
type part struct {
	wire string
	good *sentTelegram // nil for noise and damaged telegrams
}

// telegrams draws a good telegram.
func telegrams() *rapid.Generator[sentTelegram] { return rapid.SampledFrom(sentTelegrams()) }

// parts draws a part of a stream. It is most often a good telegram, otherwise noise, or a telegram that is cut or has a flipped bit.
func parts() *rapid.Generator[part] {
	good := rapid.Map(telegrams(), func(k sentTelegram) part { return part{k.wire, &k} })
	raw := rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 60), func(b []byte) part { return part{wire: string(b)} })
	token := rapid.SampledFrom([]string{
		"/", "!", "~", "\r\n", "ABC5", "0", "1-0:1.8.0(", ")", "\xA0", "\xA2\x43\x41\x08\x83\x13", "\xA7\xFF", "\x01", "!12AB", "/ADN9 6534\r\n",
	})
	marks := rapid.Map(rapid.SliceOfN(token, 0, 12), func(s []string) part { return part{wire: strings.Join(s, "")} })
	return rapid.OneOf(good, good, good, raw, marks, cutTelegram(), flippedTelegram())
}

// cutTelegram draws a telegram of which a piece is missing: its beginning, its end, or something between.
func cutTelegram() *rapid.Generator[part] {
	return rapid.Custom(func(t *rapid.T) part {
		wire := telegrams().Draw(t, "cut").wire
		from := rapid.IntRange(0, len(wire)-1).Draw(t, "from")
		to := rapid.OneOf(rapid.Just(len(wire)), rapid.IntRange(from+1, len(wire))).Draw(t, "to")
		if rapid.Bool().Draw(t, "head") {
			from = 0
		}
		left := wire[:from] + wire[to:]
		if len(readings(outcomes(t, strings.NewReader(left)))) > 0 { // the cut removed nothing that matters, or a checksum fits by chance
			left = wire[:len(wire)/2]
		}
		return part{wire: left}
	})
}

// flippedTelegram draws a telegram with one flipped bit.
func flippedTelegram() *rapid.Generator[part] {
	return rapid.Custom(func(t *rapid.T) part {
		b := []byte(telegrams().Draw(t, "flipped").wire)
		b[rapid.IntRange(0, len(b)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		return part{wire: string(b)}
	})
}

// concatenated returns the parts one behind the other, and where each starts. One flag may end a frame and begin the next.
func concatenated(t *rapid.T, parts []part) (stream []byte, starts []int) {
	for i, p := range parts {
		if i > 0 && p.good != nil && p.wire[0] == '~' && parts[i-1].good != nil && parts[i-1].wire[0] == '~' && rapid.Bool().Draw(t, "share") {
			stream = stream[:len(stream)-1]
		}
		starts = append(starts, len(stream))
		stream = append(stream, p.wire...)
	}
	return stream, starts
}

// TestStream tests that in a random stream of telegrams, noise and damaged telegrams each good one is found at its offset. Each Checked reading
// has the content of a telegram that was sent.
func TestStream(t *testing.T) {
	sent := map[string]bool{}
	for _, k := range sentTelegrams() {
		sent[withoutFraming(k.text)] = true
	}
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(parts(), 1, 30).Draw(t, "parts")
		stream, starts := concatenated(t, all)
		got := outcomes(t, bytes.NewReader(stream))
		found := map[int64]string{}
		for _, o := range readings(got) {
			found[o.Offset] = o.Text
			if o.Checked && !sent[withoutFraming(o.Text)] {
				t.Fatalf("byte %d: a reading that was not sent: %s", o.Offset, o.Text)
			}
		}
		for i, p := range all {
			if p.good == nil || !p.good.checked && i > 0 && all[i-1].good == nil {
				continue // without a checksum, a slash in the noise before may begin another telegram
			}
			if diff := cmp.Diff(p.good.text, found[int64(starts[i])]); diff != "" {
				t.Fatalf("%s at byte %d of %q, -sent +found:\n%s", p.good.family, starts[i], stream, diff)
			}
		}
	})
}

// TestChunks tests that the size of the chunks in which the bytes arrive changes neither readings nor errors nor their offsets.
func TestChunks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stream, _ := concatenated(t, rapid.SliceOfN(parts(), 0, 30).Draw(t, "parts"))
		stream = bytes.Repeat(stream, rapid.IntRange(1, 6).Draw(t, "times")) // sometimes more than the buffer holds
		want := outcomes(t, bytes.NewReader(stream))
		sizes := rapid.SliceOfN(rapid.IntRange(1, 900), 1, 5).Draw(t, "sizes")
		if diff := cmp.Diff(want, outcomes(t, &chunked{r: bytes.NewReader(stream), sizes: sizes})); diff != "" {
			t.Fatalf("in chunks of %v, -whole +got:\n%s", sizes, diff)
		}
		if diff := cmp.Diff(want, outcomes(t, iotest.OneByteReader(bytes.NewReader(stream)))); diff != "" {
			t.Fatalf("byte by byte, -whole +got:\n%s", diff)
		}
		if diff := cmp.Diff(want, outcomes(t, iotest.DataErrReader(bytes.NewReader(stream)))); diff != "" {
			t.Fatalf("with the end beside the last bytes, -whole +got:\n%s", diff)
		}
	})
}

// TestManyTelegrams tests that in a stream that is longer than the buffer, each telegram has its right offset.
func TestManyTelegrams(t *testing.T) {
	var stream []byte
	var want []outcome
	for range 3 {
		for _, k := range sentTelegrams() {
			want = append(want, outcome{Offset: int64(len(stream)), Bytes: len(k.wire), Good: true, Checked: k.checked, Text: k.text})
			stream = append(stream, k.wire...)
		}
	}
	if diff := cmp.Diff(want, outcomes(t, bytes.NewReader(stream))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
