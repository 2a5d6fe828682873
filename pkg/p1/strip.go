package p1

import "math/bits"

// Strip makes text of the bytes of a line of 7 data bits and even parity that is read as 8 data bits without parity (DSMR 2.2
// and 3.0, Slovenian meters: 7E1): it copies src to dst without bit 7, up to the first byte that is odd in all its bits
// or no character of a telegram, and returns how many it copied, at most len(dst). The '/' of such a line arrives as AF. dst
// may be src.
func Strip(dst, src []byte) (n int) {
	for n < min(len(dst), len(src)) {
		x := src[n]
		if c := x & 0x7F; bits.OnesCount8(x)&1 != 0 || !isText(c) {
			return n
		}
		dst[n] = x & 0x7F
		n++
	}
	return n
}

func isText(c byte) bool { return c >= ' ' && c < 0x7F || isLineEnd(c) }
