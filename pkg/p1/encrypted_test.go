package p1_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/p1"
)

// encryptedBody returns the body of an encrypted telegram with n bytes from the security control byte on. Among them are a '!' and a '/' at the
// start of a line.
func encryptedBody(n int) []byte {
	b := append([]byte{0, 0x82, byte(n >> 8), byte(n), 0x30, 0, 0, 0, 0}, "\n!0000\r\n/ABC5\r\n"...)
	for i := len(b); i < n+4; i++ {
		b = append(b, byte(i*i*37+11*i))
	}
	return b
}

// TestSplitEncrypted: AppendEncrypted, Length and SplitEncrypted agree, and Parse refuses the telegram.
func TestSplitEncrypted(t *testing.T) {
	body := encryptedBody(560)
	wire := p1.AppendEncrypted(nil, "EGM5G35", body)
	if got := p1.Length(wire); got != len(wire) {
		t.Errorf("Length = %d of a telegram of %d bytes", got, len(wire))
	}
	for k := range wire {
		if got := p1.Length(wire[:k]); got != 0 {
			t.Fatalf("Length of the first %d bytes = %d, want 0", k, got)
		}
	}
	head, got, ok := p1.SplitEncrypted(wire)
	if string(head) != "/EGM5G35\r\n\r\n" || !bytes.Equal(got, body) || !ok {
		t.Errorf("SplitEncrypted = %q, %d bytes, %v", head, len(got), ok)
	}
	if checked, err := p1.CheckEncrypted(wire); !checked || err != nil {
		t.Errorf("CheckEncrypted = %v, %v", checked, err)
	}
	var parsed p1.Telegram
	if err := parsed.Parse(wire); err == nil || !strings.Contains(err.Error(), "encrypted") {
		t.Errorf("Parse of an encrypted telegram: got error %v", err)
	}
	if got := p1.Length(append(bytes.Clone(wire), household()...)); got != len(wire) {
		t.Errorf("Length = %d of a telegram of %d bytes before another", got, len(wire))
	}
}

// TestCheckEncrypted: both kinds of checksum are accepted, and a missing one is not an error.
func TestCheckEncrypted(t *testing.T) {
	wire := p1.AppendEncrypted(nil, "KFM5KAIFA-METER", encryptedBody(100))
	end := len(wire) - len("FFFF\r\n")
	for _, tt := range []struct {
		name, tail    string
		checked, good bool
	}{
		{"in lower case", strings.ToLower(string(wire[end:])), true, true},
		{"of other telegrams", checksumText(string(wire[:end])) + "\r\n", true, true},
		{"none", "\r\n", false, true},
		{"wrong", "0000\r\n", false, false},
		{"no checksum", "12\r\n", false, false},
	} {
		checked, err := p1.CheckEncrypted(append(wire[:end:end], tt.tail...))
		if checked != tt.checked || (err == nil) != tt.good {
			t.Errorf("%s: CheckEncrypted = %v, %v; want %v, good %v", tt.name, checked, err, tt.checked, tt.good)
		}
	}
	bare := wire[:end-1]
	if checked, err := p1.CheckEncrypted(bare); checked || err != nil {
		t.Errorf("without a mark: CheckEncrypted = %v, %v; want no error", checked, err)
	}
	if got := p1.Length(append(bytes.Clone(bare), '\r')); got != len(bare) {
		t.Errorf("without a mark: Length = %d, want %d", got, len(bare))
	}
	if _, err := p1.CheckEncrypted(household()); err == nil {
		t.Error("CheckEncrypted accepts a plain telegram")
	}
}

// TestNotEncrypted: a zero byte begins a body only after the empty line and with a valid length. Length gives up noise at once.
func TestNotEncrypted(t *testing.T) {
	good := "/EGM5G35\r\n\r\n" + string(encryptedBody(560))
	for _, tt := range []struct {
		name, in string
		want     int
	}{
		{"no empty line", "/EGM5G35\r\n\x00\x82\x02", 10},
		{"data before it", "/EGM5G35\r\n1-0:1.7.0(1*kW)\r\n\x00\x82\x02", 27},
		{"lines before it, which may be text", "/EGM5G35\r\n\r\n1-0:1.7.0(1*kW)\r\n\r\n\x00\x82\x02", 0},
		{"another byte", good[:13] + "\x81", 12},
		{"too long", good[:14] + "\x11", 12},
		{"too long by its low byte", good[:14] + "\x10\x01\x30", 12},
		{"too short", good[:14] + "\x00\x04\x30", 12},
		{"no security byte", good[:16] + "\x01", 12},
		{"the longest", good[:14] + "\x10\x00\x30", 0},
		{"identification too long", "/" + strings.Repeat("x", 64) + good[8:], 69},
		{"title alone", good[:13], 0},
	} {
		if got := p1.Length([]byte(tt.in)); got != tt.want {
			t.Errorf("%s: Length = %d, want %d", tt.name, got, tt.want)
		}
		if _, _, ok := p1.SplitEncrypted([]byte(tt.in)); ok {
			t.Errorf("%s: SplitEncrypted accepts it", tt.name)
		}
	}
}
