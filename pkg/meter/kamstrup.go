package meter

import (
	"bytes"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// kamstrup sends pairs of code and value without scalers: energy in 10 Wh, current in 0.01 A, power factors in hundredths
// (Kamstrup HAN-NVE interface description 3.1; OMNIPOWER HAN interface 5512-2584). Some meters, in Sweden above all, count
// energy in Wh: nothing on the wire tells, so that is a setting.
var kamstrup = family{
	name: "kamstrup", make: "Kamstrup",
	flags: []string{"KAM", "KMP"},
	lists: []string{"Kamstrup"},
	frames: []addresses{
		{[]byte{0x2B}, []byte{0x21}}, // Norway, Sweden
		{[]byte{0x41}, []byte{0x03}}, // Denmark, Switzerland
	},
	units:  &exponents{energy: 1, current: -2, factor: -2},
	repair: repairKamstrup,
}

// transformerType begins the type of meters behind current transformers. These send thousandths of an ampere.
const transformerType = "685"

// repairKamstrup knows the codes of number and type, which other makes use for other things, and the current of meters
// behind transformers.
func repairKamstrup(r *Reading) {
	model := r.textOf(otherID)
	if len(model) > 0 {
		r.Meter.Model, r.Meter.Serial = r.Meter.Serial, r.number
	}
	if !bytes.HasPrefix(model, []byte(transformerType)) {
		return
	}
	for i := range r.Records {
		if rec := &r.Records[i]; rec.Kind == obis.Number && rec.Unit == obis.None && isCurrent(rec.Code) {
			rec.Unit, rec.Value.Exp = obis.Ampere, -3
		}
	}
}

// isCurrent tells if a code is the current of a phase.
func isCurrent(c obis.Code) bool {
	return (c[2] == 31 || c[2] == 51 || c[2] == 71) && c[3] == 7
}
