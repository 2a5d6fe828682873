package capture

import (
	"bufio"
	"regexp"
	"strings"
)

// minDigits is the minimum number of digits at the beginning of hexadecimal text. The first read of a port can return only some digits from the
// middle of an ASCII telegram, which must not be taken for hexadecimal text. Such digits are usually fewer than 16. The shortest telegram has
// more than 16 digits.
const minDigits = 16

var (
	// hexText matches text of hexadecimal digits and white space, or of bytes with the same separator between all of them. The last byte can be
	// incomplete. Lines that begin with a time, such as 10:15:20 7E A2, do not match, because they have different separators.
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

// A hexReader converts hexadecimal text into bytes. White space between the two digits of a byte is ignored. Any other character that is not a
// digit ends the byte, and a single digit before this character is dropped. After 0x, a single digit is a byte, and white space also ends it.
type hexReader struct {
	r         *bufio.Reader
	high      byte // the first digit of a byte, if hasHigh is true
	hasHigh   bool
	hasPrefix bool // 0x was read, after which one digit is enough for a byte
}

// Read implements io.Reader.
func (h *hexReader) Read(p []byte) (n int, err error) {
	for n < len(p) && (n == 0 || h.r.Buffered() > 0) { // as soon as p has one byte, Read does not wait for more input
		x, err := h.r.ReadByte()
		hasByte := h.hasPrefix && h.hasHigh // 0x and one digit
		if err != nil && !hasByte {
			return 0, err // n is 0, because ReadByte has no error while input is buffered
		}
		v, isDigit := digit(x) // after an error, x is 0, which is not a digit
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
