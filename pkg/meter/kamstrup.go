package meter

import "bytes"

// kamstrup sends pairs of code and value without scalers: energy in 10 Wh, current in 0.01 A or, behind transformers, in mA,
// power factors in hundredths (Kamstrup HAN-NVE interface description 3.1; OMNIPOWER HAN interface 5512-2584). Some meters, in
// Sweden above all, count energy in Wh: nothing on the wire tells, so that is a setting.
var kamstrup = family{
	name: "kamstrup", make: "Kamstrup",
	flags: []string{"KAM", "KMP"},
	lists: []string{"Kamstrup"},
	frames: []addresses{
		{[]byte{0x2B}, []byte{0x21}}, // Norway, Sweden
		{[]byte{0x41}, []byte{0x03}}, // Denmark, Switzerland
	},
	units:  &exponents{energy: 1, factor: -2, currents: []int8{-3, -2}},
	expect: expectKamstrup,
	repair: repairKamstrup,
}

// expectKamstrup goes by the type number: that of meters behind current transformers begins with 685, and these send thousandths
// of an ampere. Some send no type number.
func expectKamstrup(r *Reading) expectation {
	model := r.textOf(otherID)
	switch {
	case bytes.HasPrefix(model, []byte("685")):
		return expectation{-3, true}
	case bytes.HasPrefix(model, []byte("684")), bytes.HasPrefix(model, []byte("686")):
		return expectation{-2, true}
	}
	return expectation{}
}

// repairKamstrup knows the codes of number and type, which other makes use for other things.
func repairKamstrup(r *Reading) {
	if len(r.textOf(otherID)) > 0 {
		r.Meter.Model, r.Meter.Serial = r.Meter.Serial, r.number
	}
}
