package meter_test

import (
	"encoding/json"
	"strconv"
	"strings"
)

// unscaled returns the power of ten and the unit of a number without a scaler, from the documents of the make. Kamstrup sends energy in 10 Wh,
// current in 0.01 A and power factors in hundredths. Kaifa sends currents in mA. The push lists of Switzerland and the lists of Slovenia have
// currents in 0.01 A and power factors in thousandths. volts is the power of ten of voltages.
func unscaled(c *capture, code string, volts int) (shift int, unit string) {
	medium, rest, _ := strings.Cut(code, ":")
	groups := strings.Split(rest, ".")
	groupC, groupD := number(groups[0]), number(groups[1])
	if medium[0] != '1' {
		if rest == "17.0.0" {
			return 0, "W"
		}
		return 0, ""
	}
	kamstrup, kaifa := isKamstrup(c), strings.Contains(strings.ToLower(c.Meter), "kaifa")
	switch {
	case groupD == 8 && (groupC == 1 || groupC == 2 || groupC == 15 || groupC > 20 && groupC%20 <= 2):
		return pick(kamstrup, 1, 0), "Wh"
	case groupD == 8 && groupC >= 5 && groupC <= 8 && groups[2] != "0":
		return 0, "" // the energy of a quadrant by tariff is not a quantity of package quantity
	case groupD == 8:
		return pick(kamstrup, 1, 0), "varh"
	case groupD != 7:
		return 0, ""
	}
	switch {
	case groupC%20 == 12 && groupC > 20:
		return volts, "V"
	case groupC%20 == 11 && groupC > 20:
		if other, ok := otherCurrents[c.name()]; ok {
			return other.exponent, "A"
		}
		return pick(kaifa, -3, -2), "A"
	case groupC%20 == 13:
		return pick(kamstrup, -2, -3), ""
	case groupC%20 <= 2:
		return 0, "W"
	case groupC%20 <= 8:
		return 0, "var"
	}
	return 0, ""
}

// isKamstrup reports whether the description or the list name of a capture shows a Kamstrup meter.
func isKamstrup(c *capture) bool {
	return strings.Contains(strings.ToLower(c.Meter), "kamstrup") || strings.Contains(string(c.bytes), "Kamstrup_V")
}

// number returns the number in s. It returns 0 if s is not a number.
func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// pick returns a if condition is true, and b otherwise.
func pick(condition bool, a, b int) int {
	if condition {
		return a
	}
	return b
}

// voltShift returns the power of ten of the voltages. With it, the highest voltage is at most 500 V. A phase without voltage has 0.
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
