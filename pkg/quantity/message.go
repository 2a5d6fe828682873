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
func (f *Converter) message(text []byte) []byte {
	if f.HexText {
		plain, err := hex.AppendDecode(f.messageBuf[:0], f.withoutLineEnds(text))
		if f.messageBuf = plain; err == nil && isReadable(withoutFill(plain)) {
			return withoutFill(plain)
		}
	}
	if text = withoutFill(text); isReadable(text) {
		return text
	}
	if !f.HexText || !isLatin(text) {
		return nil
	}
	f.messageBuf = f.messageBuf[:0]
	for _, x := range text {
		f.messageBuf = utf8.AppendRune(f.messageBuf, rune(x))
	}
	return f.messageBuf
}

// unfolded returns a text without the ends of its lines: long ones in hexadecimal come in several.
func (f *Converter) withoutLineEnds(text []byte) []byte {
	if bytes.IndexByte(text, '\n') < 0 {
		return text
	}
	f.lineBuf = f.lineBuf[:0]
	for _, x := range text {
		if x != '\r' && x != '\n' {
			f.lineBuf = append(f.lineBuf, x)
		}
	}
	return f.lineBuf
}

// isLatin tells that b is printable text of Latin-1. FF is what fills up a text, more often than a letter.
func isLatin(b []byte) bool {
	return !slices.ContainsFunc(b, func(x byte) bool {
		return x < ' ' && x != '\r' && x != '\n' || x >= 0x7F && x < 0xA0 || x == 0xFF
	})
}

// readable returns a text that people can read, and the digits of one that they cannot: some meters send a tariff as two bytes.
// Others send the letters of its name in hexadecimal, as DSMR does with longer texts: 5431 is T1.
func (f *Converter) textOrHex(text []byte) []byte {
	if name, ok := f.hexWord(text); ok {
		return name
	}
	if isReadable(text) {
		return text
	}
	start := len(f.textBuf)
	f.textBuf = hex.AppendEncode(f.textBuf, text)
	return f.textBuf[start:]
}

// word returns the word that the hexadecimal digits of an ASCII telegram stand for, ok false where they stand for none.
func (f *Converter) hexWord(text []byte) (word []byte, ok bool) {
	const leastDigits = 4
	if !f.HexText || len(text) < leastDigits {
		return nil, false
	}
	start := len(f.textBuf)
	all, err := hex.AppendDecode(f.textBuf, text)
	f.textBuf, word = all[:start], all[start:]
	if err != nil || slices.ContainsFunc(word, func(x byte) bool { return x-'0' > 9 && (x|0x20)-'a' > 'z'-'a' }) {
		return nil, false
	}
	f.textBuf = all
	return word, true
}

// filled returns b without what fills it up behind its end.
func withoutFill(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == 0 || b[len(b)-1] == 0xFF) {
		b = b[:len(b)-1]
	}
	return b
}

// isPlain tells that people can read b.
func isReadable(b []byte) bool {
	return utf8.Valid(b) && !bytes.ContainsFunc(b, func(r rune) bool { return !unicode.IsPrint(r) && !unicode.IsSpace(r) })
}
