package p1

import "github.com/hanbridge/hanbridge/pkg/obis"

// A Line is one data line to write: a number in the layout of its meter, or a text.
type Line struct {
	Code obis.Code
	// Value is in the unit without prefix.
	Value obis.Decimal
	// Unit is as it stands on the wire, with its prefix: "kVArh". A Line without Unit is its Text.
	Unit string
	// Digits and Decimals are how many stand before and behind the point: 8 and 3 for 00006619.795.
	Digits, Decimals int
	Text             string
}

// Append appends a telegram with its checksum. It is what Parse reads back.
func Append(dst []byte, ident string, lines []Line) []byte {
	start := len(dst)
	dst = append(dst, '/')
	dst = append(dst, ident...)
	dst = append(dst, "\r\n\r\n"...)
	for i := range lines {
		dst = append(lines[i].append(dst), "\r\n"...)
	}
	dst = append(dst, '!')
	return appendChecksum(dst, Checksum(dst[start:]))
}

// AppendCiphered appends a ciphered telegram with its checksum. The body is as Ciphered returns it.
func AppendCiphered(dst []byte, ident string, body []byte) []byte {
	start := len(dst)
	dst = append(append(append(dst, '/'), ident...), emptyLine...)
	dst = append(append(dst, body...), '!')
	return appendChecksum(dst, frameChecksum(dst[start:]))
}

func appendChecksum(dst []byte, sum uint16) []byte {
	for shift := 12; shift >= 0; shift -= 4 {
		dst = append(dst, hexDigits[sum>>shift&0x0F])
	}
	return append(dst, "\r\n"...)
}

func (l *Line) append(dst []byte) []byte {
	dst = append(l.Code.Append(dst), '(')
	if l.Unit == "" {
		return append(append(dst, l.Text...), ')')
	}
	_, prefix, _ := obis.ParseUnit([]byte(l.Unit))
	v := l.Value.Shift(-prefix)
	if v.Sign() < 0 {
		dst, v = append(dst, '-'), v.Neg()
	}
	start := len(dst)
	width := l.Digits
	if l.Decimals > 0 {
		width += 1 + l.Decimals
	}
	dst = v.AppendFixed(dst, l.Decimals)
	for len(dst)-start < width {
		dst = append(dst, 0)
		copy(dst[start+1:], dst[start:])
		dst[start] = '0'
	}
	dst = append(dst, '*')
	return append(append(dst, l.Unit...), ')')
}
