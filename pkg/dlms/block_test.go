package dlms_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/pkg/dlms"
)

// TestBlocks tests the bytes that Parse reads and that AppendBlock writes.
func TestBlocks(t *testing.T) {
	long := strings.Repeat("x", 384)
	for _, tt := range []struct {
		name, in string
		want     dlms.Block
	}{
		{"first block", "\xE0\x40\x00\x01\x00\x00\x03abc", dlms.Block{Number: 1, Data: []byte("abc")}},
		{"last block", "\xE0\xC0\x01\x02\x00\x00\x03abc", dlms.Block{Last: true, Number: 0x102, Data: []byte("abc")}},
		{"no data", "\xE0\xC0\x00\x02\x00\x00\x00", dlms.Block{Last: true, Number: 2, Data: []byte{}}},
		{"acknowledged number", "\xE0\x40\x00\x01\x03\x04\x01a", dlms.Block{Number: 1, Acknowledged: 0x304, Data: []byte("a")}},
		{"200 bytes", "\xE0\x40\x00\x01\x00\x00\x81\xC8" + long[:200], dlms.Block{Number: 1, Data: []byte(long[:200])}},
		{"384 bytes", "\xE0\x40\x00\x01\x00\x00\x82\x01\x80" + long, dlms.Block{Number: 1, Data: []byte(long)}},
	} {
		var got dlms.Block
		if err := got.Parse([]byte(tt.in)); err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s, -want +got:\n%s", tt.name, diff)
		}
		if written := string(dlms.AppendBlock([]byte("a"), got)); written != "a"+tt.in {
			t.Errorf("%s: AppendBlock wrote % x, want % x", tt.name, written[1:], tt.in)
		}
	}
}

// TestBlockWindow tests that Parse ignores the window and streaming bits of the control byte.
func TestBlockWindow(t *testing.T) {
	for _, control := range []string{"\x00", "\x3F", "\x7F", "\x41"} {
		var got dlms.Block
		if err := got.Parse([]byte("\xE0" + control + "\x00\x01\x00\x00\x01a")); err != nil || got.Last || got.Number != 1 {
			t.Errorf("control byte %x: got %+v, error %v; want block 1, not the last", control, got, err)
		}
	}
}

// TestBlockErrors tests the error of each malformed block, and that the Block is empty after an error.
func TestBlockErrors(t *testing.T) {
	const valid = "\xE0\x40\x00\x01\x00\x00\x03abc"
	for _, tt := range []struct{ name, in, want string }{
		{"another APDU", start, "byte 0: not a general-block-transfer"},
		{"a byte too many", valid + "d", "byte 10: more data than the length says"},
		{"a length of three bytes", valid[:6] + "\x83\x00\x00\x03abc", "byte 6: a length of more than two bytes"},
	} {
		got := dlms.Block{Number: 9}
		err := got.Parse([]byte(tt.in))
		if err == nil || err.Error() != "dlms: "+tt.want {
			t.Errorf("%s: got error %v, want %q", tt.name, err, tt.want)
		}
		if !cmp.Equal(got, dlms.Block{}) {
			t.Errorf("%s: got %+v after an error, want an empty block", tt.name, got)
		}
	}
	for n := range valid {
		var got dlms.Block
		if err := got.Parse([]byte(valid[:n])); err == nil || !strings.Contains(err.Error(), "ends too early") {
			t.Errorf("cut after %d of %d bytes: got error %v, want an error for data that ends too early", n, len(valid), err)
		}
	}
}

// TestBlockRoundTrip tests that Parse reads what AppendBlock writes.
func TestBlockRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := dlms.Block{
			Last:         rapid.Bool().Draw(t, "last"),
			Number:       rapid.Uint16().Draw(t, "number"),
			Acknowledged: rapid.Uint16().Draw(t, "acknowledged"),
			Data:         make([]byte, rapid.IntRange(0, 0xFFFF).Draw(t, "size")),
		}
		var got dlms.Block
		if err := got.Parse(dlms.AppendBlock(nil, want)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
	})
}
