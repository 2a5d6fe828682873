package mask

import (
	"bytes"
	"encoding/hex"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// harmlessCodes are the codes (groups C, D and E) of texts that identify nobody. In groups D and E, obis.Any stands for any number.
var harmlessCodes = [][3]byte{
	{0, 2, 0}, {0, 2, 8}, {0, 2, 129}, {0, 4, obis.Any}, // versions, name of the list, ratios of transformers
	{0, 9, 1}, {0, 9, 2}, {1, 0, 0}, {1, 1, 0}, // clocks
	{17, 0, 0}, {24, 1, 0}, {24, 2, obis.Any}, {24, 3, 0}, {24, 4, 0}, // power limit; types, values and valves of sub-meters
	{96, 1, 4}, {96, 3, 10}, {96, 14, 0}, // version, breaker, tariff
	{96, 5, obis.Any}, {97, 97, obis.Any}, {96, 7, obis.Any}, {96, 50, obis.Any}, // states, failures
	{98, 1, 0}, {99, obis.Any, obis.Any}, // logs of values, logs of failures
}

// isHarmless reports whether a text with code c identifies nobody. This is true for the codes of all measured quantities and for harmlessCodes.
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

// maskWord replaces each digit by 0, and each letter after the first four characters by X. Letters among the first four characters do not change,
// because they are usually the manufacturer code: "1SAG1100012345" becomes "0SAG0000000000" (DIN 43863-5).
func maskWord(b []byte) {
	const manufacturerLength = 4 // one digit and the three letters of the manufacturer code
	for i, x := range b {
		switch {
		case isDigit(x):
			b[i] = '0'
		case isLetter(x) && i >= manufacturerLength:
			b[i] = 'X'
		}
	}
}

// maskModel replaces the digits after the first six characters of a long model name by 0. The type number of a Kamstrup meter, for example, has 18
// characters, and the last of them identify the meter. Names of up to eight characters, such as MA304H3E of Kaifa, do not change.
func maskModel(b []byte) {
	const maxShort, prefix = 8, 6
	if len(b) > maxShort {
		zeroDigits(b[prefix:])
	}
}

// maskMessageText replaces each letter by x, each digit by 0, and each byte above 7E by x, because such bytes are letters in UTF-8 or Latin-1. Bytes FF do
// not change, because meters fill an empty message with FF.
func maskMessageText(b []byte) {
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

// minHexText is the minimum number of hexadecimal digits of an identification that decodeHexText decodes: two for each of eight characters.
const minHexText = 16

// decodeHexText returns the text whose hexadecimal digits are b. ok is false if b is not the hexadecimal form of a text. isMessage is true if b is
// a message to the customer. Otherwise b is an identification, which must have at least minHexText digits. At least half of the characters in
// the text of an identification must be digits. If fewer are digits, b is probably a decimal number that looks like hexadecimal text by chance.
func decodeHexText(b []byte, isMessage bool) (text []byte, ok bool) {
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
	fitsIdentification := len(b) >= minHexText && digits >= len(text)/2
	return text, isMessage || fitsIdentification
}

// zeroDigits replaces each digit by 0.
func zeroDigits(b []byte) {
	for i, x := range b {
		if isDigit(x) {
			b[i] = '0'
		}
	}
}

func isDigit(x byte) bool { return x-'0' <= 9 }

func isLetter(x byte) bool { return (x|0x20)-'a' <= 'z'-'a' }
