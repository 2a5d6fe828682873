package meter_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// Items of pairTelegram that identify the make of a list without scalers.
const (
	kamstrupList = "list=Kamstrup_V0001 "
	landisgyr    = "0-0:42.0.0=LGZ1030000000002 "
	kaifaList    = "list=KFM_001 "
	unknownMake  = "frame=none "
)

// pairTelegram returns a telegram with pairs of code and value, without scalers and units. Spaces separate the items: "CODE=VALUE" is a pair,
// "list=NAME" is the name of the list, and "frame=none" means that the message has no frame. A value is sent as a text in three cases: it has
// characters other than digits; its code has medium 0; its code is that of a type number (96.1.1) or a serial number (0.0.5).
func pairTelegram(t interface {
	Helper()
	Fatal(...any)
}, items string,
) string {
	t.Helper()
	var body []byte
	count, frame := 0, ""
	for _, item := range strings.Fields(items) {
		key, value, _ := strings.Cut(item, "=")
		number, err := strconv.ParseInt(value, 10, 64)
		switch {
		case key == "frame":
			frame = value
			continue
		case key == "list":
			body, count = dlms.AppendVisibleString(body, value), count+1
			continue
		case !strings.Contains(key, ":"):
			key = "1-0:" + key
		}
		c, codeErr := obis.ParseCode(key)
		if codeErr != nil {
			t.Fatal(codeErr)
		}
		body, count = dlms.AppendLogicalName(body, c), count+2
		if isText := err != nil || c[0] == 0 || c.CDE() == [3]byte{96, 1, 1} || c.CDE() == [3]byte{0, 0, 5}; isText {
			body = dlms.AppendVisibleString(body, value)
		} else {
			body = dlms.AppendNumber(body, dlms.Uint32, number)
		}
	}
	apdu := append(dlms.AppendStructure(dlms.AppendNotification(nil, 0), count), body...)
	if frame == "none" {
		return string(apdu) // without a frame, there are no addresses that show the make
	}
	return aidonFrame(dlms.LLC+string(apdu), false)
}

// currentsOf returns the currents of a reading with the decimals with which they are published. It returns "-" if there are no currents.
func currentsOf(r *meter.Reading) string {
	var all []string
	for i := range r.Samples {
		if s := &r.Samples[i]; strings.HasPrefix(s.ID.String(), "current_") {
			all = append(all, string(s.Value.AppendFixed(nil, s.Decimals())))
		}
	}
	if len(all) == 0 {
		return "-"
	}
	return strings.Join(all, " ")
}

// decodeCurrents decodes telegrams with d, one after the other, and returns the currents of all. " | " separates the telegrams. Each telegram is
// given as items of pairTelegram.
func decodeCurrents(t *testing.T, d *meter.Decoder, telegrams ...string) string {
	t.Helper()
	var all []string
	for _, items := range telegrams {
		d.Reset(strings.NewReader(pairTelegram(t, items)))
		r, err := d.Next()
		if err != nil {
			t.Fatalf("%s: %v", items, err)
		}
		all = append(all, currentsOf(r))
	}
	return strings.Join(all, " | ")
}

