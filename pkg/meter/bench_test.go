package meter_test

import (
	"crypto/aes"
	"crypto/cipher"
	"io"
	"testing"
)

// endless gives the same telegram for ever.
type endless struct {
	telegram []byte
	at       int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.telegram[e.at:])
	e.at = (e.at + n) % len(e.telegram)
	return n, nil
}

var _ io.Reader = (*endless)(nil)

// crcByteTable is the plain table of the comparison: one look-up for each byte.
var crcByteTable = func() (t [256]uint16) {
	for i := range t {
		crc := uint16(i)
		for range 8 {
			if crc&1 != 0 {
				crc = crc>>1 ^ 0xA001
			} else {
				crc >>= 1
			}
		}
		t[i] = crc
	}
	return t
}()

var sink uint16

// BenchmarkDecode measures whole telegrams, from bytes to quantities, of every family.
func BenchmarkDecode(b *testing.B) {
	for _, s := range samples() {
		b.Run(s.family.Name, func(b *testing.B) {
			d := newDecoder(&endless{telegram: s.telegram})
			b.SetBytes(int64(len(s.telegram)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Next(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkBound measures what decoding is compared with, in the same run and over the same bytes: a plain byte-wise CRC-16
// pass, and for encrypted families that pass and one of AES-GCM over the ciphertext.
func BenchmarkBound(b *testing.B) {
	for _, s := range samples() {
		b.Run(s.family.Name+"/crc", func(b *testing.B) {
			b.SetBytes(int64(len(s.telegram)))
			for b.Loop() {
				sink = crcPass(s.telegram)
			}
		})
		if s.family.Cipher == 0 {
			continue
		}
		b.Run(s.family.Name+"/open+crc", func(b *testing.B) {
			open := opener(b, s.telegram)
			b.SetBytes(int64(len(s.telegram)))
			for b.Loop() {
				open()
				sink = crcPass(s.telegram)
			}
		})
	}
}

func crcPass(telegram []byte) (crc uint16) {
	for _, x := range telegram {
		crc = crc>>8 ^ crcByteTable[byte(crc)^x]
	}
	return crc
}

// opener returns a function that opens as many bytes as a telegram has, with the standard library alone. Frames and heads are
// among them: that is a bound in favour of none.
func opener(b *testing.B, telegram []byte) func() {
	b.Helper()
	block, err := aes.NewCipher(make([]byte, 16))
	if err != nil {
		b.Fatal(err)
	}
	gcm, err := cipher.NewGCMWithTagSize(block, 12)
	if err != nil {
		b.Fatal(err)
	}
	nonce, aad := make([]byte, 12), make([]byte, 17)
	const around = 40 // frame, LLC header, title, lengths, counter, tag
	text := gcm.Seal(make([]byte, 0, len(telegram)), nonce, telegram[:len(telegram)-around], aad)
	plain := make([]byte, 0, len(text))
	return func() {
		if _, err := gcm.Open(plain, nonce, text, aad); err != nil {
			b.Fatal(err)
		}
	}
}
