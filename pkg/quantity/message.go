package quantity

import (
	"bytes"
	"encoding/hex"
	"slices"
	"unicode"
	"unicode/utf8"
)

// message returns what a text for people says: what its hexadecimal digits stand for, where that is text, else the text as it
// is; letters of Latin-1 become those of UTF-8. A message that was never set is filled with FF or zeros: it says nothing. What is
// returned is valid UTF-8, and valid until the next call.
func (f *Finder) message(text []byte) []byte {
	if f.Digits {
		plain, err := hex.AppendDecode(f.plain[:0], f.unfolded(text))
		if f.plain = plain; err == nil && isPlain(filled(plain)) {
			return filled(plain)
		}
	}
	if text = filled(text); isPlain(text) {
		return text
	}
	if !f.Digits || !isLatin(text) {
		return nil
	}
	f.plain = f.plain[:0]
	for _, x := range text {
		f.plain = utf8.AppendRune(f.plain, rune(x))
	}
	return f.plain
}

// unfolded returns a text without the ends of its lines: long ones in hexadecimal come in several.
func (f *Finder) unfolded(text []byte) []byte {
	if bytes.IndexByte(text, '\n') < 0 {
		return text
	}
	f.line = f.line[:0]
	for _, x := range text {
		if x != '\r' && x != '\n' {
			f.line = append(f.line, x)
		}
	}
	return f.line
}

// isLatin tells that b is printable text of Latin-1. FF is what fills up a text, more often than a letter.
func isLatin(b []byte) bool {
	return !slices.ContainsFunc(b, func(x byte) bool {
		return x < ' ' && x != '\r' && x != '\n' || x >= 0x7F && x < 0xA0 || x == 0xFF
	})
}

// readable returns a text that people can read, and the digits of one that they cannot: some meters send a tariff as two bytes.
// Others send the letters of its name in hexadecimal, as DSMR does with longer texts: 5431 is T1.
func (f *Finder) readable(text []byte) []byte {
	if name, ok := f.word(text); ok {
		return name
	}
	if isPlain(text) {
		return text
	}
	start := len(f.digits)
	f.digits = hex.AppendEncode(f.digits, text)
	return f.digits[start:]
}

// word returns the word that the hexadecimal digits of an ASCII telegram stand for, ok false where they stand for none.
func (f *Finder) word(text []byte) (word []byte, ok bool) {
	const leastDigits = 4
	if !f.Digits || len(text) < leastDigits {
		return nil, false
	}
	start := len(f.digits)
	all, err := hex.AppendDecode(f.digits, text)
	f.digits, word = all[:start], all[start:]
	if err != nil || slices.ContainsFunc(word, func(x byte) bool { return x-'0' > 9 && (x|0x20)-'a' > 'z'-'a' }) {
		return nil, false
	}
	f.digits = all
	return word, true
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
