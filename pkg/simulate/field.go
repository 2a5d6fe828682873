package simulate

import (
	"slices"

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
	// number is for fields whose value is one; exp and unit are its scaler, which most lists leave out.
	number bool
	kind   dlms.Type
	exp    int8
	unit   obis.Unit
	// write appends what is no number of the household's.
	write func(dst []byte, s *State) []byte
}

func (f *field) append(dst []byte, as shape, s *State) []byte {
	switch {
	case f.bare || as == positional || as == pushed:
		return f.appendValue(dst, s)
	case as == descripted:
		dst = dlms.AppendDescriptor(dlms.AppendStructure(dst, 2), f.class, f.code, f.attribute)
		return f.appendValue(dst, s)
	case as == registers || as == structured:
		n := 2
		if f.number {
			n++
		}
		dst = dlms.AppendStructure(dst, n)
	}
	start := len(dst)
	dst = dlms.AppendName(dst, f.code)
	if f.swapped {
		dst[start], dst[start+1] = dst[start+1], dst[start]
	}
	dst = f.appendValue(dst, s)
	if f.number && as != pairs {
		dst = dlms.AppendScalerUnit(dst, f.exp, f.unit)
	}
	return dst
}

// appendValue writes a negative number without its sign where the type has none: only Aidon's currents have one.
func (f *field) appendValue(dst []byte, s *State) []byte {
	if !f.number {
		return f.write(dst, s)
	}
	v := s.value(f.code, f.exp, 1)
	if f.kind != dlms.Int16 && v.Sign() < 0 {
		v = v.Neg()
	}
	return dlms.AppendDecimal(dst, f.kind, v, f.exp)
}

// numbers are fields of one type and scaler, by their codes, such as "1-0:1.7.0" or, of medium 1-0, "1.7.0".
func numbers(kind dlms.Type, exp int8, codes ...string) []field {
	var out []field
	for _, text := range codes {
		c := code(text)
		out = append(out, field{code: c, class: 3, attribute: 2, number: true, kind: kind, exp: exp, unit: unitOf(c)})
	}
	return out
}

// on moves fields to a medium, such as "1-1".
func on(medium string, fields []field) []field {
	m := code(medium + ":0.0.0")
	out := slices.Clone(fields)
	for i := range out {
		out[i].code[0], out[i].code[1] = m[0], m[1]
	}
	return out
}

// code reads a code of a table in this package: one of medium 1-0 may leave that out.
func code(text string) obis.Code {
	c, err := obis.ParseCode(text)
	if err != nil {
		c, err = obis.ParseCode("1-0:" + text)
	}
	if err != nil {
		panic("simulate: " + text + " is no code")
	}
	return c
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

// octets is a text as an octet-string, visible one as a visible-string.
func octets(text, of string) field {
	return field{code: code(of), class: 1, attribute: 2, write: func(dst []byte, _ *State) []byte {
		return dlms.AppendOctets(dst, text)
	}}
}

func visible(text, of string) field {
	return field{code: code(of), class: 1, attribute: 2, write: func(dst []byte, _ *State) []byte {
		return dlms.AppendVisible(dst, text)
	}}
}

// fixed is a number that never changes.
func fixed(kind dlms.Type, v int64, of string) field {
	return field{code: code(of), class: 1, attribute: 2, write: func(dst []byte, _ *State) []byte {
		return dlms.AppendNumber(dst, kind, v)
	}}
}

// null stands where a meter has nothing to say.
func null() field {
	return field{bare: true, write: func(dst []byte, _ *State) []byte { return dlms.AppendNull(dst) }}
}

// bare makes a field one without its code.
func bare(f field) field {
	f.bare = true
	return f
}
