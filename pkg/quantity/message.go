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
	text = bytes.Trim(text, "\x00\xFF")
	plain, err := hex.AppendDecode(f.plain[:0], text)
	f.plain = plain
	if plain = bytes.Trim(plain, "\x00\xFF"); err == nil && isPlain(plain) {
		return plain
	}
	if !isPlain(text) {
		return nil
	}
	return text
}

// isPlain tells that people can read b.
func isPlain(b []byte) bool {
	return utf8.Valid(b) && !bytes.ContainsFunc(b, func(r rune) bool { return !unicode.IsPrint(r) && !unicode.IsSpace(r) })
}
