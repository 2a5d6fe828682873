package meter_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/pkg/p1"
)

// FuzzDecoder: no panic, bounded memory, every telegram within the stream, and how the bytes arrive does not matter.
func FuzzDecoder(f *testing.F) {
	for i, k := range knownTelegrams() {
		f.Add([]byte(k.wire), byte(i))
	}
	a, b := knownTelegrams()[0], knownTelegrams()[len(knownTelegrams())-1]
	f.Add([]byte(a.wire[:100]+b.wire+a.wire[1:]), byte(3))
	f.Add([]byte("\x01/ABC5\r\n~\xA7\xFF\x41\x08\x83\x13/\n!\n"), byte(1))
	f.Fuzz(func(t *testing.T, stream []byte, size byte) {
		want := outcomes(t, bytes.NewReader(stream))
		last := int64(-1)
		for _, o := range want {
			if o.Offset <= last || o.Bytes < 1 || o.Bytes > p1.MaxLength+len("\r\n") && o.Good || o.Offset+int64(o.Bytes) > int64(len(stream)) {
				t.Fatalf("%d bytes at byte %d, after one at %d, of %d", o.Bytes, o.Offset, last, len(stream))
			}
			last = o.Offset
		}
		got := outcomes(t, &chunked{r: bytes.NewReader(stream), sizes: []int{1 + int(size), 1, 1 + int(size)/3}})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("in chunks of %d, -whole +got:\n%s", size, diff)
		}
	})
}
