package crc16_test

import (
	"testing"

	"github.com/hanbridge/hanbridge/pkg/internal/crc16"
)

// bitwise computes the CRC by its definition: one bit at a time, without a table.
func bitwise(poly, crc uint16, p []byte) uint16 {
	for _, x := range p {
		crc ^= uint16(x)
		for range 8 {
			low := crc & 1
			crc >>= 1
			if low != 0 {
				crc ^= poly
			}
		}
	}
	return crc
}

// TestUpdate: Update returns the same CRC as bitwise, for all lengths up to 64 bytes and all alignments, in one call and in two calls.
func TestUpdate(t *testing.T) {
	data := make([]byte, 80)
	for i := range data {
		data[i] = byte(i*i*37 + 11*i + 3) // any numbers without a simple pattern
	}
	for _, poly := range []uint16{0xA001, 0x8408} {
		table := crc16.New(poly)
		for _, initial := range []uint16{0, 0xFFFF, 0x1D0F} {
			for offset := range 9 {
				for n := range 65 {
					p := data[offset : offset+n]
					want := bitwise(poly, initial, p)
					if got := table.Update(initial, p); got != want {
						t.Fatalf("polynomial %04X, initial value %04X, %d bytes at %d: got CRC %04X, want %04X", poly, initial, n, offset, got, want)
					}
					if got := table.Update(table.Update(initial, p[:n/3]), p[n/3:]); got != want {
						t.Fatalf("polynomial %04X, %d bytes in two parts: got CRC %04X, want %04X", poly, n, got, want)
					}
				}
			}
		}
	}
}

// TestCheckValues: both CRCs of the meter protocols, CRC-16/ARC and CRC-16/X.25, give their published check values.
func TestCheckValues(t *testing.T) {
	check := []byte("123456789")
	if got := crc16.New(0xA001).Update(0, check); got != 0xBB3D {
		t.Errorf("CRC-16/ARC = %04X, want BB3D", got)
	}
	if got := ^crc16.New(0x8408).Update(0xFFFF, check); got != 0x906E {
		t.Errorf("CRC-16/X.25 = %04X, want 906E", got)
	}
}
