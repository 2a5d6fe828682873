package simulate

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A field is one item of a list.
type field struct {
	code obis.Code
	// class and attribute are the COSEM class and attribute. Only some shapes of lists send them. attribute is 0 for the push setup, which is
	// listed without a value.
	class     uint16
	attribute byte
	// withoutCode is true for an item that is sent without its code in a list with codes.
	withoutCode bool
	// swappedTag is true for a code whose tag and length are sent in the wrong order, as ZMF1 meters send them.
	swappedTag bool
	// hasScaler is true for registers. exp and unit are the scaler and the unit. Only some shapes of lists send them.
	hasScaler bool
	exp       int8
	unit      obis.Unit
	// appendValue appends the value.
	appendValue encoder
}

// parseField parses a line of a list file. It panics at an error, because the files are part of the program.
func parseField(line string, c clock) field {
	words := strings.Fields(line)
	if words[0] == "null" {
		return field{withoutCode: true, appendValue: func(dst []byte, _ *State) []byte { return dlms.AppendNull(dst) }}
	}
	f := field{code: obis.MustCode(words[0]), class: 1, attribute: 2}
	parameter := ""
	for i := 2; i < len(words); i++ {
		switch words[i] {
		case "bare":
			f.withoutCode = true
		case "swapped":
			f.swappedTag = true
		case "class": // switches and limits have their value in attribute 3
			i++
			f.class, f.attribute = uint16(mustParseInt(words[i])), 3
		default:
			parameter = words[i]
		}
	}
	f.setValue(words[1], parameter, c)
	return f
}

// setValue sets appendValue and the fields that depend on the type of the value. typeName is the second word of a line in a list file.
// parameter is the word after typeName that is neither "bare", "swapped" nor "class", or "".
func (f *field) setValue(typeName, parameter string, c clock) {
	numberType, isNumber := numberTypes[typeName]
	constant, isConstant := strings.CutPrefix(parameter, "=")
	switch {
	case typeName == "setup":
		f.class, f.attribute = 40, 0
	case typeName == "name":
		f.class, f.attribute = 40, 1
		f.appendValue = octets(f.code[:])
	case typeName == "clock" || typeName == "hour":
		f.class = 8
		f.appendValue = c.variables()[typeName]
	case isConstant:
		v := mustParseInt(constant)
		f.appendValue = func(dst []byte, _ *State) []byte { return dlms.AppendNumber(dst, numberType, v) }
	case isNumber:
		f.class, f.hasScaler, f.unit = 3, true, unitOf(f.code)
		if parameter != "" {
			f.exp = int8(mustParseInt(parameter))
		}
		f.appendValue = registerValue(f.code, numberType, f.exp)
	case typeName == "octets":
		f.appendValue = octets([]byte(must(strconv.Unquote(parameter))))
	case typeName == "visible":
		text := must(strconv.Unquote(parameter))
		f.appendValue = func(dst []byte, _ *State) []byte { return dlms.AppendVisibleString(dst, text) }
	case typeName == "code":
		f.appendValue = func(dst []byte, _ *State) []byte { return dlms.AppendLogicalName(dst, f.code) }
	default:
		if f.appendValue = c.variables()[typeName]; f.appendValue == nil {
			panic("simulate: no value is called " + typeName)
		}
	}
}

// numberTypes are the DLMS types of numbers by their names in list files.
var numberTypes = map[string]dlms.NumberType{
	"boolean": dlms.Boolean, "enum": dlms.Enum, "uint8": dlms.Uint8, "uint16": dlms.Uint16, "uint32": dlms.Uint32,
	"uint64": dlms.Uint64, "int16": dlms.Int16,
}

// variables returns the encoders of values other than numbers, by their names in list files.
func (c clock) variables() map[string]encoder {
	part := func(from, to int) encoder { // bytes of the date-time
		return func(dst []byte, s *State) []byte {
			return dlms.AppendOctetString(dst, string(c.dateTime(s.Time).Append(nil)[from:to]))
		}
	}
	return map[string]encoder{
		"clock": func(dst []byte, s *State) []byte { return dlms.AppendDateTime(dst, c.dateTime(s.Time)) },
		"hour":  func(dst []byte, s *State) []byte { return dlms.AppendDateTime(dst, c.dateTime(s.Hour)) },
		"date":  part(0, 5),
		"time":  part(5, 9),
		"tariff-bytes": func(dst []byte, s *State) []byte {
			return dlms.AppendOctetString(dst, string([]byte{0, byte(s.Tariff)}))
		},
		"tariff-text": func(dst []byte, s *State) []byte { return dlms.AppendOctetString(dst, fmt.Sprint("T", s.Tariff)) },
		"limits": func(dst []byte, _ *State) []byte {
			return dlms.AppendNumber(dlms.AppendArray(dst, 1), dlms.Uint16, 10000)
		},
	}
}

func octets(b []byte) encoder {
	return func(dst []byte, _ *State) []byte { return dlms.AppendOctetString(dst, string(b)) }
}

// must returns v. It panics at an error, because v is from a table or an embedded file of this package.
func must[T any](v T, err error) T {
	if err != nil {
		panic("simulate: " + err.Error())
	}
	return v
}

func mustParseInt(text string) int64 { return must(strconv.ParseInt(text, 10, 64)) }

// append appends the item in the shape of its list.
func (f *field) append(dst []byte, sh shape, s *State) []byte {
	switch {
	case f.withoutCode || sh == positional || sh == pushList:
		return f.appendValue(dst, s)
	case sh == describedItems:
		dst = dlms.AppendAttributeDescriptor(dlms.AppendStructure(dst, 2), f.class, f.code, f.attribute)
		return f.appendValue(dst, s)
	case sh == registers || sh == structured:
		n := 2 // code and value
		if f.hasScaler {
			n++
		}
		dst = dlms.AppendStructure(dst, n)
	}
	start := len(dst)
	dst = dlms.AppendLogicalName(dst, f.code)
	if f.swappedTag {
		dst[start], dst[start+1] = dst[start+1], dst[start]
	}
	dst = f.appendValue(dst, s)
	if f.hasScaler && sh != pairs {
		dst = dlms.AppendScalerUnit(dst, f.exp, f.unit)
	}
	return dst
}

// registerValue returns the encoder of a register's number. If the type is unsigned, the encoder writes the absolute value.
func registerValue(code obis.Code, numberType dlms.NumberType, exp int8) encoder {
	return func(dst []byte, s *State) []byte {
		v := s.scaledValue(code, exp, 1).Coef
		if numberType != dlms.Int16 { // the only signed type of numberTypes
			v = max(v, -v)
		}
		return dlms.AppendNumber(dst, numberType, v)
	}
}

// unitOf returns the unit of the register with a code.
func unitOf(c obis.Code) obis.Unit {
	k := c[2] % 20 // group C without the phase
	switch {
	case c[3] == timeIntegral && (k == 1 || k == 2 || k == absolutePower):
		return obis.WattHour
	case c[3] == timeIntegral:
		return obis.VarHour
	case k == groupCurrent:
		return obis.Ampere
	case k == groupVoltage:
		return obis.Volt
	case k == powerFactor:
		return obis.Count
	case k > 2 && k < apparentPlus:
		return obis.Var
	}
	return obis.Watt
}
