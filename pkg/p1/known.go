package p1

import "github.com/hanbridge/hanbridge/pkg/obis"

// knownLines is of how many records the code is remembered: a meter sends the same lines again and again.
const knownLines = 64

// lineStart is what stands before the first '(' of a line.
type lineStart struct {
	text [16]byte
	size int // 0 for none
	code obis.Code
}

// readCode does what the function readCode does for the line of record i, at the price of a comparison where it is as before.
func (t *Telegram) readCode(i int, b []byte) (obis.Code, int) {
	if i >= len(t.known) {
		return readCode(b)
	}
	h := &t.known[i]
	if n := h.size; n > 0 && len(b) > n && b[n] == '(' && string(b[:n]) == string(h.text[:n]) {
		return h.code, n
	}
	code, n := readCode(b)
	if h.size = copy(h.text[:], b[:n]); h.size < n {
		h.size = 0
	}
	h.code = code
	return code, n
}
