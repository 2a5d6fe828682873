package p1

import (
	"bytes"
	"encoding/binary"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// Length returns the length in bytes of the telegram that begins with the '/' at b[0], or 0 if the telegram ends after b. A result other than
// 0 stays the same if more bytes are appended to b. Length verifies nothing.
//
// A telegram ends with the line of its '!' and checksum. A damaged telegram ends earlier: before another '/' at the start of a line, before
// a byte that no telegram contains, or at MaxLength. The body of an encrypted telegram has its length in a field. The telegram ends after the
// body, or after the '!' and the checksum if they follow the body.
func Length(b []byte) int {
	end := min(len(b), MaxLength)
	if end == 0 {
		return 0
	}
	atLimit := end == MaxLength // no more bytes belong to the telegram
	textEnd := end
	lastLine := indexLineStartingWith(b[:end], '!') // the line of the checksum
	if lastLine >= 0 {
		textEnd = lastLine
	}
	cut := indexNotText(b[:textEnd]) // the first byte that is not text
	if cut >= 0 {
		textEnd = max(cut, 1)
	}
	next := indexLineStartingWith(b[:textEnd], '/') // the next telegram
	switch {
	case next >= 0:
		return next
	case cut >= 0:
		return encryptedLength(b[:end], cut)
	case lastLine >= 0:
		return checksumEnd(b[:end], lastLine+1, atLimit)
	case atLimit:
		return end
	}
	return 0
}

// indexLineStartingWith skips the first line of b and returns the index of the next line that begins with x, -1 if there is none. It searches
// for x first, because x is rare in telegrams. This is 20 % faster than a search for LF followed by x. After four x that do not begin a line, it
// searches for LF followed by x, so that a stream with many x is not slow.
func indexLineStartingWith(b []byte, x byte) int {
	i := 0
	for range 4 {
		k := bytes.IndexByte(b[i+1:], x)
		if k < 0 {
			return -1
		}
		if i += 1 + k; b[i-1] == '\n' {
			return i
		}
	}
	k := bytes.Index(b[i:], []byte{'\n', x})
	if k < 0 {
		return -1
	}
	return i + k + 1
}

// checksumEnd returns the end of the line whose checksum begins at b[i], 0 if b does not contain it yet. If atLimit is true, no more bytes
// follow b.
func checksumEnd(b []byte, i int, atLimit bool) int {
	n := i
	for n < i+checksumDigits && n < len(b) && isHex(b[n]) {
		n++
	}
	if n == i && n < len(b) && b[n] == '/' {
		return n // the next telegram begins immediately after the '!', as in files that were joined
	}
	if n < len(b) && n < i+checksumDigits && !isLineEnd(b[n]) {
		return n + 1 // the wrong byte is a part of the telegram, so that Parse returns ErrChecksum
	}
	return lineEnd(b, n, atLimit)
}

// lineEnd returns the index after the CR, LF or CR LF at b[n], or n if no line end begins there. If b ends before or within the line end, and
// atLimit is false, it returns 0.
func lineEnd(b []byte, n int, atLimit bool) int {
	for _, want := range []byte("\r\n") {
		switch {
		case n < len(b) && b[n] == want:
			n++
		case n == len(b) && !atLimit:
			return 0
		}
	}
	return n
}

// indexNotText returns the index of the first byte that is not part of a telegram of text, -1 if there is none. Such a byte is a zero or has
// bit 7 set. All bytes are text if b begins with a possible identification line, with one exception: a zero that neither fills the end of a
// value nor is accepted by isDamagedByte. The exception is needed because binary protocols have many zeros.
func indexNotText(b []byte) int {
	for i, end := range zeroAndHighRuns(b) {
		if !hasPossibleIdent(b) {
			return i
		}
		if fillsValue := end == len(b) || b[end] == ')'; b[i] == 0 && !fillsValue && !isDamagedByte(b, i) {
			return i
		}
	}
	return -1
}

// isDamagedByte reports whether the zero at b[i] is possibly a damaged byte of a telegram of text. An empty line must follow the identification
// line, if b is long enough. The zero must not be the first byte after the empty line, because an encrypted body begins with a zero there.
func isDamagedByte(b []byte, i int) bool {
	secondLine := bytes.IndexByte(b[:min(len(b), maxIdent)], '\n') + 1
	if secondLine == 0 || secondLine == len(b) {
		return true // b ends before the second line
	}
	return isLineEnd(b[secondLine]) && i != afterEmptyLine(b)
}

// hasPossibleIdent reports whether b begins with a possible identification line: three letters follow the '/', and the line has at most maxIdent
// bytes.
func hasPossibleIdent(b []byte) bool {
	const letters = 3
	if len(b) <= letters {
		return false
	}
	return hasManufacturerCode(b[1:]) && (len(b) < maxIdent || bytes.IndexByte(b[:maxIdent], '\n') >= 0)
}

// indexForbidden returns the index of the first byte that a telegram without a checksum must not contain, -1 if there is none. A zero or a byte
// with bit 7 set is allowed only in a unit, or as a fill byte at the end of a value. Hungarian meters of Sanxing fill an empty message with FF.
func indexForbidden(b []byte) int {
	for i, end := range zeroAndHighRuns(b) {
		if isFill := b[i] == 0 || b[i] == fillByte; isFill && end < len(b) && b[end] == ')' {
			continue
		}
		if !inUnit(b, i) {
			return i
		}
	}
	return -1
}

// inUnit reports whether b[i] is part of a unit, such as *m³) or (m³).
func inUnit(b []byte, i int) bool {
	star, end := bytes.LastIndexAny(b[:i], "*("), bytes.IndexByte(b[i:], ')')
	if star < 0 || end < 0 {
		return false
	}
	_, _, ok := obis.ParseUnit(trimmed(b[star+1 : i+end]))
	return ok
}

// fillByte fills the rest of a text of fixed length. Some meters fill it with zeros instead.
const fillByte = 0xFF

// zeroAndHighRuns returns an iterator over the runs b[from:to] of equal bytes that are zero or have bit 7 set.
func zeroAndHighRuns(b []byte) func(yield func(from, to int) bool) {
	return func(yield func(from, to int) bool) {
		for end := 0; ; {
			i := indexZeroOrHigh(b[end:])
			if i < 0 {
				return
			}
			i += end
			for end = i + 1; end < len(b) && b[end] == b[i]; {
				end++
			}
			if !yield(i, end) {
				return
			}
		}
	}
}

// indexZeroOrHigh returns the index of the first byte that is zero or has bit 7 set, -1 if there is none. It tests 32 bytes at a time, then 8
// bytes. If one of the bytes of w is zero or has bit 7 set, w-ones|w has a bit of highs.
func indexZeroOrHigh(b []byte) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+32 <= len(b); i += 32 {
		c := b[i : i+32]
		w, x := binary.LittleEndian.Uint64(c), binary.LittleEndian.Uint64(c[8:])
		y, z := binary.LittleEndian.Uint64(c[16:]), binary.LittleEndian.Uint64(c[24:])
		if ((w-ones|w)|(x-ones|x)|(y-ones|y)|(z-ones|z))&highs != 0 {
			break
		}
	}
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		if (w-ones|w)&highs != 0 {
			break
		}
	}
	for ; i < len(b); i++ {
		if b[i] == 0 || b[i] >= 0x80 {
			return i
		}
	}
	return -1
}
