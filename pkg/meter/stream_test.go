package meter_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A part is one part of a stream.
type part struct {
	bytes string
	sent  *sentTelegram // the intact telegram of which these are the bytes; nil for noise and damaged telegrams
}

// isFrame reports whether p is an intact telegram in HDLC.
func (p *part) isFrame() bool { return p.sent != nil && p.bytes[0] == '~' }

// telegrams returns a generator of intact telegrams.
func telegrams() *rapid.Generator[sentTelegram] { return rapid.SampledFrom(sentTelegrams()) }

// parts returns a generator of parts: most often an intact telegram, otherwise noise, or a telegram with missing bytes or a flipped bit.
func parts() *rapid.Generator[part] {
	intact := rapid.Map(telegrams(), func(s sentTelegram) part { return part{s.bytes, &s} })
	raw := rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 60), func(b []byte) part { return part{bytes: string(b)} })
	// Beginnings and other short parts of telegrams.
	token := rapid.SampledFrom([]string{
		"/", "!", "~", "\r\n", "ABC5", "0", "1-0:1.8.0(", ")", "\xA0", "\xA2\x43\x41\x08\x83\x13", "\xA7\xFF", "\x01", "!12AB", "/ADN9 6534\r\n",
	})
	tokens := rapid.Map(rapid.SliceOfN(token, 0, 12), func(s []string) part { return part{bytes: strings.Join(s, "")} })
	return rapid.OneOf(intact, intact, intact, raw, tokens, partialTelegram(), flippedTelegram())
}

// partialTelegram returns a generator of telegrams without their first, middle or last bytes.
func partialTelegram() *rapid.Generator[part] {
	return rapid.Custom(func(t *rapid.T) part {
		telegram := telegrams().Draw(t, "telegram").bytes
		from := rapid.IntRange(0, len(telegram)-1).Draw(t, "from")
		to := rapid.OneOf(rapid.Just(len(telegram)), rapid.IntRange(from+1, len(telegram))).Draw(t, "to")
		if rapid.Bool().Draw(t, "beginning missing") {
			from = 0
		}
		rest := telegram[:from] + telegram[to:]
		if len(readings(outcomes(t, strings.NewReader(rest)))) > 0 { // the missing bytes do not matter, or a checksum is right by chance
			rest = telegram[:len(telegram)/2]
		}
		return part{bytes: rest}
	})
}

// flippedTelegram returns a generator of telegrams with one flipped bit.
func flippedTelegram() *rapid.Generator[part] {
	return rapid.Custom(func(t *rapid.T) part {
		b := []byte(telegrams().Draw(t, "flipped").bytes)
		b[rapid.IntRange(0, len(b)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		return part{bytes: string(b)}
	})
}

// concatenated returns a stream of all parts, and the offset of each part. Two HDLC frames share one flag if rapid draws so.
func concatenated(t *rapid.T, parts []part) (stream []byte, offsets []int) {
	for i, p := range parts {
		if i > 0 && p.isFrame() && parts[i-1].isFrame() && rapid.Bool().Draw(t, "share flag") {
			stream = stream[:len(stream)-1] // the next part begins with the shared flag
		}
		offsets = append(offsets, len(stream))
		stream = append(stream, p.bytes...)
	}
	return stream, offsets
}

// TestStream tests that the Decoder finds each intact telegram in a random stream of telegrams, noise and damaged telegrams. Each Checked
// reading must have the content of a telegram that was sent.
func TestStream(t *testing.T) {
	sent := map[string]bool{}
	for _, s := range sentTelegrams() {
		sent[withoutFraming(s.content)] = true
	}
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(parts(), 1, 30).Draw(t, "parts")
		stream, offsets := concatenated(t, all)
		got := outcomes(t, bytes.NewReader(stream))
		found := map[int64]string{}
		for _, o := range readings(got) {
			found[o.Offset] = o.Text
			if o.Checked && !sent[withoutFraming(o.Text)] {
				t.Fatalf("byte %d: got a reading that was not sent: %s", o.Offset, o.Text)
			}
		}
		for i, p := range all {
			if p.sent == nil {
				continue
			}
			afterNoise := i > 0 && all[i-1].sent == nil
			if afterNoise && !p.sent.checked {
				continue // the Decoder possibly reads noise that contains '/' and this telegram as one telegram, because no checksum is wrong
			}
			if diff := cmp.Diff(p.sent.content, found[int64(offsets[i])]); diff != "" {
				t.Fatalf("%s at byte %d of %q, -sent +found:\n%s", p.sent.family, offsets[i], stream, diff)
			}
		}
	})
}

// TestChunks tests that readings, errors and their offsets do not depend on the size of the chunks in which the bytes arrive.
func TestChunks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stream, _ := concatenated(t, rapid.SliceOfN(parts(), 0, 30).Draw(t, "parts"))
		stream = bytes.Repeat(stream, rapid.IntRange(1, 6).Draw(t, "times")) // sometimes longer than the buffer of the Decoder
		want := outcomes(t, bytes.NewReader(stream))
		sizes := rapid.SliceOfN(rapid.IntRange(1, 900), 1, 5).Draw(t, "sizes")
		if diff := cmp.Diff(want, outcomes(t, &chunked{r: bytes.NewReader(stream), sizes: sizes})); diff != "" {
			t.Fatalf("in chunks of %v, -in one piece +got:\n%s", sizes, diff)
		}
		if diff := cmp.Diff(want, outcomes(t, iotest.OneByteReader(bytes.NewReader(stream)))); diff != "" {
			t.Fatalf("byte by byte, -in one piece +got:\n%s", diff)
		}
		if diff := cmp.Diff(want, outcomes(t, iotest.DataErrReader(bytes.NewReader(stream)))); diff != "" {
			t.Fatalf("with EOF returned together with the last bytes, -in one piece +got:\n%s", diff)
		}
	})
}

// TestManyTelegrams tests that each telegram has the right offset in a stream that is longer than the buffer of the Decoder.
func TestManyTelegrams(t *testing.T) {
	var stream []byte
	var want []outcome
	for range 3 {
		for _, s := range sentTelegrams() {
			want = append(want, outcome{Offset: int64(len(stream)), Bytes: len(s.bytes), Good: true, Checked: s.checked, Text: s.content})
			stream = append(stream, s.bytes...)
		}
	}
	if diff := cmp.Diff(want, outcomes(t, bytes.NewReader(stream))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
