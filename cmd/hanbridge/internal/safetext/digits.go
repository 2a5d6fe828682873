package safetext

import (
	"fmt"
	"strings"
	"unicode"
)

func HexDigits(text string) (n int) {
	for i := range len(text) {
		if strings.IndexByte("0123456789abcdefABCDEF", text[i]) >= 0 {
			n++
		}
	}
	return n
}

// KeyDigits is how many hexadecimal digits a key of AES-128 has.
const KeyDigits = 32

// betweenDigits is what letters, web pages and programs put around the bytes of a key, besides white space and 0x.
const betweenDigits = `:;-,."'“”„‘’`

// BehindWord tells that a text ends with a key, or with a key and its authentication key. The end of the word may be digits too.
func BehindWord(text string) bool {
	end := text[len(strings.TrimRight(text, "0123456789abcdefABCDEFxX \t\r\n"+betweenDigits)):]
	_, rest, _ := strings.Cut(strings.Replace(end, ":", " ", 1), " ")
	for _, t := range []string{end, rest} {
		if digits, err := OnlyDigits(t); err == nil && (len(digits) == KeyDigits || len(digits) == 2*KeyDigits) {
			return true
		}
	}
	return false
}

func OnlyDigits(text string) (string, error) {
	var digits []byte
	before := ' '
	for i, r := range []rune(text) {
		switch {
		case strings.ContainsRune("0123456789abcdefABCDEF", r):
			digits = append(digits, byte(r))
		case before == '0' && (r == 'x' || r == 'X'):
			digits = digits[:len(digits)-1]
		case unicode.IsSpace(r), strings.ContainsRune(betweenDigits, r):
		default:
			return "", fmt.Errorf("character %d is no hexadecimal digit (0 to 9, a to f): write the key as %d of them", i+1, KeyDigits)
		}
		before = r
	}
	return string(digits), nil
}
