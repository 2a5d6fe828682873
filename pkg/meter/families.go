package meter

import (
	"bytes"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A family describes the meters of one make: how to recognise them, and where they differ from the standards. Most do not differ.
type family struct {
	// name is the value of Reading.Family, make the value of Meter.Make.
	name, make string
	// flags are the manufacturer codes of the FLAG association: its P1 identifications, system titles and logical device names begin
	// with one of them.
	flags []string
	// listPrefixes are beginnings of the names of its lists. Only binary meters send such names.
	listPrefixes []string
	// frames are the addresses of its HDLC frames.
	frames []addresses
	// exponents are those of values that it sends without a scaler. nil stands for usualExponents.
	exponents *exponents
	// expect returns the exponent of currents by the type of the meter. It is nil if the exponent does not follow from
	// the type.
	expect func(r *Reading) expectation
	// signedPower is true if its ASCII telegrams send exported power as negative imported power.
	signedPower bool
	// repair corrects values that the meters of the family send against the standard. Only binary messages need it.
	repair func(r *Reading)
}

// addresses are the two addresses of an HDLC frame, as they stand on the wire.
type addresses struct{ destination, source []byte }

// aidon sends structures of code, value and scaler-unit in HDLC, or ASCII telegrams if the grid company has chosen so (Aidon RJ12 HAN
// interface description 1.7A; RJ45 1.4A).
var aidon = family{
	name: "aidon", make: "Aidon",
	flags:        []string{"ADN"},
	listPrefixes: []string{"AIDON"},
	frames:       []addresses{{[]byte{0x41}, []byte{0x08, 0x83}}},
	repair:       repairAidon,
}

// repairAidon sets the time zone of the clock. The Swedish list (EFS, the one without a name) leaves the zone out, and is in Swedish
// normal time all year. The Norwegian lists send zone 0 with local time: their zone is made unknown.
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

// kamstrup sends pairs of code and value without scalers: energy in 10 Wh, power factors in hundredths, current in 0.01 A, or in mA
// with transformers (Kamstrup HAN-NVE interface description 3.1; OMNIPOWER HAN interface 5512-2584). Some meters, most of them in
// Sweden, count energy in Wh. Nothing on the wire tells the two apart, so the user sets Options.Scale.
var kamstrup = family{
	name: "kamstrup", make: "Kamstrup",
	flags:        []string{"KAM", "KMP"},
	listPrefixes: []string{"Kamstrup"},
	frames: []addresses{
		{[]byte{0x2B}, []byte{0x21}}, // Norway, Sweden
		{[]byte{0x41}, []byte{0x03}}, // Denmark, Switzerland
	},
	exponents: &exponents{energy: 1, powerFactor: -2, currents: []int8{-3, -2}},
	expect:    expectKamstrup,
	repair:    repairKamstrup,
}

// expectKamstrup returns the exponent of currents by the type number. Meters behind current transformers have a type number that
// begins with 685, and send mA. Some meters send no type number.
func expectKamstrup(r *Reading) expectation {
	model := r.textOf(serialOrModel)
	switch {
	case bytes.HasPrefix(model, []byte("685")):
		return expectation{-3, true}
	case bytes.HasPrefix(model, []byte("684")), bytes.HasPrefix(model, []byte("686")):
		return expectation{-2, true}
	}
	return expectation{}
}

// repairKamstrup sets model and serial number from the codes that Kamstrup uses for them. Other makes use these codes otherwise.
func repairKamstrup(r *Reading) {
	if len(r.textOf(serialOrModel)) > 0 {
		r.Meter.Model, r.Meter.Serial = r.Meter.Serial, r.kamstrupNumber
	}
}

// kaifa sends lists KFM_001 without codes in Norway, pairs of code and value without scalers in Sweden (both in mA and 0.1 V), and
// codes with scalers in Austria and Poland (Kaifa HAN OBIS codes KFM_001; Austria's Energy, smart meter customer interfaces).
var kaifa = family{
	name: "kaifa", make: "Kaifa",
	flags:        []string{"KFM"},
	listPrefixes: []string{"KFM_"},
	frames: []addresses{
		{[]byte{0x01}, []byte{0x02, 0x01}}, // Norway
		{[]byte{0x01}, []byte{0x00, 0x01}}, // Sweden
	},
	exponents: &exponents{energy: 0, powerFactor: -3, currents: []int8{-3}},
}

// landisgyr sends one of these: ASCII telegrams (E360); lists like Aidon's through modules of EMBRIQ (E350 in Norway); push lists in
// blocks without scalers (E450 in Switzerland, with currents in 0.01 A, and E570 behind transformers, in A); lists without codes
// (E450 in Austria and Slovenia).
var landisgyr = family{
	name: "landisgyr", make: "Landis+Gyr",
	flags:        []string{"LGF", "LGZ", "XMX"},
	listPrefixes: []string{"EMBRIQ"},
	frames:       []addresses{{[]byte{0xCE, 0xFF}, []byte{0x03}}},
	exponents:    &exponents{energy: 0, powerFactor: -3, currents: []int8{-2, 0}},
}

// iskraemeco sends one of these: ASCII telegrams; push lists in segments (Switzerland); lists without codes, whose order each grid
// company has chosen.
var iskraemeco = family{
	name: "iskraemeco", make: "Iskraemeco",
	flags:  []string{"ISK"},
	frames: []addresses{{[]byte{0xCF}, []byte{0x02, 0x23}}},
}

// families are the known families. The first one that fits a telegram is used.
var families = []*family{
	&aidon, &kamstrup, &kaifa, &landisgyr,
	// ELL is Ellevio and EST is Energie Steiermark: grid companies that have their own letters put into their meters.
	{name: "sagemcom", make: "Sagemcom", flags: []string{"ELL", "SAG", "ENE", "EST", "CTA"}},
	&iskraemeco,
	{name: "nes", make: "NES", flags: []string{"NES"}},
	{name: "sanxing", make: "Sanxing", flags: []string{"SAN", "AUX"}},
	{name: "holley", make: "Holley", flags: []string{"HLY"}},
	{name: "energomera", make: "Energomera", flags: []string{"EMR", "EM2"}},
	{name: "elgama", make: "Elgama", flags: []string{"EGM"}},
	{name: "siemens", make: "Siemens", flags: []string{"SMS"}},
	{name: "honeywell", make: "Honeywell", flags: []string{"ELS"}}, // formerly Elster
	{name: "wasion", make: "Wasion", flags: []string{"WSE"}},
	{name: "ebz", make: "eBZ", flags: []string{"EBZ"}},
	// Q3D meters for both directions: the imported powers (1.7.0, 21.7.0 and so on) are negative while they export.
	{name: "easymeter", make: "EasyMeter", flags: []string{"ESY"}, signedPower: true},
}
