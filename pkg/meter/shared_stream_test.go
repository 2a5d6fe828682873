package meter_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// TestCapturesInNoise: of all captures behind each other, in any order, with noise between them that may look like the
// start of a telegram, the decoder finds every one and nothing else.
func TestCapturesInNoise(t *testing.T) {
	var sound []*capture
	text := map[*capture]string{}
	for _, c := range captures(t) {
		if c.odd || c.unread() || c.Cipher != nil || misses[c.name()] != "" || !c.checked() {
			continue
		}
		all := readings(outcomes(t, bytes.NewReader(c.wire)))
		if len(all) != 1 {
			t.Fatalf("%s: %d readings", c.File, len(all))
		}
		sound, text[c] = append(sound, c), all[0].Text
	}
	if len(sound) < 100 {
		t.Fatalf("%d sound captures: the rule that picks them is wrong", len(sound))
	}
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 0))
		var stream []byte
		var want []string
		r.Shuffle(len(sound), func(i, k int) { sound[i], sound[k] = sound[k], sound[i] })
		for _, c := range sound {
			stream = append(stream, noise(r)...)
			want = append(want, text[c])
			stream = append(stream, c.wire...)
		}
		for name, reader := range map[string]io.Reader{
			"whole":        bytes.NewReader(stream),
			"byte by byte": iotest.OneByteReader(bytes.NewReader(stream)),
			"in chunks":    &chunked{r: bytes.NewReader(stream), sizes: []int{1 + r.IntN(1000), 1 + r.IntN(50), 1 + r.IntN(9)}},
		} {
			var got []string
			for _, o := range readings(outcomes(t, reader)) {
				got = append(got, o.Text)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("order %d, %s: -sent +found:\n%s", seed, name, diff)
			}
		}
	}
}

// starts are what telegrams begin with.
var starts = []string{
	"/", "\n/", "/ABC5", "/ABC5\r\n", "\xAF", "~", "~\xA0", "~\xA2\x43\x41\x08\x83\x13", "~\xA7\xFF\x03\x21\x13",
	"h", "\x68\xFA\xFA\x68", "\x68\xFA\xFA\x68\x53\xFF\x00\x01\x67", "\x68\x01\x01\x68\x53\xFF", "\x16",
	"\xDB", "\xDB\x08", "\xDB\x08KFM\x10\x20\x02\x00\x01\x82\x01\x55\x20", "\xE6\xE7\x00", "\xE6\xE7\x00\x0F", "\xE6\xE7\x00\xE0\x40\x00\x02\x00\x00",
	"\x0F\x40\x00\x00\x00\x00\x02", "!", "!\r\n", "!12AB\r\n", "\r\n", "\x00\x82\x02\x30\x30",
}

// noise is some random bytes, with starts of telegrams among them.
func noise(r *rand.Rand) []byte {
	var b strings.Builder
	for range r.IntN(4) {
		for range r.IntN(20) {
			b.WriteByte(byte(r.Uint32()))
		}
		if r.IntN(2) == 0 {
			b.WriteString(starts[r.IntN(len(starts))])
		}
	}
	return []byte(b.String())
}
