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

// TestRealTelegramsInNoise tests that the Decoder finds all telegrams of a stream, and nothing else. The telegrams are in random order, with noise
// between them that resembles starts of telegrams.
func TestRealTelegramsInNoise(t *testing.T) {
	type sent struct {
		bytes   []byte
		content string // what describe returns for the reading
	}
	var all []sent
	for _, tg := range checkedTelegrams(t) {
		found := readings(outcomes(t, bytes.NewReader(tg.bytes)))
		if len(found) != 1 {
			t.Fatalf("%s: got %d readings, want 1", tg.name, len(found))
		}
		all = append(all, sent{tg.bytes, found[0].Text})
	}
	if len(all) < 40 {
		t.Fatalf("got %d telegrams, want at least 40", len(all))
	}
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 0))
		var stream []byte
		var want []string
		r.Shuffle(len(all), func(i, k int) { all[i], all[k] = all[k], all[i] })
		for _, s := range all {
			stream = append(append(stream, noise(r)...), s.bytes...)
			want = append(want, s.content)
		}
		for name, reader := range map[string]io.Reader{
			"in one piece": bytes.NewReader(stream),
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

// checkedTelegrams returns the intact, unencrypted telegrams with a checksum. It leaves out meters with current transformers, because their
// currents have another power of ten. All serial numbers are masked, so the Decoder cannot distinguish these meters from other meters of the make.
func checkedTelegrams(t *testing.T) (all []*telegram) {
	t.Helper()
	for _, r := range realTelegrams(t) {
		if r.Checked && r.Key == "" && !strings.Contains(r.name, "transformers") {
			all = append(all, &r.telegram)
		}
	}
	return all
}

// starts are bytes with which telegrams of all framings begin or end.
var starts = []string{
	"/", "\n/", "/ABC5", "/ABC5\r\n", "\xAF", "~", "~\xA0", "~\xA2\x43\x41\x08\x83\x13", "~\xA7\xFF\x03\x21\x13",
	"h", "\x68\xFA\xFA\x68", "\x68\xFA\xFA\x68\x53\xFF\x00\x01\x67", "\x68\x01\x01\x68\x53\xFF", "\x16",
	"\xDB", "\xDB\x08", "\xDB\x08KFM\x10\x20\x02\x00\x01\x82\x01\x55\x20", "\xE6\xE7\x00", "\xE6\xE7\x00\x0F", "\xE6\xE7\x00\xE0\x40\x00\x02\x00\x00",
	"\x0F\x40\x00\x00\x00\x00\x02", "!", "!\r\n", "!12AB\r\n", "\r\n", "\x00\x82\x02\x30\x30",
}

// noise returns random bytes with starts of telegrams among them.
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
