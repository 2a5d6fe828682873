package p1

import (
	"bytes"
	"encoding/binary"
)

// Split is a bufio.SplitFunc that finds telegrams in a byte stream: from a '/' to where Length says that it ends. Parse tells
// if it is sound. What stands between telegrams is dropped. One that is not sound is searched again from inside, since it may
// have run into a good one.
func Split(data []byte, atEOF bool) (advance int, telegram []byte, err error) {
	i := bytes.IndexByte(data, '/')
	if i < 0 {
		return len(data), nil, nil
	}
	n := Length(data[i:])
	if n == 0 && !atEOF {
		return i, nil, nil
	}
	if n == 0 {
		n = len(data) - i
	}
	telegram = data[i : i+n]
	if !sound(telegram) {
		return i + 1, telegram, nil
	}
	return i + n, telegram, nil
}

// sound tells if no fault is seen in a telegram before its lines are read.
func sound(telegram []byte) bool {
	if _, _, ok := Ciphered(telegram); ok {
		_, err := CheckCiphered(telegram)
		return err == nil
	}
	_, _, err := verify(telegram)
	return err == nil
}

// Length returns how many bytes the telegram that begins with the '/' at b[0] takes, 0 when b does not hold its end yet.
// It ends with the line of a '!' and checksum, or where it cannot go on and is damaged: before another
// '/' at the start of a line, before a byte that is not text (but for the filling of an empty message, FF), at MaxLength. A ciphered telegram ends where it says, and with
// its checksum. More bytes behind b never change the answer.
func Length(b []byte) int {
	end := min(len(b), MaxLength)
	if end == 0 {
		return 0
	}
	all := end == MaxLength // b[:end] is all there will be
	mark := lineBegin(b[:end], '!')
	text := end
	if mark >= 0 {
		text = mark // what ends the telegram earlier is looked for before the mark alone
	}
	cut := unreadable(b[:text])
	if cut >= 0 {
		text = max(cut, 1)
	}
	next := lineBegin(b[:text], '/')
	switch {
	case next >= 0:
		return next
	case cut >= 0:
		return cipheredLength(b[:end], cut)
	case mark >= 0:
		return checksumEnd(b[:end], mark+1, all)
	case all:
		return end
	}
	return 0
}

// lineBegin returns the index of the first line but b's own that begins with x, -1 when there is none. x is rare in
// telegrams, so that looking for it alone is fast; where it is not, the pair is looked for, so that no stream is slow.
func lineBegin(b []byte, x byte) int {
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
	for n < i+4 && n < len(b) && isHex(b[n]) {
		n++
	}
	if n < len(b) && n > i && n < i+4 {
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

// unreadable returns the index of the first byte that no text holds, -1 when there is none. Hungarian meters of Sanxing fill a message
// that was never set with FF: such a value is text.
func unreadable(b []byte) int {
	from := 0
	for {
		i := nonText(b[from:])
		if i < 0 {
			return -1
		}
		i += from
		if b[i] != filling || i == 0 || b[i-1] != '(' {
			return i
		}
		for from = i; from < len(b) && b[from] == filling; {
			from++
		}
		if from < len(b) && b[from] != ')' {
			return i
		}
	}
}

const filling = 0xFF

// nonText returns the index of the first byte that is zero or has its high bit set, -1 when there is none. Binary
// protocols are full of them, so that a '/' among their bytes is given up at once.
func nonText(b []byte) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	i := 0
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
