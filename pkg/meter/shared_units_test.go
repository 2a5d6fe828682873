package meter_test

import (
	"encoding/json"
	"strconv"
	"strings"
)

// unscaled returns the power of ten and the unit of a number that was sent without a scaler, by its code and by the papers of
// the make: Kamstrup counts energy in 10 Wh and measures 0.01 A and hundredths of a power factor. Kaifa sends mA. The push lists of
// Switzerland and the lists of Slovenia have 0.01 A and thousandths. The power of ten of voltages is volts.
func unscaled(c *capture, code string, volts int) (shift int, unit string) {
	medium, rest, _ := strings.Cut(code, ":")
	groups := strings.Split(rest, ".")
	of, kind := number(groups[0]), number(groups[1])
	if medium[0] != '1' {
		if rest == "17.0.0" {
			return 0, "W"
		}
		return 0, ""
	}
	kamstrup, kaifa := isKamstrup(c), strings.Contains(strings.ToLower(c.Meter), "kaifa")
	switch {
	case kind == 8 && (of == 1 || of == 2 || of == 15 || of > 20 && of%20 <= 2):
		return pick(kamstrup, 1, 0), "Wh"
	case kind == 8 && of >= 5 && of <= 8 && groups[2] != "0":
		return 0, "" // quadrants by tariff are not a quantity: as sent
	case kind == 8:
		return pick(kamstrup, 1, 0), "varh"
	case kind != 7:
		return 0, ""
	}
	switch {
	case of%20 == 12 && of > 20:
		return volts, "V"
	case of%20 == 11 && of > 20:
		if other, ok := otherCurrents[c.name()]; ok {
			return other.exponent, "A"
		}
		return pick(kaifa, -3, -2), "A"
	case of%20 == 13:
		return pick(kamstrup, -2, -3), ""
	case of%20 <= 2:
		return 0, "W"
	case of%20 <= 8:
		return 0, "var"
	}
	return 0, ""
}

// isKamstrup reports whether a capture is of a Kamstrup meter, by its description or the name of its list.
func isKamstrup(c *capture) bool {
	return strings.Contains(strings.ToLower(c.Meter), "kamstrup") || strings.Contains(string(c.wire), "Kamstrup_V")
}

func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

func pick(yes bool, a, b int) int {
	if yes {
		return a
	}
	return b
}

// voltShift is the power of ten that makes the highest voltage that of a house. Phases that have failed send 0.
func voltShift(values map[string][]sourceValue) (shift int) {
	highest := 0
	for key, all := range values {
		switch _, rest, _ := strings.Cut(codeOf(key), ":"); rest {
		case "32.7.0", "52.7.0", "72.7.0":
			for _, v := range all {
				if raw, ok := v.Raw.(json.Number); ok && v.Value == "" {
					highest = max(highest, number(string(raw)))
				}
			}
		}
	}
	for ; highest > 500; highest /= 10 {
		shift--
	}
	return shift
}
