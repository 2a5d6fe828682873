package meter_test

import (
	"io"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/meter"
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

// BenchmarkDecode measures whole telegrams, from bytes to quantities, beside a plain byte-wise CRC-16 pass over the same
// bytes: compare the two of one run.
func BenchmarkDecode(b *testing.B) {
	for _, s := range samples() {
		b.Run(s.name+"/decode", func(b *testing.B) {
			d := meter.NewDecoder(&endless{telegram: s.telegram})
			b.SetBytes(int64(len(s.telegram)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Next(); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(s.name+"/crc", func(b *testing.B) {
			b.SetBytes(int64(len(s.telegram)))
			for b.Loop() {
				crc := uint16(0)
				for _, x := range s.telegram {
					crc = crc>>8 ^ crcByteTable[byte(crc)^x]
				}
				sink = crc
			}
		})
	}
}
