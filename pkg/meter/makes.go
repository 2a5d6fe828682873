package meter

import (
	"bytes"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A family is a make of meters: how to know it, and what it does its own way. Most do nothing of the kind.
type family struct {
	name, make string
	// flags are the letters with which its P1 identifications, system titles and logical device names begin (FLAG association).
	flags []string
	// lists are beginnings of the names of its lists, sent by binary meters.
	lists []string
	// frames are the addresses of its HDLC frames.
	frames []addresses
	// units are the exponents of values that it sends without a scaler; nil for the usual ones.
	units *exponents
	// expect returns the exponent that a meter says its currents have; nil where no meter of the make says it.
	expect func(r *Reading) expectation
	// signed tells that its ASCII telegrams say export as an import below zero.
	signed bool
	// repair mends what the make does wrong, in a message that has been verified. ASCII telegrams need none.
	repair func(r *Reading)
}

// addresses are those of an HDLC frame, as they stand on the wire.
type addresses struct{ destination, source []byte }

// aidon sends {code, value, scaler-unit} in HDLC, and ASCII where the utility has chosen it (Aidon RJ12 HAN interface
// description 1.7A; RJ45 1.4A).
var aidon = family{
	name: "aidon", make: "Aidon",
	flags:  []string{"ADN"},
	lists:  []string{"AIDON"},
	frames: []addresses{{[]byte{0x41}, []byte{0x08, 0x83}}},
	repair: repairAidon,
}

// repairAidon sets the zone of the clock. The Swedish list (EFS, the one without a name) leaves it out, and is in Swedish
// normal time all year. The Norwegian lists say 0 although they send local time: that zone is not known.
func repairAidon(r *Reading) {
	zone, offset := false, int16(0)
	if r.Meter.List == "" {
		zone, offset = true, 60
	}
	for i := range r.Records {
		if t := &r.Records[i].Time; r.Records[i].Kind == obis.Clock && (!t.Zone || t.Offset == 0) {
			t.Zone, t.Offset = zone, offset
			r.Time = *t
		}
	}
}

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

// kaifa sends its lists KFM_001 without codes in Norway, as pairs without scalers in Sweden (both in mA and 0.1 V), with
// both in Austria and Poland (Kaifa HAN OBIS codes KFM_001; Austria's Energy, smart meter customer interfaces).
var kaifa = family{
	name: "kaifa", make: "Kaifa",
	flags: []string{"KFM"},
	lists: []string{"KFM_"},
	frames: []addresses{
		{[]byte{0x01}, []byte{0x02, 0x01}}, // Norway
		{[]byte{0x01}, []byte{0x00, 0x01}}, // Sweden
	},
	units: &exponents{energy: 0, factor: -3, currents: []int8{-3}},
}

// landisgyr sends ASCII (E360), lists like Aidon's through modules of EMBRIQ (E350 in Norway), push lists in blocks without
// scalers (E450 in Switzerland, with currents in 0.01 A, and E570 behind transformers, in A), and lists without codes (E450 in Austria and
// Slovenia).
var landisgyr = family{
	name: "landisgyr", make: "Landis+Gyr",
	flags:  []string{"LGF", "LGZ", "XMX"},
	lists:  []string{"EMBRIQ"},
	frames: []addresses{{[]byte{0xCE, 0xFF}, []byte{0x03}}},
	units:  &exponents{energy: 0, factor: -3, currents: []int8{-2, 0}},
}

// iskraemeco sends ASCII, push lists in segments (Switzerland), and lists without codes whose order each grid company has chosen.
var iskraemeco = family{
	name: "iskraemeco", make: "Iskraemeco",
	flags:  []string{"ISK"},
	frames: []addresses{{[]byte{0xCF}, []byte{0x02, 0x23}}},
}

// families are tried in this order. What the makes without a variable send says what it is.
var families = []*family{
	&aidon, &kamstrup, &kaifa, &landisgyr,
	// ELL is Ellevio, a grid company that has its name written into its meters; EST is Energie Steiermark.
	{name: "sagemcom", make: "Sagemcom", flags: []string{"ELL", "SAG", "ENE", "EST", "CTA"}},
	&iskraemeco,
	{name: "nes", make: "NES", flags: []string{"NES"}},
	{name: "sanxing", make: "Sanxing", flags: []string{"SAN", "AUX"}},
	{name: "holley", make: "Holley", flags: []string{"HLY"}},
	{name: "energomera", make: "Energomera", flags: []string{"EMR", "EM2"}},
	{name: "elgama", make: "Elgama", flags: []string{"EGM"}},
	{name: "siemens", make: "Siemens", flags: []string{"SMS"}},
	{name: "honeywell", make: "Honeywell", flags: []string{"ELS"}}, // Elster
	{name: "wasion", make: "Wasion", flags: []string{"WSE"}},
	{name: "ebz", make: "eBZ", flags: []string{"EBZ"}},
	// Meters for both directions, whose powers of import are negative while they export (Q3D: 1.7.0, 21.7.0 and so on).
	{name: "easymeter", make: "EasyMeter", flags: []string{"ESY"}, signed: true},
}
