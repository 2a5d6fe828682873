package capture

import (
	"bufio"
	"bytes"
	"encoding/hex"
)

// isEscaped tells if a recording is text as programs print bytes: no telegram holds the four characters \r\n, let alone twice.
func isEscaped(start []byte) bool { return bytes.Count(start, []byte(`\r\n`)) > 1 }

// unescape turns text with the escapes that Python, C and JSON share into bytes. Real line ends, and a '\' before one, are
// those of the editor. A '\' before anything else is a character of its own: Dutch meters have one in their name.
type unescape struct{ r *bufio.Reader }

func (u *unescape) Read(p []byte) (n int, err error) {
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
		if x == '\r' || x == '\n' {
			continue
		}
		if x == '\\' {
			var ok bool
			if x, ok = u.meant(); !ok {
				continue
			}
		}
		p[n] = x
		n++
	}
	return n, nil
}

// meant returns the byte that a '\' and what follows it stand for, if any.
func (u *unescape) meant() (x byte, ok bool) {
	next, err := u.r.Peek(1)
	if err != nil {
		return '\\', true
	}
	length := 1
	switch next[0] {
	case 'r':
		x = '\r'
	case 'n':
		x = '\n'
	case 't':
		x = '\t'
	case '\\', '\'', '"':
		x = next[0]
	case 'x':
		digits, _ := u.r.Peek(3) // fewer are none
		b, err := hex.DecodeString(string(digits[1:]))
		if err != nil || len(b) == 0 {
			return '\\', true
		}
		x, length = b[0], 3
	case '\r', '\n':
		return 0, false
	default:
		return '\\', true
	}
	_, _ = u.r.Discard(length) // no error: these were just looked at
	return x, true
}
