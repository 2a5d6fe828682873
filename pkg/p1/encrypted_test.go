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
		b = append(b, byte(i*i*37+11*i)) // all kinds of bytes, as in a ciphertext
	}
	return b
}

// TestSplitEncrypted tests that AppendEncrypted, Length and SplitEncrypted agree, and Parse refuses the telegram.
func TestSplitEncrypted(t *testing.T) {
	body := encryptedBody(560)
	telegram := p1.AppendEncrypted(nil, "EGM5G35", body)
	if got := p1.Length(telegram); got != len(telegram) {
		t.Errorf("Length = %d, want %d", got, len(telegram))
	}
	for n := range telegram {
		if got := p1.Length(telegram[:n]); got != 0 {
			t.Fatalf("Length of the first %d bytes = %d, want 0", n, got)
		}
	}
	head, got, ok := p1.SplitEncrypted(telegram)
	if string(head) != "/EGM5G35\r\n\r\n" || !bytes.Equal(got, body) || !ok {
		t.Errorf("SplitEncrypted = %q, %d bytes, %v; want the identification line and the body", head, len(got), ok)
	}
	if checked, err := p1.CheckEncrypted(telegram); !checked || err != nil {
		t.Errorf("CheckEncrypted = %v, %v; want a correct checksum", checked, err)
	}
	var parsed p1.Telegram
	if err := parsed.Parse(telegram); err == nil || !strings.Contains(err.Error(), "encrypted") {
		t.Errorf("Parse of an encrypted telegram: got error %v, want an error with the word encrypted", err)
	}
	if got := p1.Length(append(bytes.Clone(telegram), swedishTelegram()...)); got != len(telegram) {
		t.Errorf("Length before another telegram = %d, want %d", got, len(telegram))
	}
}

// TestCheckEncrypted tests that both kinds of checksum are accepted, and that a missing checksum is not an error.
func TestCheckEncrypted(t *testing.T) {
	telegram := p1.AppendEncrypted(nil, "KFM5KAIFA-METER", encryptedBody(100))
	end := len(telegram) - len("FFFF\r\n")
	for _, tt := range []struct {
		name, tail          string
		wantChecked, wantOK bool
	}{
		{"checksum in lower case", strings.ToLower(string(telegram[end:])), true, true},
		{"the checksum that plain telegrams have", checksumText(string(telegram[:end])) + "\r\n", true, true},
		{"no checksum", "\r\n", false, true},
		{"wrong checksum", "0000\r\n", false, false},
		{"checksum of two digits", "12\r\n", false, false},
	} {
		checked, err := p1.CheckEncrypted(append(telegram[:end:end], tt.tail...))
		if checked != tt.wantChecked || (err == nil) != tt.wantOK {
			t.Errorf("%s: CheckEncrypted = %v, %v; want %v, success %v", tt.name, checked, err, tt.wantChecked, tt.wantOK)
		}
	}
	withoutEnd := telegram[:end-1] // without the '!' and the checksum
	if checked, err := p1.CheckEncrypted(withoutEnd); checked || err != nil {
		t.Errorf("without a '!': CheckEncrypted = %v, %v; want no error", checked, err)
	}
	if got := p1.Length(append(bytes.Clone(withoutEnd), '\r')); got != len(withoutEnd) {
		t.Errorf("without a '!': Length = %d, want %d", got, len(withoutEnd))
	}
	if _, err := p1.CheckEncrypted(swedishTelegram()); err == nil {
		t.Error("CheckEncrypted accepts a plain telegram")
	}
}

// TestInvalidEncryptedBody tests that a zero byte begins an encrypted body only after the empty line and with a valid length. At any other
// zero byte, the telegram ends.
func TestInvalidEncryptedBody(t *testing.T) {
	good := "/EGM5G35\r\n\r\n" + string(encryptedBody(560)) // the body begins with the zero byte good[12]
	for _, tt := range []struct {
		name, in string
		want     int // the index of the zero byte, or 0 if more bytes are needed
	}{
		{"no empty line", "/EGM5G35\r\n\x00\x82\x02", 10},
		{"data line before the zero byte", "/EGM5G35\r\n1-0:1.7.0(1*kW)\r\n\x00\x82\x02", 27},
		{"empty line after a data line: possibly a damaged text", "/EGM5G35\r\n\r\n1-0:1.7.0(1*kW)\r\n\r\n\x00\x82\x02", 0},
		{"second byte is not 82", good[:13] + "\x81", 12},
		{"length too large", good[:14] + "\x11", 12},
		{"length too large by one", good[:14] + "\x10\x01\x30", 12},
		{"length too small", good[:14] + "\x00\x04\x30", 12},
		{"security control byte without encryption", good[:16] + "\x01", 12},
		{"maximum length", good[:14] + "\x10\x00\x30", 0},
		{"identification line too long", "/" + strings.Repeat("x", 64) + good[8:], 69},
		{"no more bytes after the zero byte", good[:13], 0},
	} {
		if got := p1.Length([]byte(tt.in)); got != tt.want {
			t.Errorf("%s: Length = %d, want %d", tt.name, got, tt.want)
		}
		if _, _, ok := p1.SplitEncrypted([]byte(tt.in)); ok {
			t.Errorf("%s: SplitEncrypted accepts it", tt.name)
		}
	}
}
