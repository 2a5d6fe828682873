package dlms_test

import (
	"bytes"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/dlms"
)

// FuzzCiphered tests that Parse reads the messages whose length CipheredLength returns, and that more bytes never change a length. If the
// key decrypts a message, encryption of the plaintext must give the same ciphertext.
func FuzzCiphered(f *testing.F) {
	k := key(f, encryption, authentication)
	for _, security := range securities {
		f.Add(dlms.AppendCiphered(nil, k, []byte(systemTitle), security, 7, message(20)))
		f.Add(dlms.AppendCiphered(nil, k, nil, security, 0, message(200))[1:])
	}
	f.Add([]byte("\xDB\x08" + systemTitle + "\x82\x10\x05\x30")) // the longest ciphertext that CipheredLength accepts, without its bytes
	f.Fuzz(func(t *testing.T, b []byte) {
		var c dlms.Ciphered
		valid := c.ParseHeadless(b) == nil
		if valid && (len(c.Title) > 0 || len(c.Ciphertext) == 0 || !bytes.HasSuffix(b, c.Ciphertext)) {
			t.Fatalf("ParseHeadless of % x: got %+v, want an empty title and the ciphertext at the end", b, c)
		}
		n := checkLength(t, b, dlms.CipheredLength)
		if n <= 0 {
			n = len(b)
		} else if err := c.Parse(b[:n]); err != nil {
			t.Fatalf("Parse of a message of %d bytes, as CipheredLength says: %v", n, err)
		}
		if c.Parse(b[:n]) != nil {
			return
		}
		plain, authentic, err := k.Decrypt(nil, &c)
		if err != nil {
			return
		}
		again := parsed(t, dlms.AppendCiphered(nil, k, c.Title, c.Security, c.Counter, plain))
		hasTag := c.Security >= 0x30
		if authentic != hasTag || !bytes.Equal(again.Ciphertext, c.Ciphertext) {
			t.Fatalf("decrypted and encrypted again: got % x, authentic %t, want % x", again.Ciphertext, authentic, c.Ciphertext)
		}
	})
}

// checkLength returns length(b). It fails if, for a prefix of b, length returns neither 0 nor length(b). It tests prefixes of up to
// 5000 bytes, because CipheredLength accepts no longer message.
func checkLength(t *testing.T, b []byte, length func([]byte) int) int {
	t.Helper()
	want := length(b)
	if want < -1 || want > len(b) {
		t.Fatalf("got length %d, want -1 to %d", want, len(b))
	}
	for n := range min(len(b), 5000) {
		if got := length(b[:n]); got != 0 && got != want {
			t.Fatalf("got length %d of the first %d bytes, want 0 or %d, as of all %d bytes", got, n, want, len(b))
		}
	}
	return want
}

// FuzzBlock tests that a block that Parse accepts is the same after AppendBlock and Parse.
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
			t.Fatalf("written and parsed again: got %+v, want %+v", again, got)
		}
	})
}
