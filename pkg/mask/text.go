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

// p1 masks an ASCII telegram: in clear, with parity in bit 7, or ciphered behind its identification line.
func (k *masking) p1(raw []byte) ([]byte, bool) {
	b := bytes.Clone(raw)
	if head, body, ok := p1.SplitEncrypted(b); ok {
		checked, err := p1.CheckEncrypted(b)
		if err != nil {
			return nil, false
		}
		maskIdent(head)
		var c dlms.Ciphered
		if c.ParseHeadless(body) != nil || !k.ciphered(&c, head) {
			return nil, false
		}
		if checked {
			end := len(head) + len(body)
			sum := hdlc.Checksum(b[:end+1]) // CRC-16/X.25, as in frames
			copy(b[end+1:], fmt.Sprintf("%04X", sum<<8|sum>>8))
		}
		return b, true
	}
	if b[0] != '/' {
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

// text masks the lines of a telegram in place, and mends its checksum. What it returns is longer than b where the checksum had
// fewer digits than that of the masked telegram has.
func (k *masking) text(b []byte) []byte {
	var code obis.Code
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
	return mended(b, end)
}

// mended returns a telegram with a right checksum behind the '!' at b[end], where it had one: with as many digits, or more where
// the meter leaves out zeros in front.
func mended(b []byte, end int) []byte {
	start := min(end+1, len(b))
	digits := len(hexDigits.Find(b[start:]))
	if digits == 0 {
		return b
	}
	sum := fmt.Sprintf("%0*X", digits, p1.Checksum(b[:start]))
	return slices.Replace(b, start, start+digits, []byte(sum)...)
}

// maskIdent masks what may be a number in an identification line: in "/ELL5\253833635_A" it is, in "/ADN9 6534" the digits are
// those of a model.
func maskIdent(b []byte) {
	for _, run := range number.FindAllIndex(b, -1) {
		zeroDigits(b[run[0]:run[1]])
	}
}

// maskLine masks the values of a line, whose code is that of the line before where it has none. It returns the code.
func maskLine(line []byte, before obis.Code) obis.Code {
	code, n := obis.ReadCode(line)
	switch i := bytes.IndexByte(line, '('); {
	case n > 0:
	case i > 0: // what stands there is no code: nobody knows what its value tells
		n = i
	default:
		code = before
	}
	if isHarmless(code) && bytes.IndexByte(line, '(') == n {
		return code
	}
	for _, value := range bytes.FieldsFunc(line[n:], func(r rune) bool { return r == '(' || r == ')' }) {
		maskValue(value, code)
	}
	return code
}

// hexDigits are those of a checksum.
var hexDigits = regexp.MustCompile(`^[0-9A-Fa-f]+`)

// shown are values that tell nothing of whose they are: numbers with a unit, stamps, codes.
var shown = regexp.MustCompile(`^(-?\d+(\.\d+)?\*[[:alnum:]]+|\d\d[01]\d[0-3]\d[0-2]\d[0-5]\d[0-5]\d[SWsw]|\d+-\d+:\d+\.\d+\.\d+)$`)

func maskValue(b []byte, code obis.Code) {
	if shown.Match(b) {
		return
	}
	mask, message := maskWord, code[2] == 96 && code[3] == 13 // to people
	if message {
		mask = maskMessage
	}
	if text, ok := unhexed(b, message); ok {
		mask(text)
		copy(b, fmt.Sprintf("%X", text))
		return
	}
	mask(b)
}
