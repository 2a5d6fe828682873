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

// p1 returns a masked copy of an ASCII telegram. The telegram can be plain, have parity in bit 7, or be encrypted after its identification
// line.
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
		b = k.text(b)
		for i, x := range b {
			b[i] = x | byte(bits.OnesCount8(x)&1)<<7
		}
		return b, true
	}
	return k.text(b), true
}

// text masks the lines of a telegram in place, and returns the telegram with a correct checksum. The result is longer than b if the new
// checksum has more digits than the old one.
func (k *telegramMask) text(b []byte) []byte {
	var code obis.Code // of the previous line
	end := len(b)
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

// withChecksum corrects the checksum after the '!' at b[end], if there is a checksum, and returns the telegram. The new checksum has at least
// as many digits as the old one. It can have more, because some meters send a checksum without leading zeros.
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
	code, n := obis.ReadCode(line)
	switch i := bytes.IndexByte(line, '('); {
	case n > 0:
	case i > 0: // the line begins with a text that is no code: code remains zero, so that any value is masked
		n = i
	default:
		code = previous
	}
	if isHarmless(code) && bytes.IndexByte(line, '(') == n {
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
	mask, message := maskWord, code[2] == 96 && code[3] == 13 // 96.13.x is a message to the customer
	if message {
		mask = maskText
	}
	if text, ok := decodeHexText(b, message); ok {
		mask(text)
		copy(b, fmt.Sprintf("%X", text))
		return
	}
	mask(b)
}
