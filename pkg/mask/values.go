package mask

import (
	"bytes"
	"encoding/hex"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// harmlessCodes are the codes (groups C, D and E) of texts that identify nobody. In groups D and E, 255 is for any number.
var harmlessCodes = [][3]byte{
	{0, 2, 0}, {0, 2, 8}, {0, 2, 129}, {0, 4, obis.Any}, // versions, name of the list, ratios of transformers
	{0, 9, 1}, {0, 9, 2}, {1, 0, 0}, {1, 1, 0}, // clocks
	{17, 0, 0}, {24, 1, 0}, {24, 2, obis.Any}, {24, 3, 0}, {24, 4, 0}, // power limit; types, values and valves of sub-meters
	{96, 1, 4}, {96, 3, 10}, {96, 14, 0}, // version, breaker, tariff
	{96, 5, obis.Any}, {97, 97, obis.Any}, {96, 7, obis.Any}, {96, 50, obis.Any}, // states, failures
	{98, 1, 0}, {99, obis.Any, obis.Any}, // logs of values, logs of failures
}

// isHarmless reports whether a text with code c identifies nobody. The codes of all measured quantities are harmless.
func isHarmless(c obis.Code) bool {
	const lastMeasured = 93 // the highest group C of measured quantities
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

// isIdentification reports whether c is the code of a serial number (IEC 62056-6-2, 6.2.42: 0.0.0 to 0.0.9, 96.1.0 to 96.1.9) or of the
// logical device name (42.0.0).
func isIdentification(c obis.Code) bool {
	return c[2] == 0 && c[3] == 0 || c[2] == 96 && c[3] == 1 || c[0] == 0 && c[2] == 42
}

// isPrintable reports whether b contains only printable ASCII characters and zero bytes. Meters pad texts with zero bytes.
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

// maskModel masks a long name of a model after its first six characters. The type of a Kamstrup meter, for example, has 18 digits, and the
// last of them identify the meter. Names of up to eight characters, such as MA304H3E of Kaifa, do not change.
func maskModel(b []byte) {
	const maxShort, prefix = 8, 6
	if len(b) > maxShort {
		zeroDigits(b[prefix:])
	}
}

// maskText replaces each letter by x and each digit by 0. It keeps bytes FF, with which meters fill an empty message.
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

// minHexText is the minimum number of hexadecimal digits that decodeHexText decodes: two for each of eight characters. It does not apply to
// messages.
const minHexText = 16

// decodeHexText returns the text whose hexadecimal digits are b. ok is false if b is not the hexadecimal form of a text. message is true if
// b is a message to the customer. Otherwise b is an identification, and at least half of the characters in its text must be digits. If
// fewer are digits, b is probably a decimal number that looks like hexadecimal text by chance.
func decodeHexText(b []byte, message bool) (text []byte, ok bool) {
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
