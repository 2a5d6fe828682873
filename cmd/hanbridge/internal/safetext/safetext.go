// Package safetext makes text safe to show to people. It escapes control characters, and hides keys and passwords. It also reports
// whether bytes are text, UTF-16 or a key.
package safetext

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/hanbridge/hanbridge/pkg/dlms"
)

// Escape replaces every character that is not printable as defined by strconv.IsPrint, and every byte that is not UTF-8, by a Go escape sequence.
// Such characters, for example control characters and marks that change the text direction, could control a terminal or hide text.
func Escape(text string) string {
	if !strings.ContainsFunc(text, NeedsEscape) && utf8.ValidString(text) {
		return text
	}
	return string(appendEscaped(nil, text, ""))
}

// NeedsEscape reports whether Escape replaces a character.
func NeedsEscape(r rune) bool { return r < ' ' || r > '~' && !strconv.IsPrint(r) }

// appendEscaped appends text to dst and escapes the text as Escape does. It does not escape the characters in allowed.
func appendEscaped(dst []byte, text, allowed string) []byte {
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		if r == utf8.RuneError && size == 1 || NeedsEscape(r) && !strings.ContainsRune(allowed, r) {
			quoted := strconv.Quote(text[:size])
			dst = append(dst, quoted[1:len(quoted)-1]...)
		} else {
			dst = append(dst, text[:size]...)
		}
		text = text[size:]
	}
	return dst
}

// LineWriter is an io.Writer that writes escaped text to W. It does not escape line feeds and tabs. The bytes of one character must not be
// divided between two calls of Write.
type LineWriter struct{ W io.Writer }

func (l LineWriter) Write(b []byte) (int, error) {
	if _, err := l.W.Write(appendEscaped(nil, string(b), "\n\t")); err != nil {
		return 0, err
	}
	return len(b), nil
}

// JSONWriter is an io.Writer that writes JSON to W. In strings it replaces characters that could control a terminal by \u escapes. The bytes of
// one character must not be divided between two calls of Write.
type JSONWriter struct{ W io.Writer }

func (j JSONWriter) Write(b []byte) (int, error) {
	out := b
	if strings.ContainsFunc(string(b), NeedsEscape) {
		out = make([]byte, 0, len(b)+64) // a few escapes fit in without a second allocation
		for _, r := range string(b) {
			switch {
			// JSON escapes the ASCII control characters in strings, except DEL (7F). All others that are left are between values.
			case !NeedsEscape(r) || r < 0x80 && r != 0x7F:
				out = utf8.AppendRune(out, r)
			case r > 0xFFFF:
				high, low := utf16.EncodeRune(r)
				out = appendUnicodeEscape(appendUnicodeEscape(out, high), low)
			default:
				out = appendUnicodeEscape(out, r)
			}
		}
	}
	if _, err := j.W.Write(out); err != nil {
		return 0, err
	}
	return len(b), nil
}

func appendUnicodeEscape(dst []byte, r rune) []byte { return fmt.Appendf(dst, `\u%04x`, r) }

// Redacted replaces what is possibly a secret in messages.
const Redacted = "[hidden]"

var (
	// keyLike matches at least 24 hexadecimal digits in the forms in which people paste keys, but not within the name of a file or a device.
	keyLike = regexp.MustCompile(`(^|[^0-9A-Za-z_/.-])(?:0[xX])?[0-9A-Fa-f]{2}(?:['"]?[ ,:;.-]{0,2}['"]?(?:0[xX])?[0-9A-Fa-f]{2}){11,}[0-9A-Fa-f]?\b`)
	// userInfo matches the user and the password before the @ of an address.
	userInfo = regexp.MustCompile(`[^\s"'=/]+@`)
)

// Redact returns text in which everything that looks like a key or a password is replaced by Redacted. It escapes the rest of the text.
func Redact(text string) string {
	text = keyLike.ReplaceAllString(text, "${1}"+Redacted)
	return Escape(userInfo.ReplaceAllString(text, Redacted+"@"))
}

// MinKeyDigits is the minimum number of hexadecimal digits in a text that looks like a part of a key.
const MinKeyDigits = 16

// LooksLikeKey reports whether a text looks like a key or a part of a key.
func LooksLikeKey(text string) bool {
	return dlms.LooksLikeKey(text, MinKeyDigits) || keyLike.MatchString(text)
}

// HexDigits counts the hexadecimal digits in a text.
func HexDigits(text string) (n int) {
	for i := range len(text) {
		if strings.IndexByte("0123456789abcdefABCDEF", text[i]) >= 0 {
			n++
		}
	}
	return n
}

// IsUTF16 reports whether text begins with a byte order mark of UTF-16.
func IsUTF16(text []byte) bool {
	return bytes.HasPrefix(text, []byte("\xFF\xFE")) || bytes.HasPrefix(text, []byte("\xFE\xFF"))
}

// IsText reports whether b is UTF-8 text whose only control characters are line ends and tabs. The last character can be incomplete.
func IsText(b []byte) bool {
	for range utf8.UTFMax - 1 { // an incomplete character has at most this number of bytes
		if r, size := utf8.DecodeLastRune(b); r == utf8.RuneError && size == 1 {
			b = b[:len(b)-1]
		}
	}
	return utf8.Valid(b) && !bytes.ContainsFunc(b, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' })
}
