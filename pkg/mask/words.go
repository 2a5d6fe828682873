package mask

import (
	"bytes"
	"encoding/hex"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// harmless are the codes, groups C, D and E, of texts that are the same in many houses. D or E 255 is any.
var harmless = [][3]byte{
	{0, 2, 0}, {0, 2, 8}, {0, 2, 129}, {0, 4, obis.Any}, // versions, name of the list, ratios of transformers
	{0, 9, 1}, {0, 9, 2}, {1, 0, 0}, {1, 1, 0}, // clocks
	{17, 0, 0}, {24, 1, 0}, {24, 2, obis.Any}, {24, 3, 0}, {24, 4, 0}, // limit; devices, their values and valves
	{96, 1, 4}, {96, 3, 10}, {96, 14, 0}, // version, breaker, tariff
	{96, 5, obis.Any}, {97, 97, obis.Any}, {96, 7, obis.Any}, {96, 50, obis.Any}, // states, failures
	{98, 1, 0}, {99, obis.Any, obis.Any}, // logs of values, of failures
}

// isHarmless tells if the text of a code may be shown. All codes of what is measured are.
func isHarmless(c obis.Code) bool {
	const lastMeasured = 93
	if c[0] == 1 && c[2] > 0 && c[2] <= lastMeasured {
		return true
	}
	if id, ok := quantity.ByCode(c); ok && id.Row().Numeric() {
		return true
	}
	for _, h := range harmless {
		if h[0] == c[2] && (h[1] == c[3] || h[1] == obis.Any) && (h[2] == c[4] || h[2] == obis.Any) {
			return true
		}
	}
	return false
}

// identifies tells if a code is that of a number of the meter (IEC 62056-6-2, 6.2.42: 0.0.0 to 0.0.9, 96.1.0 to
// 96.1.9), or the logical device name, 42.0.0.
func identifies(c obis.Code) bool {
	return c[2] == 0 && c[3] == 0 || c[2] == 96 && c[3] == 1 || c[0] == 0 && c[2] == 42
}

// printable tells if b is text, perhaps filled up with zeros.
func printable(b []byte) bool {
	return !bytes.ContainsFunc(b, func(r rune) bool { return (r < ' ' || r > '~') && r != 0 })
}

// maskWord makes a zero of each digit and an X of each letter, but for those of the maker in front: "1SAG1100012345" becomes
// "0SAG0000000000" (DIN 43863-5).
func maskWord(b []byte) {
	const maker = 4
	for i, x := range b {
		switch {
		case isDigit(x):
			b[i] = '0'
		case isLetter(x) && i >= maker:
			b[i] = 'X'
		}
	}
}

// maskModel leaves a short name as it is, such as MA304H3E of Kaifa, and the beginning of a long one: in 18 figures Kamstrup
// says more than what sort of meter it is.
func maskModel(b []byte) {
	const short, sort = 8, 6
	if len(b) > short {
		zeroDigits(b[sort:])
	}
}

// maskMessage makes an x of each letter and a zero of each digit. What fills a message that was never set stays.
func maskMessage(b []byte) {
	const filling = 0xFF
	for i, x := range b {
		switch {
		case x == filling:
		case isDigit(x):
			b[i] = '0'
		case isLetter(x) || x > '~':
			b[i] = 'x'
		}
	}
}

// leastHexed is from how many digits on a word may be text in hexadecimal: 8 letters.
const leastHexed = 16

// unhexed returns the text that a word stands for in hexadecimal; false where it stands for itself. Half of an
// identification's letters are digits at least: else it is a decimal number that by chance looks like letters.
func unhexed(b []byte, message bool) ([]byte, bool) {
	text, err := hex.DecodeString(string(b))
	if err != nil || !printable(text) {
		return nil, false
	}
	digits := 0
	for _, x := range text {
		if isDigit(x) {
			digits++
		}
	}
	return text, message || len(b) >= leastHexed && digits >= len(text)/2
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
