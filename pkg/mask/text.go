package mask

import (
	"bytes"
	"fmt"
	"math/bits"
	"regexp"
	"slices"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/p1"
)

// p1 returns a masked copy of an ASCII telegram. Three forms are possible: unencrypted; unencrypted with a parity bit in bit 7 of each byte;
// encrypted except for the identification line.
func (k *telegramMask) p1(raw []byte) ([]byte, bool) {
	b := bytes.Clone(raw)
	if ident, body, ok := p1.SplitEncrypted(b); ok {
		checked, err := p1.CheckEncrypted(b)
		if err != nil {
			return nil, false
		}
		maskIdent(ident)
		var c dlms.Ciphered
		if c.ParseHeadless(body) != nil || !k.maskEncrypted(&c, ident) {
			return nil, false
		}
		if checked {
			end := len(ident) + len(body)
			sum := hdlc.Checksum(b[:end+1])                     // CRC-16/X.25, as in HDLC
			copy(b[end+1:], fmt.Sprintf("%04X", sum<<8|sum>>8)) // low byte first
		}
		return b, true
	}
	if b[0] != '/' { // a slash with its parity in bit 7
		if p1.StripParity(b, b) != len(b) {
			return nil, false
		}
		b = k.maskText(b)
		for i, x := range b {
			b[i] = x | byte(bits.OnesCount8(x)&1)<<7
		}
		return b, true
	}
	return k.maskText(b), true
}

// maskText masks the lines of an ASCII telegram in place, and returns the telegram with a right checksum. The result is longer than b if the new
// checksum has more digits than the old checksum.
func (k *telegramMask) maskText(b []byte) []byte {
	var code obis.Code // of the previous line
	end := len(b)      // the index of the '!', or the length if there is none
	if i := bytes.LastIndexByte(b, '!'); i > 0 && b[i-1] == '\n' {
		end = i
	}
	for line := range bytes.Lines(b[:end]) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		if bytes.HasPrefix(line, []byte("/")) {
			maskIdent(line)
			continue
		}
		code = maskLine(line, code)
	}
	return withChecksum(b, end)
}

// withChecksum corrects the checksum after the '!' at b[end], if there is a checksum, and returns the telegram. The new checksum has at least as
// many digits as the old checksum. It has more digits if the old checksum had no leading zeros and the new value is larger.
func withChecksum(b []byte, end int) []byte {
	start := min(end+1, len(b))
	digits := len(hexDigits.Find(b[start:]))
	if digits == 0 {
		return b
	}
	sum := fmt.Sprintf("%0*X", digits, p1.Checksum(b[:start]))
	return slices.Replace(b, start, start+digits, []byte(sum)...)
}

// maskIdent masks long runs of digits in an identification line, such as in "/ELL5\253833635_A". Short runs do not change, because they are
// part of the model, such as in "/ADN9 6534".
func maskIdent(b []byte) {
	for _, run := range longDigits.FindAllIndex(b, -1) {
		zeroDigits(b[run[0]:run[1]])
	}
}

// maskLine masks the values of a line and returns the code of the line. If the line begins with a value, its code is previous, the code of
// the previous line.
func maskLine(line []byte, previous obis.Code) obis.Code {
	code, n := obis.ReadCode(line) // n is the length of the code
	parenthesis := bytes.IndexByte(line, '(')
	switch {
	case n > 0: // the line begins with a code
	case parenthesis > 0: // the line begins with another text: code remains zero, so that any value is masked
		n = parenthesis
	default: // the line begins with a value, or has no value in parentheses
		code = previous
	}
	if isHarmless(code) && parenthesis == n {
		return code
	}
	for _, value := range bytes.FieldsFunc(line[n:], func(r rune) bool { return r == '(' || r == ')' }) {
		maskValue(value, code)
	}
	return code
}

// hexDigits matches the digits of a checksum.
var hexDigits = regexp.MustCompile(`^[0-9A-Fa-f]+`)

// harmlessValue matches values that identify nobody: numbers with a unit, timestamps, codes.
var harmlessValue = regexp.MustCompile(`^(-?\d+(\.\d+)?\*[[:alnum:]]+|\d\d[01]\d[0-3]\d[0-2]\d[0-5]\d[0-5]\d[SWsw]|\d+-\d+:\d+\.\d+\.\d+)$`)

// maskValue masks the value of a code in place.
func maskValue(b []byte, code obis.Code) {
	if harmlessValue.Match(b) {
		return
	}
	isMessage := code[2] == 96 && code[3] == 13 // 96.13.x is a message to the customer
	mask := maskWord
	if isMessage {
		mask = maskMessageText
	}
	if text, ok := decodeHexText(b, isMessage); ok {
		mask(text)
		copy(b, fmt.Sprintf("%X", text))
		return
	}
	mask(b)
}
