package meter_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/p1"
)

// FuzzDecoder tests that the Decoder never panics, and that all telegrams are within the stream. The outcomes must not depend on the size of the
// chunks in which the bytes arrive.
func FuzzDecoder(f *testing.F) {
	all := familyTelegrams()
	for i, s := range all {
		f.Add(s.telegram, byte(i))
		f.Add(append(bytes.Clone(s.telegram[:len(s.telegram)/2]), s.telegram[len(s.telegram)/3:]...), byte(3*i))
	}
	a, b := all[0].telegram, all[len(all)-1].telegram
	f.Add(bytes.Join([][]byte{a[:100], b, a[1:]}, nil), byte(3))
	f.Add([]byte("\x01/ABC5\r\n~\xA7\xFF\x41\x08\x83\x13/\n!\n"), byte(1))
	f.Fuzz(func(t *testing.T, stream []byte, size byte) {
		want := outcomes(t, bytes.NewReader(stream))
		previous := int64(-1) // offset of the previous telegram
		for _, o := range want {
			if o.Offset <= previous || o.Bytes < 1 || o.Offset+int64(o.Bytes) > int64(len(stream)) {
				t.Fatalf("got a telegram of %d bytes at byte %d, the previous telegram at byte %d, in a stream of %d bytes", o.Bytes, o.Offset, previous, len(stream))
			}
			isText := o.Good && strings.HasPrefix(o.Text, string(meter.P1)+" ") // describe begins with the protocol
			if isText && o.Bytes > maxText {
				t.Fatalf("got an ASCII telegram of %d bytes at byte %d, want at most %d bytes", o.Bytes, o.Offset, maxText)
			}
			previous = o.Offset
		}
		got := outcomes(t, &chunked{r: bytes.NewReader(stream), sizes: []int{1 + int(size), 1, 1 + int(size)/3}})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("in chunks of %d, -in one piece +got:\n%s", size, diff)
		}
	})
}

// maxText is the maximum length of an ASCII telegram with its line end, in bytes.
const maxText = p1.MaxLength + len("\r\n")
