package mask

import (
	"bytes"
	"encoding/hex"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// harmlessCodes are the codes (groups C, D and E) of texts that identify nobody. In groups D and E, 255 stands for any number.
var harmlessCodes = [][3]byte{
	{0, 2, 0}, {0, 2, 8}, {0, 2, 129}, {0, 4, obis.Any}, // versions, name of the list, ratios of transformers
	{0, 9, 1}, {0, 9, 2}, {1, 0, 0}, {1, 1, 0}, // clocks
	{17, 0, 0}, {24, 1, 0}, {24, 2, obis.Any}, {24, 3, 0}, {24, 4, 0}, // limit; devices, their values and valves
	{96, 1, 4}, {96, 3, 10}, {96, 14, 0}, // version, breaker, tariff
	{96, 5, obis.Any}, {97, 97, obis.Any}, {96, 7, obis.Any}, {96, 50, obis.Any}, // states, failures
	{98, 1, 0}, {99, obis.Any, obis.Any}, // logs of values, of failures
}

// isHarmless reports whether the text of a code identifies nobody. The codes of measured quantities are all harmless.
func isHarmless(c obis.Code) bool {
	const lastMeasured = 93 // the last group C of measured quantities
	if c[0] == 1 && c[2] > 0 && c[2] <= lastMeasured {
		return true
	}
	if id, ok := quantity.ByCode(c); ok && id.Row().Numeric() {
		return true
	}
	for _, h := range harmlessCodes {
		if h[0] == c[2] && (h[1] == c[3] || h[1] == obis.Any) && (h[2] == c[4] || h[2] == obis.Any) {
			return true
		}
	}
	return false
}

// isIdentification reports whether a code is that of a serial number of the meter (IEC 62056-6-2, 6.2.42: 0.0.0 to 0.0.9, 96.1.0 to 96.1.9)
// or its logical device name, 42.0.0.
func isIdentification(c obis.Code) bool {
	return c[2] == 0 && c[3] == 0 || c[2] == 96 && c[3] == 1 || c[0] == 0 && c[2] == 42
}

// isPrintable reports whether b contains only printable ASCII characters and zero bytes, with which meters pad texts.
func isPrintable(b []byte) bool {
	return !bytes.ContainsFunc(b, func(r rune) bool { return (r < ' ' || r > '~') && r != 0 })
}

// maskWord replaces each digit by 0 and each letter by X. It keeps letters among the first four characters, which name the maker:
// "1SAG1100012345" becomes "0SAG0000000000" (DIN 43863-5).
func maskWord(b []byte) {
	const makerLength = 4
	for i, x := range b {
		switch {
		case isDigit(x):
			b[i] = '0'
		case isLetter(x) && i >= makerLength:
			b[i] = 'X'
		}
	}
}

// maskModel masks the name of a model. It keeps a short name, such as MA304H3E of Kaifa. Of a long name it keeps only the first six
// characters, because a type of Kamstrup has 18 digits, which describe the individual meter too.
func maskModel(b []byte) {
	const maxShort, prefix = 8, 6
	if len(b) > maxShort {
		zeroDigits(b[prefix:])
	}
}

// maskText replaces each letter by x and each digit by 0. It keeps FF, with which a message that was never set is filled.
func maskText(b []byte) {
	const filler = 0xFF
	for i, x := range b {
		switch {
		case x == filler:
		case isDigit(x):
			b[i] = '0'
		case isLetter(x) || x > '~':
			b[i] = 'x'
		}
	}
}

// minHexText is the fewest hexadecimal digits that are taken for text, two for each of 8 characters. It does not apply to messages.
const minHexText = 16

// decodeHexText returns the text whose hexadecimal digits are b, and false if b is not the hexadecimal form of a text. message is true for
// a message to the customer, which has any characters. Any other text is an identification, of which at least half of the characters are
// digits. If fewer are digits, b is a decimal number that looks like hexadecimal text by chance.
func decodeHexText(b []byte, message bool) ([]byte, bool) {
	text, err := hex.DecodeString(string(b))
	if err != nil || !isPrintable(text) {
		return nil, false
	}
	digits := 0
	for _, x := range text {
		if isDigit(x) {
			digits++
		}
	}
	return text, message || len(b) >= minHexText && digits >= len(text)/2
}

func zeroDigits(b []byte) {
	for i, x := range b {
		if isDigit(x) {
			b[i] = '0'
		}
	}
}

func isDigit(x byte) bool { return x-'0' <= 9 }

func isLetter(x byte) bool { return (x|0x20)-'a' <= 'z'-'a' }
