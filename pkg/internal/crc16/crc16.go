// Package crc16 computes the reflected 16-bit CRCs of the meter protocols, eight bytes at a time.
package crc16

// A Table has precomputed CRCs for one polynomial, for the algorithm slicing-by-8. Row k has the CRC of each byte value followed by k zero bytes. A
// Table is safe for concurrent use.
type Table [8][256]uint16

// New returns the table of a polynomial in reflected form, such as 0xA001 for CRC-16/ARC.
func New(poly uint16) *Table {
	t := new(Table)
	for i := range 256 {
		crc := uint16(i)
		for range 8 {
			low := crc & 1
			crc >>= 1
			if low != 0 {
				crc ^= poly
			}
		}
		t[0][i] = crc
	}
	for i := range 256 {
		for k := 1; k < len(t); k++ {
			prev := t[k-1][i]
			t[k][i] = prev>>8 ^ t[0][byte(prev)]
		}
	}
	return t
}

// Update returns the CRC of some bytes followed by p. crc is the CRC of the bytes before p, or the initial value of the protocol if there are none.
// If the protocol inverts the final CRC, the caller must invert the result.
func (t *Table) Update(crc uint16, p []byte) uint16 {
	for len(p) >= 8 {
		b := p[:8:8]
		crc = t[7][b[0]^byte(crc)] ^ t[6][b[1]^byte(crc>>8)] ^ t[5][b[2]] ^ t[4][b[3]] ^
			t[3][b[4]] ^ t[2][b[5]] ^ t[1][b[6]] ^ t[0][b[7]]
		p = p[8:]
	}
	for _, x := range p {
		crc = crc>>8 ^ t[0][byte(crc)^x]
	}
	return crc
}