// TestCurrentExponents tests that currents without a scaler get the exponent with which voltage times current fits the power. Only exponents that the
// make uses are possible. If no exponent or several exponents fit, the reading must have no currents (want is "-"). In the items, 1.7.0 and 2.7.0
// are import and export power, 3.7.0 and 4.7.0 reactive powers, 32.7.0, 52.7.0 and 72.7.0 voltages, 31.7.0, 51.7.0 and 71.7.0 currents.
func TestCurrentExponents(t *testing.T) {
	const type684, type685 = "1-1:96.1.1=6841121BN2 ", "1-1:96.1.1=6851121BN2 "
	for _, tt := range []struct{ name, items, want string }{
		// Landis+Gyr: the E450 sends 0.01 A. The E570 has current transformers (CT), and sends A.
		{"E570 in A", landisgyr + "1.7.0=181250 2.7.0=0 32.7.0=231 52.7.0=230 72.7.0=232 31.7.0=310 51.7.0=255 71.7.0=240", "310 255 240"},
		{"E570 in A, a small load", landisgyr + "1.7.0=2070 32.7.0=230 52.7.0=230 72.7.0=230 31.7.0=3 51.7.0=3 71.7.0=3", "3 3 3"},
		{"load so small that A and 0.01 A are possible", landisgyr + "1.7.0=14 32.7.0=230 31.7.0=3", "-"},
		{"E570 in A, exporting", landisgyr + "1.7.0=0 2.7.0=96500 32.7.0=231 52.7.0=230 72.7.0=232 31.7.0=140 51.7.0=138 71.7.0=141", "140 138 141"},
		{"E570 in A, much reactive power", landisgyr + "1.7.0=9000 3.7.0=52000 32.7.0=231 52.7.0=230 72.7.0=232 31.7.0=80 51.7.0=77 71.7.0=75", "80 77 75"},
		{"E570 in A, voltages in 0.1 V", landisgyr + "1.7.0=181250 32.7.0=2312 52.7.0=2304 72.7.0=2325 31.7.0=310 51.7.0=255 71.7.0=240", "310 255 240"},
		{"E570 in A, without voltages", landisgyr + "1.7.0=181250 31.7.0=310 51.7.0=255 71.7.0=240", "310 255 240"},
		{"E450 in 0.01 A", landisgyr + "1.7.0=1830 2.7.0=0 32.7.0=231 52.7.0=230 72.7.0=232 31.7.0=310 51.7.0=255 71.7.0=240", "3.10 2.55 2.40"},
		{"E450 in 0.01 A, without voltages", landisgyr + "1.7.0=362 2.7.0=0 31.7.0=51 51.7.0=105 71.7.0=52", "0.51 1.05 0.52"},
		{"E450 in 0.01 A, standby", landisgyr + "1.7.0=28 2.7.0=0 32.7.0=236 52.7.0=236 72.7.0=0 31.7.0=9 51.7.0=8 71.7.0=0", "0.09 0.08 0.00"},
		{"0.1 A, which the make is not known to use", landisgyr + "1.7.0=18125 32.7.0=231 52.7.0=230 72.7.0=232 31.7.0=310 51.7.0=255 71.7.0=240", "-"},
		{"mA, which the make is not known to use", landisgyr + "1.7.0=183 32.7.0=231 52.7.0=230 72.7.0=232 31.7.0=310 51.7.0=255 71.7.0=240", "-"},
		{"currents of the secondary side of the transformers, powers of the primary side", landisgyr + "1.7.0=21000 32.7.0=231 52.7.0=230 72.7.0=232 31.7.0=155 51.7.0=155 71.7.0=150", "-"},
		{"no power sent", landisgyr + "32.7.0=231 52.7.0=230 72.7.0=232 31.7.0=310 51.7.0=255 71.7.0=240", "-"},
		{"no load, standby currents", landisgyr + "1.7.0=0 2.7.0=0 32.7.0=231 52.7.0=230 72.7.0=232 31.7.0=5 51.7.0=4 71.7.0=0", "-"},
		{"currents of 0, which are right with any exponent", landisgyr + "1.7.0=0 2.7.0=0 32.7.0=231 31.7.0=0 51.7.0=0 71.7.0=0", "0.00 0.00 0.00"},
		{"current only in the neutral conductor", landisgyr + "1.7.0=0 2.7.0=0 32.7.0=231 31.7.0=0 51.7.0=0 71.7.0=0 91.7.0=7", "-"},
		{"neutral current is scaled with the phases", landisgyr + "1.7.0=181250 32.7.0=231 31.7.0=310 51.7.0=255 71.7.0=240 91.7.0=21", "310 255 240 21"},
		{"import and export on different phases", landisgyr + "1.7.0=700 2.7.0=0 32.7.0=231 52.7.0=230 72.7.0=232 31.7.0=402 51.7.0=251 71.7.0=60", "4.02 2.51 0.60"},
		{"import and export cancel", landisgyr + "1.7.0=55 2.7.0=0 32.7.0=231 52.7.0=230 72.7.0=232 31.7.0=902 51.7.0=891 71.7.0=20", "-"},
		{"import and export cancel, with the power of each phase", landisgyr + "1.7.0=55 21.7.0=2050 41.7.0=0 61.7.0=40 42.7.0=2035 32.7.0=231 52.7.0=230 72.7.0=232 31.7.0=902 51.7.0=891 71.7.0=20", "9.02 8.91 0.20"},

		// Kamstrup: a direct meter (type 684) sends 0.01 A. A meter with current transformers (CT, type 685) sends mA. "without a type" means that
		// the list has no type number, which would show the exponent.
		{"CT without a type, much reactive power", kamstrupList + "1.7.0=0 2.7.0=1890 3.7.0=58100 4.7.0=0 32.7.0=233 52.7.0=234 72.7.0=233 31.7.0=83120 51.7.0=85930 71.7.0=81470 22.7.0=390 42.7.0=800 62.7.0=700", "83.120 85.930 81.470"},
		{"CT without a type, only total powers", kamstrupList + "1.7.0=41200 3.7.0=9100 32.7.0=233 52.7.0=234 72.7.0=233 31.7.0=61120 51.7.0=72930 71.7.0=47470", "61.120 72.930 47.470"},
		{"CT without a type, small load, equal phases", kamstrupList + "1.7.0=4010 3.7.0=900 32.7.0=233 52.7.0=234 72.7.0=233 31.7.0=6012 51.7.0=5893 71.7.0=5947", "6.012 5.893 5.947"},
		{"CT without a type, small load, unequal phases: 0.01 A would fit if phases cancel", kamstrupList + "1.7.0=4010 3.7.0=900 32.7.0=233 52.7.0=234 72.7.0=233 31.7.0=8912 51.7.0=5093 71.7.0=3847", "-"},
		{"CT without a type, unequal phases: more than 120 A if in 0.01 A", kamstrupList + "1.7.0=5400 3.7.0=900 32.7.0=233 52.7.0=234 72.7.0=233 31.7.0=14912 51.7.0=5093 71.7.0=3847", "14.912 5.093 3.847"},
		{"CT without a type, unequal phases, with the power of each phase", kamstrupList + "1.7.0=4010 3.7.0=900 21.7.0=2010 41.7.0=1150 61.7.0=850 32.7.0=233 52.7.0=234 72.7.0=233 31.7.0=8912 51.7.0=5093 71.7.0=3847", "8.912 5.093 3.847"},
		{"one phase without a type, mA", kamstrupList + "1.7.0=1950 3.7.0=120 32.7.0=231 31.7.0=8510", "8.510"},
		{"one phase without a type, 0.01 A", kamstrupList + "1.7.0=1950 3.7.0=120 32.7.0=231 31.7.0=851", "8.51"},
		{"direct without a type", kamstrupList + "1.7.0=4620 3.7.0=0 4.7.0=83 32.7.0=234 52.7.0=233 72.7.0=235 31.7.0=903 51.7.0=988 71.7.0=143", "9.03 9.88 1.43"},
		{"direct without a type, voltages in 0.01 V", kamstrupList + "1.7.0=4620 4.7.0=83 32.7.0=23412 52.7.0=23305 72.7.0=23508 31.7.0=903 51.7.0=988 71.7.0=143", "9.03 9.88 1.43"},
		{"direct without a type, the net power is a tenth of the apparent power", kamstrupList + "1.7.0=437 2.7.0=0 3.7.0=120 32.7.0=230 52.7.0=230 72.7.0=230 31.7.0=1090 51.7.0=900 71.7.0=10", "-"},
		{"direct without a type, import and export cancel, with the power of each phase", kamstrupList + "1.7.0=437 3.7.0=120 21.7.0=2500 42.7.0=2063 61.7.0=0 32.7.0=230 52.7.0=230 72.7.0=230 31.7.0=1090 51.7.0=900 71.7.0=10", "10.90 9.00 0.10"},
		{"direct without a type, standby reactive power", kamstrupList + "1.7.0=21 4.7.0=191 32.7.0=226 52.7.0=221 72.7.0=226 31.7.0=79 51.7.0=48 71.7.0=123", "0.79 0.48 1.23"},
		{"without a type, power so small that harmonics are a possible reason for the current", kamstrupList + "1.7.0=20 3.7.0=10 32.7.0=230 31.7.0=120", "-"},
		{"without a type, in A, which the make does not use", kamstrupList + "1.7.0=41200 3.7.0=9100 32.7.0=233 52.7.0=234 72.7.0=233 31.7.0=61 51.7.0=73 71.7.0=47", "-"},
		{"without a type, no reactive power sent", kamstrupList + "1.7.0=41200 32.7.0=233 52.7.0=234 72.7.0=233 31.7.0=61120 51.7.0=72930 71.7.0=47470", "61.120 72.930 47.470"},
		{"without a type, grid of three wires with line voltages", kamstrupList + "1.7.0=30100 3.7.0=4000 32.7.0=231 52.7.0=0 72.7.0=232 31.7.0=75300 51.7.0=75900 71.7.0=76500", "75.300 75.900 76.500"},
		{"type 684 at no load", kamstrupList + type684 + "1.7.0=0 2.7.0=0 32.7.0=233 31.7.0=7 51.7.0=0 71.7.0=0", "0.07 0.00 0.00"},
		{"type 685 at no load", kamstrupList + type685 + "1.7.0=0 2.7.0=0 32.7.0=233 31.7.0=7 51.7.0=0 71.7.0=0", "0.007 0.000 0.000"},
		{"type 684, the net power is a tenth of the apparent power", kamstrupList + type684 + "1.7.0=437 3.7.0=120 32.7.0=230 52.7.0=230 72.7.0=230 31.7.0=1090 51.7.0=900 71.7.0=10", "10.90 9.00 0.10"},
		{"type 685, but the power fits 0.01 A", kamstrupList + type685 + "1.7.0=4620 4.7.0=83 32.7.0=234 52.7.0=233 72.7.0=235 31.7.0=903 51.7.0=988 71.7.0=143", "9.03 9.88 1.43"},
		{"type 684, but the power fits mA", kamstrupList + type684 + "1.7.0=41200 3.7.0=9100 32.7.0=233 52.7.0=234 72.7.0=233 31.7.0=61120 51.7.0=72930 71.7.0=47470", "61.120 72.930 47.470"},
		{"type 684, but the power fits neither", kamstrupList + type684 + "1.7.0=41200 3.7.0=9100 32.7.0=233 52.7.0=234 72.7.0=233 31.7.0=611 51.7.0=729 71.7.0=475", "-"},

		// A make with one exponent, and an unknown make.
		{"Kaifa in mA", kaifaList + "1.7.0=1418 4.7.0=375 32.7.0=2408 52.7.0=2404 72.7.0=2359 31.7.0=1683 51.7.0=1751 71.7.0=3104", "1.683 1.751 3.104"},
		{"Kaifa at no load", kaifaList + "1.7.0=0 32.7.0=2408 31.7.0=66", "0.066"},
		{"Kaifa, power too high for mA", kaifaList + "1.7.0=141800 4.7.0=37500 32.7.0=2408 52.7.0=2404 72.7.0=2359 31.7.0=1683 51.7.0=1751 71.7.0=3104", "-"},
		{"unknown make, 0.01 A", unknownMake + "1.7.0=331 32.7.0=234 52.7.0=235 72.7.0=233 31.7.0=49 51.7.0=167 71.7.0=23", "0.49 1.67 0.23"},
		{"unknown make, A", unknownMake + "1.7.0=181250 32.7.0=231 52.7.0=230 72.7.0=232 31.7.0=310 51.7.0=255 71.7.0=240", "310 255 240"},
		{"unknown make, mA", unknownMake + "1.7.0=1950 3.7.0=120 32.7.0=231 31.7.0=8510", "8.510"},
		{"unknown make, net power only", unknownMake + "16.7.0=181250 32.7.0=231 52.7.0=230 72.7.0=232 31.7.0=310 51.7.0=255 71.7.0=240", "310 255 240"},
		{"unknown make, the largest numbers", unknownMake + "1.7.0=4294967294 32.7.0=231 31.7.0=4294967294", "-"},
	} {
		if got := decodeCurrents(t, meter.NewDecoder(nil, meter.Options{AcceptUnverified: true}), tt.items); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
