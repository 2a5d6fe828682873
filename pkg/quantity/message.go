package quantity

import (
	"bytes"
	"encoding/hex"
	"unicode"
	"unicode/utf8"
)

// message returns what a text for people says: what its hexadecimal digits stand for, where that is text, else the text as it
// is. A message that was never set is filled with FF or zeros: it says nothing. What is returned is valid UTF-8, and valid
// until the next call.
func (f *Finder) message(text []byte) []byte {
	if f.Digits {
		plain, err := hex.AppendDecode(f.plain[:0], text)
		if f.plain = plain; err == nil && isPlain(filled(plain)) {
			return filled(plain)
		}
	}
	if text = filled(text); !isPlain(text) {
		return nil
	}
	return text
}

// readable returns a text that people can read, and the digits of one that they cannot: some meters send a tariff as two bytes.
func (f *Finder) readable(text []byte) []byte {
	if isPlain(text) {
		return text
	}
	start := len(f.digits)
	f.digits = hex.AppendEncode(f.digits, text)
	return f.digits[start:]
}

// filled returns b without what fills it up behind its end.
func filled(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == 0 || b[len(b)-1] == 0xFF) {
		b = b[:len(b)-1]
	}
	return b
}

// isPlain tells that people can read b.
func isPlain(b []byte) bool {
	return utf8.Valid(b) && !bytes.ContainsFunc(b, func(r rune) bool { return !unicode.IsPrint(r) && !unicode.IsSpace(r) })
}
