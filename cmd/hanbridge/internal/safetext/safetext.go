// Package safetext makes text safe to show to people: control characters become escapes, and what looks like a key or a
// password is left out. It also says what text a file holds.
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

// Escape returns text with what could steer a terminal, or hide what stands there, written as escapes: control characters
// (ESC, those of 80 to 9F, line ends), marks that change the direction of writing, and bytes that are not UTF-8.
func Escape(text string) string {
	if !strings.ContainsFunc(text, NeedsEscape) && utf8.ValidString(text) {
		return text
	}
	return string(appendEscaped(nil, text, ""))
}

// NeedsEscape reports whether a character is written as an escape.
func NeedsEscape(r rune) bool { return r < ' ' || r > '~' && !strconv.IsPrint(r) }

// appendEscaped appends text as visible returns it, but the characters of keep, which stay as they are.
func appendEscaped(dst []byte, text, keep string) []byte {
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		if r == utf8.RuneError && size == 1 || NeedsEscape(r) && !strings.ContainsRune(keep, r) {
			quoted := strconv.Quote(text[:size])
			dst = append(dst, quoted[1:len(quoted)-1]...)
		} else {
			dst = append(dst, text[:size]...)
		}
		text = text[size:]
	}
	return dst
}

// LineWriter writes lines for people, each write whole characters. Line ends and tabs stay.
type LineWriter struct{ W io.Writer }

func (s LineWriter) Write(b []byte) (int, error) {
	if _, err := s.W.Write(appendEscaped(nil, string(b), "\n\t")); err != nil {
		return 0, err
	}
	return len(b), nil
}

// JSONWriter writes JSON, each write whole characters. What could steer a terminal stands in strings there, and becomes \u escapes.
type JSONWriter struct{ W io.Writer }

func (j JSONWriter) Write(b []byte) (int, error) {
	out := b
	if strings.ContainsFunc(string(b), NeedsEscape) {
		out = make([]byte, 0, len(b)+64)
		for _, r := range string(b) {
			switch {
			case !NeedsEscape(r) || r < 0x80 && r != 0x7F: // the encoder has escaped those of ASCII, but for DEL
				out = utf8.AppendRune(out, r)
			case r > 0xFFFF:
				high, low := utf16.EncodeRune(r)
				out = appendHex(appendHex(out, high), low)
			default:
				out = appendHex(out, r)
			}
		}
	}
	if _, err := j.W.Write(out); err != nil {
		return 0, err
	}
	return len(b), nil
}

func appendHex(dst []byte, r rune) []byte { return fmt.Appendf(dst, `\u%04x`, r) }

// Redacted stands in messages where a secret may have stood.
const Redacted = "[hidden]"

var (
	// keyLike is a row of at least 24 hexadecimal digits, as keys are pasted, that is no part of a name of a file or a device.
	keyLike = regexp.MustCompile(`(^|[^0-9A-Za-z_/.-])(?:0[xX])?[0-9A-Fa-f]{2}(?:['"]?[ ,:;.-]{0,2}['"]?(?:0[xX])?[0-9A-Fa-f]{2}){11,}[0-9A-Fa-f]?\b`)
	// userInfo is what stands before the @ of an address.
	userInfo = regexp.MustCompile(`[^\s"'=/]+@`)
)

// Redact returns a message with what looks like a key or a password in it left out, and visible.
func Redact(text string) string {
	text = keyLike.ReplaceAllString(text, "${1}"+Redacted)
	return Escape(userInfo.ReplaceAllString(text, Redacted+"@"))
}

// MinKeyDigits is how many hexadecimal digits may be a part of a key.
const MinKeyDigits = 16

// LooksLikeKey reports whether a whole text looks like a key, or a part of one.
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

// IsUTF16 reports whether text begins with one of the marks of UTF-16.
func IsUTF16(text []byte) bool {
	return bytes.HasPrefix(text, []byte("\xFF\xFE")) || bytes.HasPrefix(text, []byte("\xFE\xFF"))
}

// IsText tells that a person could read b, whose last character may be cut.
func IsText(b []byte) bool {
	for range utf8.UTFMax - 1 {
		if r, size := utf8.DecodeLastRune(b); r == utf8.RuneError && size == 1 {
			b = b[:len(b)-1]
		}
	}
	return utf8.Valid(b) && !bytes.ContainsFunc(b, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' })
}
