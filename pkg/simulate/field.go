package simulate

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A field is an item of a list.
type field struct {
	code obis.Code
	// class and attribute are of COSEM, for the lists that tell them.
	class     uint16
	attribute byte
	// bare is for what stands without its code where others have one.
	bare bool
	// swapped is for a code whose tag and length have changed places.
	swapped bool
	// number is for registers; exp and unit are its scaler, which most lists leave out.
	number bool
	exp    int8
	unit   obis.Unit
	// write appends the value.
	write encoder
}

// parseField reads a line of a list. A fault in it is a programmer's, and panics.
func parseField(line string, c clock) field {
	words := strings.Fields(line)
	if words[0] == "null" {
		return field{bare: true, write: func(dst []byte, _ *State) []byte { return dlms.AppendNull(dst) }}
	}
	f := field{code: obis.MustCode(words[0]), class: 1, attribute: 2}
	value := ""
	for i := 2; i < len(words); i++ {
		switch words[i] {
		case "bare":
			f.bare = true
		case "swapped":
			f.swapped = true
		case "class": // of switches and limits, which have their value in attribute 3
			i++
			f.class, f.attribute = uint16(integer(words[i])), 3
		default:
			value = words[i]
		}
	}
	f.fill(words[1], value, c)
	return f
}

// fill sets what a field holds.
func (f *field) fill(what, value string, c clock) {
	kind, isNumber := kinds[what]
	constant, isConstant := strings.CutPrefix(value, "=")
	switch {
	case what == "setup": // the push itself, which is listed and has no value
		f.class, f.attribute = 40, 0
	case what == "name":
		f.class, f.attribute = 40, 1
		f.write = octets(f.code[:])
	case what == "clock" || what == "hour":
		f.class = 8
		f.write = c.changing()[what]
	case isConstant:
		v := integer(constant)
		f.write = func(dst []byte, _ *State) []byte { return dlms.AppendNumber(dst, kind, v) }
	case isNumber:
		f.class, f.number, f.unit = 3, true, unitOf(f.code)
		if value != "" {
			f.exp = int8(integer(value))
		}
		f.write = numberOf(f.code, kind, f.exp)
	case what == "octets":
		f.write = octets([]byte(must(strconv.Unquote(value))))
	case what == "visible":
		text := must(strconv.Unquote(value))
		f.write = func(dst []byte, _ *State) []byte { return dlms.AppendVisibleString(dst, text) }
	case what == "code":
		f.write = func(dst []byte, _ *State) []byte { return dlms.AppendLogicalName(dst, f.code) }
	default:
		if f.write = c.changing()[what]; f.write == nil {
			panic("simulate: nothing is called " + what)
		}
	}
}

// kinds are the types of numbers.
var kinds = map[string]dlms.NumberType{
	"boolean": dlms.Boolean, "enum": dlms.Enum, "uint8": dlms.Uint8, "uint16": dlms.Uint16, "uint32": dlms.Uint32,
	"uint64": dlms.Uint64, "int16": dlms.Int16,
}

// changing are what changes with time, and limits, which are lists of one number.
func (c clock) changing() map[string]encoder {
	part := func(from, to int) encoder {
		return func(dst []byte, s *State) []byte {
			return dlms.AppendOctetString(dst, string(c.at(s.Time).Append(nil)[from:to]))
		}
	}
	return map[string]encoder{
		"clock": func(dst []byte, s *State) []byte { return dlms.AppendDateTime(dst, c.at(s.Time)) },
		"hour":  func(dst []byte, s *State) []byte { return dlms.AppendDateTime(dst, c.at(s.Hour)) },
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

// must returns what was read of a table or a file of this package.
func must[T any](v T, err error) T {
	if err != nil {
		panic("simulate: " + err.Error())
	}
	return v
}

func integer(text string) int64 { return must(strconv.ParseInt(text, 10, 64)) }

func (f *field) append(dst []byte, as shape, s *State) []byte {
	switch {
	case f.bare || as == positional || as == pushed:
		return f.write(dst, s)
	case as == descripted:
		dst = dlms.AppendAttributeDescriptor(dlms.AppendStructure(dst, 2), f.class, f.code, f.attribute)
		return f.write(dst, s)
	case as == registers || as == structured:
		n := 2
		if f.number {
			n++
		}
		dst = dlms.AppendStructure(dst, n)
	}
	start := len(dst)
	dst = dlms.AppendLogicalName(dst, f.code)
	if f.swapped {
		dst[start], dst[start+1] = dst[start+1], dst[start]
	}
	dst = f.write(dst, s)
	if f.number && as != pairs {
		dst = dlms.AppendScalerUnit(dst, f.exp, f.unit)
	}
	return dst
}

// numberOf writes a register. A negative one loses its sign where the type has none: only Aidon's currents have one.
func numberOf(code obis.Code, kind dlms.NumberType, exp int8) encoder {
	return func(dst []byte, s *State) []byte {
		v := s.value(code, exp, 1).Coef
		if kind != dlms.Int16 {
			v = max(v, -v)
		}
		return dlms.AppendNumber(dst, kind, v)
	}
}

// unitOf returns the unit of what a code measures.
func unitOf(c obis.Code) obis.Unit {
	k := c[2] % 20
	switch {
	case c[3] == integral && (k == 1 || k == 2 || k == absolute):
		return obis.WattHour
	case c[3] == integral:
		return obis.VarHour
	case k == ampere:
		return obis.Ampere
	case k == volt:
		return obis.Volt
	case k == powerFactor:
		return obis.Count
	case k > 2 && k < apparentPlus:
		return obis.Var
	}
	return obis.Watt
}
