package meter

import (
	"bytes"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A family describes the meters of one make: how to recognise them, and where they differ from the standards. Makes that follow the standards
// have only names and flags.
type family struct {
	// name is the value of Reading.Family, make the value of Meter.Make.
	name, make string
	// flags are the manufacturer codes (FLAG IDs) of the make. Identification lines, system titles and logical device names begin with a
	// manufacturer code.
	flags []string
	// listPrefixes are the beginnings of list names. Only binary messages have list names.
	listPrefixes []string
	// frames are the addresses of HDLC frames.
	frames []addresses
	// exponents are the exponents of values without a scaler. If exponents is nil, they are usualExponents.
	exponents *exponents
	// expect returns the exponent of currents for the type of the meter. It is nil if the exponent does not depend on the type.
	expect func(r *Reading) expectation
	// signedPower is true if the ASCII telegrams have exported power as negative imported power.
	signedPower bool
	// repair corrects values in binary messages that differ from the standard.
	repair func(r *Reading)
}

// addresses are the two addresses of an HDLC frame, as their encoded bytes.
type addresses struct{ destination, source []byte }

// aidon is the family of Aidon. Its meters send structures of code, value and scaler-unit in HDLC. If the grid company has chosen so, they send
// ASCII telegrams (Aidon RJ12 HAN interface description 1.7A; RJ45 1.4A).
var aidon = family{
	name: "aidon", make: "Aidon",
	flags:        []string{"ADN"},
	listPrefixes: []string{"AIDON"},
	frames:       []addresses{{[]byte{0x41}, []byte{0x08, 0x83}}},
	repair:       repairAidon,
}

// repairAidon corrects the UTC offset of clocks. The Swedish list (EFS), which has no name, sends a clock without an offset. This clock shows Swedish
// normal time (+60 minutes) all year. The Norwegian lists send local time with offset 0, which is wrong, so their offset becomes unknown.
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

// kamstrup is the family of Kamstrup. Its meters send pairs of code and value without scalers: energy in 10 Wh, power factors in hundredths, current
// in 0.01 A, or in mA if the meter has current transformers (Kamstrup HAN-NVE interface description 3.1; OMNIPOWER HAN interface 5512-2584). Some
// meters, most of them in Sweden, send energy in Wh. Their telegrams do not show this, so users of such meters must set Options.Scale.
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

// expectKamstrup returns the exponent of currents for the type number. Meters with current transformers have a type number that begins with
// 685, and send mA. Some meters send no type number.
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

// repairKamstrup corrects model and serial number, because Kamstrup sends the model with the code that other makes use for the serial number
// (serialOrModel).
func repairKamstrup(r *Reading) {
	if len(r.textOf(serialOrModel)) > 0 {
		r.Meter.Model, r.Meter.Serial = r.Meter.Serial, r.kamstrupNumber
	}
}

// kaifa is the family of Kaifa. In Norway, its meters send lists KFM_001 without codes. In Sweden, they send pairs of code and value without scalers.
// In both countries, currents are in mA and voltages in 0.1 V. In Austria and Poland, they send codes with scalers (Kaifa HAN OBIS codes KFM_001;
// Austria's Energy, smart meter customer interfaces).
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

// landisgyr is the family of Landis+Gyr. Its meters send one of these:
//   - ASCII telegrams (E360);
//   - lists in the form of Aidon, with modules of EMBRIQ (E350 in Norway);
//   - push lists in blocks without scalers (E450 in Switzerland, with currents in 0.01 A; E570 with current transformers, in A);
//   - lists without codes (E450 in Austria and Slovenia).
var landisgyr = family{
	name: "landisgyr", make: "Landis+Gyr",
	flags:        []string{"LGF", "LGZ", "XMX"},
	listPrefixes: []string{"EMBRIQ"},
	frames:       []addresses{{[]byte{0xCE, 0xFF}, []byte{0x03}}},
	exponents:    &exponents{energy: 0, powerFactor: -3, currents: []int8{-2, 0}},
}

// iskraemeco is the family of Iskraemeco. Its meters send ASCII telegrams, push lists in segments (Switzerland), or lists without codes. Each grid
// company has chosen the order of the values in its lists.
var iskraemeco = family{
	name: "iskraemeco", make: "Iskraemeco",
	flags:  []string{"ISK"},
	frames: []addresses{{[]byte{0xCF}, []byte{0x02, 0x23}}},
}

// families are the known families. If several families fit a telegram, the first of them is used.
var families = []*family{
	&aidon, &kamstrup, &kaifa, &landisgyr,
	// ELL is Ellevio and EST is Energie Steiermark. These grid companies have their own manufacturer code in their meters.
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
	// Q3D meters for import and export send exported power as negative imported power (1.7.0, 21.7.0 and so on).
	{name: "easymeter", make: "EasyMeter", flags: []string{"ESY"}, signedPower: true},
}
