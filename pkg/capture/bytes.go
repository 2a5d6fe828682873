package capture

import (
	"bufio"
	"bytes"
	"io"
	"regexp"
)

// Bytes returns a reader of the bytes that a recording r holds: r itself; those of a capture, without their times; those of a dump
// of hexdump, od or xxd; or, where its beginning is nothing but hexadecimal digits and white space, what these stand for. White
// space may stand between any two digits. Bytes may also be written as people paste them: 0x7E, 0xA2 or 7E:A2 or 7E-A2 or 7E.A2.
// Text whose lines end with the four characters \r\n, as programs print it, becomes what these stand for. Out of other text bytes
// are taken if whole telegrams are in them.
func Bytes(r io.Reader) io.Reader {
	c := NewReader(r)
	if c.plain != nil {
		return c.plain
	}
	return &flat{c: c}
}

// looked is how many bytes of a recording's beginning tell its form.
const looked = 4096

// beginning returns what one read gives, so that a pipe is not waited for.
func beginning(b *bufio.Reader) []byte {
	if _, err := b.Peek(1); err != nil {
		return nil
	}
	start, _ := b.Peek(min(b.Buffered(), looked)) // no error: it is buffered
	return start
}

// leastDigits is how many digits are no accident: a wire that is read from the middle of an ASCII telegram may begin with
// some, but soon has a point or a parenthesis. The shortest telegram has more.
const leastDigits = 16

// separated are bytes with something besides white space before or between them, the last one perhaps cut.
var separated = regexp.MustCompile(`^\s*((0[xX][[:xdigit:]]{1,2}|[[:xdigit:]]{2})[\s,;:.-]+)*(0[xX]?)?[[:xdigit:]]{0,2}\s*$`)

// beside matches what stands between the numbers of a line.
var beside = regexp.MustCompile(`[^[:xdigit:]xX]+`)

// alike reports whether the same separator is between all numbers of each line: behind the time or the number of a line stands
// another one than between the bytes.
func alike(start []byte) bool {
	var first []byte
	for line := range bytes.Lines(start) {
		for _, b := range beside.FindAll(bytes.TrimSpace(line), -1) {
			if b = bytes.TrimSpace(b); first == nil {
				first = append([]byte{}, b...)
			} else if !bytes.Equal(b, first) {
				return false
			}
		}
	}
	return true
}

// isHex tells if a recording begins with bytes in hexadecimal.
func isHex(start []byte) bool {
	digits, other := 0, false
	for _, x := range start {
		if _, ok := digit(x); ok {
			digits++
		} else if !isSpace(x) {
			other = true
		}
	}
	digits -= bytes.Count(start, []byte("0x")) + bytes.Count(start, []byte("0X"))
	return digits >= leastDigits && (!other || separated.Match(start) && alike(start))
}

// unhex turns hexadecimal text into bytes. What is neither digit nor white space ends a byte and is passed over.
type unhex struct {
	r    *bufio.Reader
	half int  // the first digit of a byte + 1, 0 for none
	x    bool // the byte began with 0x, so that one digit is enough
}

func (u *unhex) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if n > 0 && u.r.Buffered() == 0 {
			return n, nil // what has come is not kept back until there is more
		}
		x, err := u.r.ReadByte()
		if err != nil {
			if u.x && u.half > 0 {
				p[n] = u.end()
				n++
			}
			if n > 0 {
				return n, nil
			}
			return 0, err
		}
		v, ok := digit(x)
		switch {
		case ok && u.half == 0:
			u.half = int(v) + 1
		case ok:
			p[n] = byte(u.half-1)<<4 | v
			u.half, u.x = 0, false
			n++
		case x|0x20 == 'x' && u.half == 1:
			u.half, u.x = 0, true
		case u.x && u.half > 0:
			p[n] = u.end()
			n++
		case !isSpace(x):
			u.half = 0
		}
	}
	return n, nil
}

// end returns the byte that was begun.
func (u *unhex) end() byte {
	v := byte(u.half - 1)
	u.half, u.x = 0, false
	return v
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
