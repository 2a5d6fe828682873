package capture

import (
	"bufio"
	"regexp"
	"strings"
)

// minDigits is the minimum number of digits of hexadecimal text. The shortest telegram has more digits. A recording that begins within an ASCII
// telegram can also begin with digits, but fewer of them.
const minDigits = 16

var (
	// hexText matches text of hexadecimal digits and white space, or of bytes with the same separator between all of them. The last byte can be
	// incomplete. Lines that begin with a time or a number do not match, because another separator follows the time or number.
	hexText = func() *regexp.Regexp {
		alternatives := []string{`[[:xdigit:]\s]*`}
		for _, separator := range []string{`\s`, `,`, `;`, `:`, `\.`, `-`} {
			alternatives = append(alternatives, `\s*(?:(?:0x[[:xdigit:]]{1,2}|[[:xdigit:]]{2})\s*(?:`+separator+`|\n)\s*)*(?:0x?)?[[:xdigit:]]{0,2}\s*`)
		}
		return regexp.MustCompile(`(?i)^(?:` + strings.Join(alternatives, "|") + `)$`)
	}()

	// notDigits matches 0x and each character that is not a hexadecimal digit.
	notDigits = regexp.MustCompile(`0[xX]|[^[:xdigit:]]`)
)

// isHex reports whether a recording with this beginning is hexadecimal text.
func isHex(start []byte) bool {
	return hexText.Match(start) && len(notDigits.ReplaceAll(start, nil)) >= minDigits
}

// A hexReader converts hexadecimal text into bytes. A character that is neither digit nor white space ends a byte and is skipped.
type hexReader struct {
	r         *bufio.Reader
	high      byte // the first digit of a byte, if hasHigh is true
	hasHigh   bool
	hasPrefix bool // 0x was read, so that a byte can have only one digit
}

// Read implements io.Reader.
func (h *hexReader) Read(p []byte) (n int, err error) {
	for n < len(p) && (n == 0 || h.r.Buffered() > 0) { // returns the bytes that have arrived, and does not wait for more
		x, err := h.r.ReadByte()
		if err != nil && (!h.hasPrefix || !h.hasHigh) { // n is 0 here
			return 0, err
		}
		v, isDigit := digit(x) // x is 0 at the end
		switch {
		case isDigit && !h.hasHigh:
			h.high, h.hasHigh = v, true
		case isDigit:
			p[n] = h.high<<4 | v
			n, h.hasHigh, h.hasPrefix = n+1, false, false
		case h.hasHigh && h.high == 0 && (x == 'x' || x == 'X'):
			h.hasHigh, h.hasPrefix = false, true
		case h.hasHigh && h.hasPrefix:
			p[n] = h.high
			n, h.hasHigh, h.hasPrefix = n+1, false, false
		case !strings.ContainsRune(" \t\r\n", rune(x)):
			h.hasHigh = false
		}
	}
	return n, nil
}

// digit returns the value of a hexadecimal digit, and false if x is another character.
func digit(x byte) (byte, bool) {
	switch {
	case x >= '0' && x <= '9':
		return x - '0', true
	case x|0x20 >= 'a' && x|0x20 <= 'f':
		return x | 0x20 - 'a' + 10, true
	}
	return 0, false
}
