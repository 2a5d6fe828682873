package safetext

import "strings"

// HexDigits counts the hexadecimal digits in a text.
func HexDigits(text string) (n int) {
	for i := range len(text) {
		if strings.IndexByte("0123456789abcdefABCDEF", text[i]) >= 0 {
			n++
		}
	}
	return n
}
