package p1

import (
	"bytes"
	"encoding/binary"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// Length returns how many bytes the telegram that begins with the '/' at b[0] takes, 0 when b does not hold its end yet.
// It ends with the line of a '!' and checksum, or where it cannot go on and is damaged: before another
// '/' at the start of a line, before a byte that no telegram holds, at MaxLength. A ciphered telegram ends where it says, and with
// its checksum. More bytes behind b never change the answer.
func Length(b []byte) int {
	end := min(len(b), MaxLength)
	if end == 0 {
		return 0
	}
	all := end == MaxLength // b[:end] is all there will be
	mark := indexLineStartingWith(b[:end], '!')
	text := end
	if mark >= 0 {
		text = mark // what ends the telegram earlier is looked for before the mark alone
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
		return checksumEnd(b[:end], mark+1, all)
	case all:
		return end
	}
	return 0
}

// lineBegin returns the index of the first line but b's own that begins with x, -1 when there is none. x is rare in
// telegrams, so that looking for it alone is fast (for the pair from the start on, telegrams of P1 take 20 % longer); where it is
// not, the pair is looked for, so that no stream is slow.
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

// checksumEnd returns the end of the line whose checksum begins at b[i]; 0 when it is not there yet.
func checksumEnd(b []byte, i int, cut bool) int {
	n := i
	for n < i+checksumDigits && n < len(b) && isHex(b[n]) {
		n++
	}
	if n == i && n < len(b) && b[n] == '/' {
		return n // the next telegram follows one of a file that ended at its '!'
	}
	if n < len(b) && n < i+checksumDigits && !isLineEnd(b[n]) {
		return n + 1 // with the byte that is wrong in the checksum
	}
	return lineEnd(b, n, cut)
}

// lineEnd returns the end of the CR LF that stands at b[n], n where none does, 0 when it is not there yet.
func lineEnd(b []byte, n int, cut bool) int {
	for _, want := range []byte("\r\n") {
		switch {
		case n < len(b) && b[n] == want:
			n++
		case n == len(b) && !cut:
			return 0
		}
	}
	return n
}

// unreadable returns the index of the first byte that no telegram holds, -1 when there is none: a byte with its high bit set, or
// a zero, where the identification line does not show that b is text. Binary protocols are full of zeros, so that these need an
// empty line behind it too, unless they fill up a value. One where the body of a ciphered telegram begins is no text.
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

// zeroInText tells if the zero at b[i] may be a part of a telegram of text, which a checksum will tell: an empty line follows the
// identification line, as far as that has come, and the zero is not the first byte behind both.
func zeroMayBeText(b []byte, i int) bool {
	k := bytes.IndexByte(b[:min(len(b), maxIdent)], '\n') + 1
	return k == 0 || k == len(b) || isLineEnd(b[k]) && i != afterEmptyLine(b)
}

// maybeText tells if b may be a telegram by its identification line: three letters behind the '/', and an end in time.
func maybeText(b []byte) bool {
	const letters = 3
	if len(b) <= letters {
		return false
	}
	return hasMakerCode(b[1:]) && (len(b) < maxIdent || bytes.IndexByte(b[:maxIdent], '\n') >= 0)
}

// forbiddenByte returns the index of the first byte that a telegram without a checksum may not hold, -1 when there is none: one with
// its high bit set that is neither part of a unit nor filling. Hungarian meters of Sanxing fill a message that was never set
// with FF.
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

// inUnit tells if b[i] stands in a unit, such as *m³) or (m³).
func inUnit(b []byte, i int) bool {
	star, end := bytes.LastIndexAny(b[:i], "*("), bytes.IndexByte(b[i:], ')')
	if star < 0 || end < 0 {
		return false
	}
	_, _, ok := obis.ParseUnit(trimmed(b[star+1 : i+end]))
	return ok
}

const fillByte = 0xFF

// nonText walks the bytes that are zero or have their high bit set, equal ones in a row together.
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

// firstNonText returns the index of the first byte that is zero or has its high bit set, -1 when there is none. Binary
// protocols are full of them, so that a '/' among their bytes is given up at once.
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
