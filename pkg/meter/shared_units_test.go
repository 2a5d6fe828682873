package meter_test

import (
	"encoding/json"
	"strconv"
	"strings"
)

// documentedUnit returns the power of ten and the unit of a number that was sent without a scaler, as the documents of the manufacturer say. Kamstrup
// sends energy in 10 Wh, current in 0.01 A and power factors in hundredths. Kaifa sends currents in mA. The push lists of Switzerland and the lists
// of Slovenia have currents in 0.01 A and power factors in thousandths. voltExponent is the power of ten of voltages.
func documentedUnit(c *capture, code string, voltExponent int) (exponent int, unit string) {
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
	isTotalEnergy := groupC == 1 || groupC == 2 || groupC == 15
	isPhaseEnergy := groupC > 20 && groupC%20 <= 2
	switch {
	case groupD == 8 && (isTotalEnergy || isPhaseEnergy):
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
		return voltExponent, "V"
	case groupC%20 == 11 && groupC > 20:
		if exception, ok := otherCurrents[c.name()]; ok {
			return exception.exponent, "A"
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

// voltExponent returns the power of ten of the voltages in a telegram: the largest with which no voltage exceeds 500 V.
func voltExponent(values map[string][]sourceValue) (exponent int) {
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
		exponent--
	}
	return exponent
}
