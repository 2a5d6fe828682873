package capture

import (
	"bufio"
	"regexp"
	"strings"
)

// leastDigits is how many digits are no accident: a wire that is read from the middle of an ASCII telegram may begin with
// some, but soon has a point or a parenthesis. The shortest telegram has more.
const leastDigits = 16

var (
	// hexText matches digits and white space alone, or bytes with the same between all of them: behind the time or the number of a
	// line stands something else than between the bytes. The last byte may be cut.
	hexText = func() *regexp.Regexp {
		either := []string{`[[:xdigit:]\s]*`}
		for _, between := range []string{`\s`, `,`, `;`, `:`, `\.`, `-`} {
			either = append(either, `\s*(?:(?:0x[[:xdigit:]]{1,2}|[[:xdigit:]]{2})\s*(?:`+between+`|\n)\s*)*(?:0x?)?[[:xdigit:]]{0,2}\s*`)
		}
		return regexp.MustCompile(`(?i)^(?:` + strings.Join(either, "|") + `)$`)
	}()

	// besideDigits matches what is no digit, or marks the digits behind it as hexadecimal.
	besideDigits = regexp.MustCompile(`0[xX]|[^[:xdigit:]]`)
)

// isHex tells if a recording begins with bytes in hexadecimal.
func isHex(start []byte) bool {
	return hexText.Match(start) && len(besideDigits.ReplaceAll(start, nil)) >= leastDigits
}

// A hexReader turns hexadecimal text into bytes. What is neither digit nor white space ends a byte and is passed over.
type hexReader struct {
	r     *bufio.Reader
	first byte // the first digit of a byte
	begun bool // first was read
	short bool // 0x was read, so that one digit is enough
}

func (h *hexReader) Read(p []byte) (n int, err error) {
	for n < len(p) && (n == 0 || h.r.Buffered() > 0) { // what has come is not kept back until there is more
		x, err := h.r.ReadByte()
		if err != nil && (!h.short || !h.begun) { // no byte of p is filled then
			return 0, err
		}
		v, isDigit := digit(x) // x is 0 at the end
		switch {
		case isDigit && !h.begun:
			h.first, h.begun = v, true
		case isDigit:
			p[n] = h.first<<4 | v
			n, h.begun, h.short = n+1, false, false
		case h.begun && h.first == 0 && (x == 'x' || x == 'X'):
			h.begun, h.short = false, true
		case h.begun && h.short:
			p[n] = h.first
			n, h.begun, h.short = n+1, false, false
		case !strings.ContainsRune(" \t\r\n", rune(x)):
			h.begun = false
		}
	}
	return n, nil
}

func digit(x byte) (byte, bool) {
	switch {
	case x >= '0' && x <= '9':
		return x - '0', true
	case x|0x20 >= 'a' && x|0x20 <= 'f':
		return x | 0x20 - 'a' + 10, true
	}
	return 0, false
}
