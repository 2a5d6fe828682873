package p1

import (
	"bytes"
	"encoding/binary"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// Length returns the length in bytes of the telegram that begins with the '/' at b[0], and 0 if b does not contain its end yet. More bytes
// after b never change a result other than 0. Nothing is verified: Parse does that.
//
// A telegram ends with the line of its '!' and checksum. A damaged telegram ends earlier: before another '/' at the start of a line, before
// a byte that no telegram contains, or at MaxLength. An encrypted telegram ends where its length says, and after its checksum.
func Length(b []byte) int {
	end := min(len(b), MaxLength)
	if end == 0 {
		return 0
	}
	atLimit := end == MaxLength // no more bytes belong to the telegram
	mark := indexLineStartingWith(b[:end], '!')
	text := end
	if mark >= 0 {
		text = mark // an earlier end can only be before the mark
	}
	cut := indexNotText(b[:text])
	if cut >= 0 {
		text = max(cut, 1)
	}
	next := indexLineStartingWith(b[:text], '/')
	switch {
	case next >= 0:
		return next
	case cut >= 0:
		return encryptedLength(b[:end], cut)
	case mark >= 0:
		return checksumEnd(b[:end], mark+1, atLimit)
	case atLimit:
		return end
	}
	return 0
}

// indexLineStartingWith returns the index of the first line after the first that begins with x, -1 if there is none. x is rare in telegrams,
// so a search for x alone is fast: with a search for LF and x together, telegrams take 20 % longer. After four x that do not begin a line,
// it searches for LF and x together, so that no stream is slow.
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
		return n // files that end with '!' were joined
	}
	if n < len(b) && n < i+checksumDigits && !isLineEnd(b[n]) {
		return n + 1 // includes the wrong byte in the checksum
	}
	return lineEnd(b, n, atLimit)
}

// lineEnd returns the index after the CR, LF or CR LF at b[n], n if there is none, and 0 if b does not contain it yet.
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

// indexNotText returns the index of the first byte that no telegram of text contains, -1 if there is none: a byte with bit 7 set or a zero,
// if the identification line does not prove that b is text. Binary protocols are full of zeros. So a zero that is not a fill byte of a value
// also needs an empty line after the identification line. A zero where the body of an encrypted telegram begins is not text.
func indexNotText(b []byte) int {
	for i, end := range nonTextRuns(b) {
		if !maybeText(b) {
			return i
		}
		if filled := end == len(b) || b[end] == ')'; b[i] == 0 && !filled && !zeroMayBeText(b, i) {
			return i
		}
	}
	return -1
}

// zeroMayBeText reports whether the zero at b[i] may be a damaged byte of a telegram of text, which its checksum will show. An empty line must
// follow the identification line, as far as b contains it, and the zero must not be the first byte after both.
func zeroMayBeText(b []byte, i int) bool {
	k := bytes.IndexByte(b[:min(len(b), maxIdent)], '\n') + 1
	return k == 0 || k == len(b) || isLineEnd(b[k]) && i != afterEmptyLine(b)
}

// maybeText reports whether the identification line of b may be that of a telegram: three letters after the '/', and an end within maxIdent.
func maybeText(b []byte) bool {
	const letters = 3
	if len(b) <= letters {
		return false
	}
	return hasMakerCode(b[1:]) && (len(b) < maxIdent || bytes.IndexByte(b[:maxIdent], '\n') >= 0)
}

// indexForbidden returns the index of the first byte that a telegram without a checksum must not contain, -1 if there is none: a zero or a
// byte with bit 7 set that is neither part of a unit nor a fill byte. Hungarian meters of Sanxing fill a message that was never set with FF.
func indexForbidden(b []byte) int {
	for i, end := range nonTextRuns(b) {
		if filled := b[i] == 0 || b[i] == fillByte; filled && end < len(b) && b[end] == ')' {
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

// fillByte fills the rest of a text of fixed length. Zero does so too.
const fillByte = 0xFF

// nonTextRuns returns an iterator over the runs of equal bytes that are zero or have bit 7 set: b[from:to].
func nonTextRuns(b []byte) func(yield func(from, to int) bool) {
	return func(yield func(from, to int) bool) {
		for end := 0; ; {
			i := indexNonText(b[end:])
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

// indexNonText returns the index of the first byte that is zero or has bit 7 set, -1 if there is none. Binary protocols are full of such
// bytes, so a '/' in binary data is soon recognised as none of a telegram.
func indexNonText(b []byte) int {
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
