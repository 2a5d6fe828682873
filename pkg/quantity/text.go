package quantity

import (
	"bytes"
	"encoding/hex"
	"slices"
	"unicode"
	"unicode/utf8"
)

// message returns the text of a message for people, as valid UTF-8 without fill bytes (FF or 00) at its end. In an ASCII telegram, hexadecimal
// digits are decoded if the result is readable text, and Latin-1 is converted to UTF-8. The result is empty if the message consists of fill bytes,
// because the message was then never set. It is also empty if the message is not readable. The result is valid until the next call.
func (c *Converter) message(text []byte) []byte {
	if c.HexText {
		plain, err := hex.AppendDecode(c.messageBuf[:0], c.withoutLineEnds(text))
		c.messageBuf = plain
		if err == nil && isReadable(withoutFill(plain)) {
			return withoutFill(plain)
		}
	}
	if text = withoutFill(text); isReadable(text) {
		return text
	}
	if !c.HexText || !isLatin1(text) {
		return nil
	}
	c.messageBuf = c.messageBuf[:0]
	for _, x := range text {
		c.messageBuf = utf8.AppendRune(c.messageBuf, rune(x))
	}
	return c.messageBuf
}

// withoutLineEnds returns a text without CR and LF. Long hexadecimal texts have several lines.
func (c *Converter) withoutLineEnds(text []byte) []byte {
	if bytes.IndexByte(text, '\n') < 0 {
		return text
	}
	c.lineBuf = c.lineBuf[:0]
	for _, x := range text {
		if x != '\r' && x != '\n' {
			c.lineBuf = append(c.lineBuf, x)
		}
	}
	return c.lineBuf
}

// isLatin1 reports whether b is printable text in Latin-1. FF does not count as the letter ÿ, because FF is usually a fill byte.
func isLatin1(b []byte) bool {
	return !slices.ContainsFunc(b, func(x byte) bool {
		return x < ' ' && x != '\r' && x != '\n' || x >= 0x7F && x < 0xA0 || x == 0xFF
	})
}

// textOrHex returns text in readable form. Some meters send the name of a tariff as hexadecimal digits, such as 5431 for T1: the result is then
// the name. Other meters send a tariff as two binary bytes: the result is then the hexadecimal digits of the bytes.
func (c *Converter) textOrHex(text []byte) []byte {
	if name, ok := c.hexWord(text); ok {
		return name
	}
	if isReadable(text) {
		return text
	}
	start := len(c.textBuf)
	c.textBuf = hex.AppendEncode(c.textBuf, text)
	return c.textBuf[start:]
}

// hexWord decodes the hexadecimal digits in a text of an ASCII telegram. ok is true if the result has only letters and digits.
func (c *Converter) hexWord(text []byte) (word []byte, ok bool) {
	const minDigits = 4
	if !c.HexText || len(text) < minDigits {
		return nil, false
	}
	start := len(c.textBuf)
	buf, err := hex.AppendDecode(c.textBuf, text)
	c.textBuf, word = buf[:start], buf[start:] // textBuf keeps the word only if hexWord returns it
	if err != nil || slices.ContainsFunc(word, func(x byte) bool { return x-'0' > 9 && (x|0x20)-'a' > 'z'-'a' }) {
		return nil, false
	}
	c.textBuf = buf
	return word, true
}

// withoutFill returns b without fill bytes (00 and FF) at its end.
func withoutFill(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == 0 || b[len(b)-1] == 0xFF) {
		b = b[:len(b)-1]
	}
	return b
}

// isReadable reports whether b is UTF-8 with only printable characters and white space.
func isReadable(b []byte) bool {
	return utf8.Valid(b) && !bytes.ContainsFunc(b, func(r rune) bool { return !unicode.IsPrint(r) && !unicode.IsSpace(r) })
}
