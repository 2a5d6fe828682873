package source

import (
	"bufio"
	"io"
)

// Bytes returns a reader of the bytes in r: r itself, or, where its beginning is nothing but hexadecimal digits and white
// space, what these stand for. White space may stand between any two digits.
func Bytes(r io.Reader) io.Reader {
	b := bufio.NewReader(r)
	if !startsHex(b) {
		return b
	}
	return &unhex{r: b}
}

// leastDigits is how many digits are no accident: a wire that is read from the middle of an ASCII telegram may begin with
// some, but soon has a point or a parenthesis. The shortest telegram has more.
const leastDigits = 16

// startsHex looks at what one read gives, so that a pipe is not waited for.
func startsHex(b *bufio.Reader) bool {
	if _, err := b.Peek(1); err != nil {
		return false
	}
	start, _ := b.Peek(b.Buffered()) // no error: it is buffered
	digits := 0
	for _, x := range start {
		if _, ok := digit(x); ok {
			digits++
		} else if !isSpace(x) {
			return false
		}
	}
	return digits >= leastDigits
}

// unhex turns hexadecimal text into bytes. What is neither digit nor white space ends a byte and is passed over.
type unhex struct {
	r    *bufio.Reader
	half int // the first digit of a byte + 1, 0 for none
}

func (u *unhex) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if n > 0 && u.r.Buffered() == 0 {
			return n, nil // what has come is not kept back until there is more
		}
		x, err := u.r.ReadByte()
		if err != nil {
			if n > 0 {
				return n, nil
			}
			return 0, err
		}
		v, ok := digit(x)
		switch {
		case !ok && !isSpace(x):
			u.half = 0
		case ok && u.half == 0:
			u.half = int(v) + 1
		case ok:
			p[n] = byte(u.half-1)<<4 | v
			u.half = 0
			n++
		}
	}
	return n, nil
}

func isSpace(x byte) bool { return x == ' ' || x == '\n' || x == '\r' || x == '\t' }

func digit(x byte) (byte, bool) {
	switch {
	case x >= '0' && x <= '9':
		return x - '0', true
	case x|0x20 >= 'a' && x|0x20 <= 'f':
		return x | 0x20 - 'a' + 10, true
	}
	return 0, false
}
