package dlms_test

import (
	"bytes"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/dlms"
)

// FuzzCiphered: nothing panics. Parse reads what CipheredLength delimits, and more bytes never change a length. A message that the key
// decrypts is encrypted to the same bytes again.
func FuzzCiphered(f *testing.F) {
	k := key(f, encryption, authentication)
	for _, security := range securities {
		f.Add(dlms.AppendCiphered(nil, k, []byte(systemTitle), security, 7, message(20)))
		f.Add(dlms.AppendCiphered(nil, k, nil, security, 0, message(200))[1:])
	}
	f.Add([]byte("\xDB\x08" + systemTitle + "\x82\x10\x05\x30"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var c dlms.Ciphered
		if c.ParseHeadless(b) == nil && (len(c.Title) > 0 || len(c.Ciphertext) == 0 || !bytes.HasSuffix(b, c.Ciphertext)) {
			t.Fatalf("% x is read as a message without system title: %+v", b, c)
		}
		n := checkLength(t, b, dlms.CipheredLength)
		if n <= 0 {
			n = len(b)
		} else if err := c.Parse(b[:n]); err != nil {
			t.Fatalf("a message that ends after %d bytes: %v", n, err)
		}
		if c.Parse(b[:n]) != nil {
			return
		}
		plain, authentic, err := k.Decrypt(nil, &c)
		if err != nil {
			return
		}
		again := parsed(t, dlms.AppendCiphered(nil, k, c.Title, c.Security, c.Counter, plain))
		if authentic != (c.Security >= 0x30) || !bytes.Equal(again.Ciphertext, c.Ciphertext) {
			t.Fatalf("% x, authentic %t, is written as % x", c.Ciphertext, authentic, again.Ciphertext)
		}
	})
}

// checkLength returns the length for b. It fails if any prefix of b gives a length that is neither 0 nor the same.
func checkLength(t *testing.T, b []byte, length func([]byte) int) int {
	t.Helper()
	want := length(b)
	if want < -1 || want > len(b) {
		t.Fatalf("length %d of %d bytes", want, len(b))
	}
	for n := range min(len(b), 5000) {
		if got := length(b[:n]); got != 0 && got != want {
			t.Fatalf("length %d of %d bytes, %d of %d", got, n, want, len(b))
		}
	}
	return want
}

// FuzzBlock: nothing panics, and a block that Parse accepts is the same after AppendBlock and Parse.
func FuzzBlock(f *testing.F) {
	f.Add(dlms.AppendBlock(nil, dlms.Block{Number: 1, Data: []byte("abc")}))
	f.Add(dlms.AppendBlock(nil, dlms.Block{Last: true, Number: 2, Acknowledged: 1, Data: make([]byte, 300)}))
	f.Add([]byte("\xE0\x3F\x00\x00\x00\x00\x82\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var got, again dlms.Block
		if got.Parse(b) != nil {
			return
		}
		if err := again.Parse(dlms.AppendBlock(nil, got)); err != nil {
			t.Fatal(err)
		}
		if again.Last != got.Last || again.Number != got.Number || again.Acknowledged != got.Acknowledged || !bytes.Equal(again.Data, got.Data) {
			t.Fatalf("%+v is read back as %+v", got, again)
		}
	})
}
