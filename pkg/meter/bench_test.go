package meter_test

import (
	"crypto/aes"
	"crypto/cipher"
	"io"
	"testing"
)

// A repeatingReader returns the same telegram again and again.
type repeatingReader struct {
	telegram []byte
	at       int
}

func (r *repeatingReader) Read(p []byte) (int, error) {
	n := copy(p, r.telegram[r.at:])
	r.at = (r.at + n) % len(r.telegram)
	return n, nil
}

var _ io.Reader = (*repeatingReader)(nil)

// TestNoAllocations tests that telegrams of each family allocate no memory, except for the first telegram of a meter.
func TestNoAllocations(t *testing.T) {
	for _, s := range familyTelegrams() {
		d := newDecoder(&repeatingReader{telegram: s.telegram})
		if _, err := d.Next(); err != nil {
			t.Errorf("%s: %v", s.family.Name, err)
			continue
		}
		n := testing.AllocsPerRun(100, func() {
			if _, err := d.Next(); err != nil {
				t.Fatalf("%s: %v", s.family.Name, err)
			}
		})
		if n != 0 {
			t.Errorf("%s: got %v allocations for a telegram, want 0", s.family.Name, n)
		}
	}
}

// crcByteTable is the table of a simple CRC-16, which processes one byte at a time.
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

// sink receives the result of crcPass, so that the compiler does not remove the call.
var sink uint16

// BenchmarkDecode measures the decoding of a telegram of each family, from bytes to samples.
func BenchmarkDecode(b *testing.B) {
	for _, s := range familyTelegrams() {
		b.Run(s.family.Name, func(b *testing.B) {
			d := newDecoder(&repeatingReader{telegram: s.telegram})
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

// BenchmarkBound measures a lower bound for BenchmarkDecode on the same bytes: a simple CRC-16 and, for encrypted families, AES-GCM.
func BenchmarkBound(b *testing.B) {
	for _, s := range familyTelegrams() {
		b.Run(s.family.Name+"/crc", func(b *testing.B) {
			b.SetBytes(int64(len(s.telegram)))
			for b.Loop() {
				sink = crcPass(s.telegram)
			}
		})
		if s.family.Cipher == 0 {
			continue
		}
		b.Run(s.family.Name+"/decrypt+crc", func(b *testing.B) {
			decrypt := newDecrypt(b, s.telegram)
			b.SetBytes(int64(len(s.telegram)))
			for b.Loop() {
				decrypt()
				sink = crcPass(s.telegram)
			}
		})
	}
}

// crcPass returns the CRC-16 of a telegram.
func crcPass(telegram []byte) (crc uint16) {
	for _, x := range telegram {
		crc = crc>>8 ^ crcByteTable[byte(crc)^x]
	}
	return crc
}

// newDecrypt returns a function that decrypts as many bytes as the telegram has encrypted. It uses only the standard library.
func newDecrypt(b *testing.B, telegram []byte) func() {
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
	const overhead = 40 // bytes of frame, LLC header, title, lengths, counter and tag
	ciphertext := gcm.Seal(make([]byte, 0, len(telegram)), nonce, telegram[:len(telegram)-overhead], aad)
	plaintext := make([]byte, 0, len(ciphertext))
	return func() {
		if _, err := gcm.Open(plaintext, nonce, ciphertext, aad); err != nil {
			b.Fatal(err)
		}
	}
}
