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
	// class and attribute are the COSEM class and attribute, which some shapes of lists send.
	class     uint16
	attribute byte
	// withoutCode is true for an item that is sent without its code in a list with codes.
	withoutCode bool
	// swappedTag is true for a code whose tag and length are sent in the wrong order, as ZMF1 meters send them.
	swappedTag bool
	// hasScaler is true for registers; exp and unit are the scaler and unit, which only some shapes of lists send.
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
	value := ""
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
			value = words[i]
		}
	}
	f.setValue(words[1], value, c)
	return f
}

// setValue sets the value of a field from the type and the parameter in the list file.
func (f *field) setValue(what, value string, c clock) {
	kind, isNumber := numberTypes[what]
	constant, isConstant := strings.CutPrefix(value, "=")
	switch {
	case what == "setup": // the push setup, which is listed and has no value
		f.class, f.attribute = 40, 0
	case what == "name":
		f.class, f.attribute = 40, 1
		f.appendValue = octets(f.code[:])
	case what == "clock" || what == "hour":
		f.class = 8
		f.appendValue = c.variables()[what]
	case isConstant:
		v := mustParseInt(constant)
		f.appendValue = func(dst []byte, _ *State) []byte { return dlms.AppendNumber(dst, kind, v) }
	case isNumber:
		f.class, f.hasScaler, f.unit = 3, true, unitOf(f.code)
		if value != "" {
			f.exp = int8(mustParseInt(value))
		}
		f.appendValue = registerValue(f.code, kind, f.exp)
	case what == "octets":
		f.appendValue = octets([]byte(must(strconv.Unquote(value))))
	case what == "visible":
		text := must(strconv.Unquote(value))
		f.appendValue = func(dst []byte, _ *State) []byte { return dlms.AppendVisibleString(dst, text) }
	case what == "code":
		f.appendValue = func(dst []byte, _ *State) []byte { return dlms.AppendLogicalName(dst, f.code) }
	default:
		if f.appendValue = c.variables()[what]; f.appendValue == nil {
			panic("simulate: nothing is called " + what)
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
	part := func(from, to int) encoder {
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
func (f *field) append(dst []byte, as shape, s *State) []byte {
	switch {
	case f.withoutCode || as == positional || as == pushList:
		return f.appendValue(dst, s)
	case as == describedItems:
		dst = dlms.AppendAttributeDescriptor(dlms.AppendStructure(dst, 2), f.class, f.code, f.attribute)
		return f.appendValue(dst, s)
	case as == registers || as == structured:
		n := 2
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
	if f.hasScaler && as != pairs {
		dst = dlms.AppendScalerUnit(dst, f.exp, f.unit)
	}
	return dst
}

// registerValue returns the encoder of a register's number. A type without a sign gets the absolute value.
func registerValue(code obis.Code, kind dlms.NumberType, exp int8) encoder {
	return func(dst []byte, s *State) []byte {
		v := s.scaledValue(code, exp, 1).Coef
		if kind != dlms.Int16 {
			v = max(v, -v)
		}
		return dlms.AppendNumber(dst, kind, v)
	}
}

// unitOf returns the unit of the register with a code.
func unitOf(c obis.Code) obis.Unit {
	k := c[2] % 20
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
