package meter

import (
	"strings"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A LayoutError is the error for a list of values without codes whose order this package does not know. The grid company or the manufacturer knows
// the order.
type LayoutError struct {
	// Types has a letter for the type of each value: see the constants Layout… of package dlms.
	Types string
}

// Error returns the reason with the types.
func (e *LayoutError) Error() string {
	return "dlms: a list without codes, in an order that is not known: " + e.Types
}

// A layout is the order of the values in a list without codes.
type layout struct {
	// family is the family of the meters that send the layout. It is nil if meters of several families send it.
	family *family
	// types has a letter for the type of each value: see the constants Layout… of package dlms.
	types string
	// firstText is the beginning of the first value if this value is a text. If firstText is "", any first value fits.
	firstText string
	// familyOnly is true if meters of other families send other values with the same types. The layout is then used only if the telegram shows
	// that the meter is of the family.
	familyOnly bool
	// codes has the code of each value. A value whose meaning is not known has the zero Code.
	codes []obis.Code
}

// findLayout returns the layout of a list from a meter of family f. f is nil if the family is not known. findLayout returns nil if no layout fits.
// It also returns nil if several layouts fit, which is possible if a value is null.
func findLayout(n *dlms.Notification, f *family) (found *layout) {
	for i := range layouts {
		l := &layouts[i]
		if !l.fits(n) || l.familyOnly && l.family != f {
			continue
		}
		if found != nil {
			return nil
		}
		found = l
	}
	return found
}

// fits reports whether a list has the types of the layout. Null fits any type, because a meter sends null for a value that it does not have.
func (l *layout) fits(n *dlms.Notification) bool {
	if len(l.types) != len(n.Layout) {
		return false
	}
	for i, x := range n.Layout {
		if x != l.types[i] && x != dlms.LayoutNull {
			return false
		}
	}
	text := n.Records[0].Text
	return len(text) >= len(l.firstText) && string(text[:len(l.firstText)]) == l.firstText
}

// apply sets the codes of the records, and drops records whose meaning is not known.
func (l *layout) apply(r *Reading) {
	known := r.Records[:0]
	for i, code := range l.codes {
		if code == (obis.Code{}) {
			continue
		}
		r.Records[i].Code = code
		known = append(known, r.Records[i])
	}
	r.Records = known
}

// codeList returns the codes of a layout from a text. In text, "-" is a value whose meaning is not known.
func codeList(text string) []obis.Code {
	var codes []obis.Code
	for word := range strings.FieldsSeq(text) {
		var c obis.Code
		if word != "-" {
			c = obis.MustCode(word)
		}
		codes = append(codes, c)
	}
	return codes
}

// kaifaStart has the codes with which all lists of Kaifa begin, except for the list of one value.
const kaifaStart = "1-1:0.2.129 0-0:96.1.0 0-0:96.1.7 1.7.0 2.7.0 3.7.0 4.7.0 "

// layouts are the lists without codes that manufacturers and grid companies have defined.
//
// Letters of types: t string, c date-time, u unsigned of 32 or 64 bits, w unsigned of 16 bits, b boolean, enum or unsigned of 8 bits, a array or
// structure of one value. The codes are in the order of the letters; "-" is a value whose meaning is not known.
var layouts = []layout{
	// Kaifa KFM_001: voltages in 0.1 V, currents in mA, energies of 32 or 64 bits. The first list is sent every 2 s. The next two, for one
	// phase and for three, are sent every 10 s. The last two, for one phase and for three, are sent every hour.
	{family: &kaifa, types: "u", codes: codeList("1.7.0")},
	{family: &kaifa, types: "tttuuuuuu", firstText: "KFM_", codes: codeList(kaifaStart + "31.7.0 32.7.0")},
	{family: &kaifa, types: "tttuuuuuuuuuu", firstText: "KFM_", codes: codeList(kaifaStart + "31.7.0 51.7.0 71.7.0 32.7.0 52.7.0 72.7.0")},
	{family: &kaifa, types: "tttuuuuuucuuuu", firstText: "KFM_", codes: codeList(kaifaStart + "31.7.0 32.7.0 0-0:1.0.0 1.8.0 2.8.0 3.8.0 4.8.0")},
	{family: &kaifa, types: "tttuuuuuuuuuucuuuu", firstText: "KFM_", codes: codeList(kaifaStart + "31.7.0 51.7.0 71.7.0 32.7.0 52.7.0 72.7.0 0-0:1.0.0 1.8.0 2.8.0 3.8.0 4.8.0")},

	// Iskraemeco: voltages in 0.1 V, currents in 0.01 A.
	// Elektro Ljubljana, three phases: each second or every 5 s.
	{family: &iskraemeco, types: "ttuuuuwwwwwwuuuuuu", codes: codeList(
		"0-0:42.0.0 0-0:96.1.2 1.7.0 2.7.0 3.7.0 4.7.0 32.7.0 52.7.0 72.7.0 31.7.0 51.7.0 71.7.0 21.7.0 41.7.0 61.7.0 22.7.0 42.7.0 62.7.0")},
	// Elektro Ljubljana, three phases: every 15 minutes.
	{family: &iskraemeco, types: "ttbtuuuuuuuu", codes: codeList(
		"0-0:42.0.0 0-0:96.1.3 0-0:96.3.10 0-0:96.14.0 1.8.0 1.8.1 1.8.2 2.8.0 2.8.1 2.8.2 3.8.0 4.8.0")},
	// Elektro Celje: a list for three phases, and a list for one phase.
	{family: &iskraemeco, types: "ttwwwwwwuuuu", codes: codeList("0-0:42.0.0 0-0:96.1.2 32.7.0 52.7.0 72.7.0 31.7.0 51.7.0 71.7.0 1.7.0 2.7.0 3.7.0 4.7.0")},
	{family: &iskraemeco, types: "ttwwuuuu", codes: codeList("0-0:42.0.0 0-0:96.1.2 32.7.0 31.7.0 1.7.0 2.7.0 3.7.0 4.7.0")},
	// Elektro Ljubljana, one phase: a list with a current, a list without a current, and a list with energies by tariff.
	{family: &iskraemeco, types: "ttuuuuwwuu", codes: codeList("0-0:42.0.0 0-0:96.1.2 1.7.0 2.7.0 3.7.0 4.7.0 32.7.0 31.7.0 21.7.0 22.7.0")},
	{family: &iskraemeco, types: "ttuuuuwuu", codes: codeList("0-0:42.0.0 0-0:96.1.2 1.7.0 2.7.0 3.7.0 4.7.0 32.7.0 - -")},
	{family: &iskraemeco, types: "ttuuuuuuuu", codes: codeList("0-0:42.0.0 0-0:96.1.3 1.8.1 1.8.2 2.8.1 2.8.2 3.8.1 3.8.2 4.8.1 4.8.2")},
	// Elektro Ljubljana, newer meters: a list with power and energy each second, and a list with energy every 15 minutes.
	{family: &iskraemeco, types: "tuuuuuuuu", firstText: "ISK", codes: codeList("0-0:42.0.0 1.7.0 2.7.0 1.8.0 1.8.1 1.8.2 2.8.0 2.8.1 2.8.2")},
	{family: &iskraemeco, types: "tbuu", codes: codeList("0-0:96.1.0 - 1.8.0 2.8.0")},
	// HEP ODS in Croatia, meter IE.5: a list with energies by quadrant (5.8.0 to 8.8.0), and a list without them. Each of three limits is sent as
	// an array of one number.
	{family: &iskraemeco, types: "tttuuuuuuuuuuuuwuuuuuuwwwwwwuaaab", codes: codeList(
		"0-0:96.1.0 0.9.1 0.9.2 1.8.0 1.8.1 1.8.2 2.8.0 2.8.1 2.8.2 5.8.0 6.8.0 7.8.0 8.8.0 1.7.0 2.7.0 13.7.0 21.7.0 41.7.0 61.7.0 22.7.0 " +
			"42.7.0 62.7.0 32.7.0 52.7.0 72.7.0 31.7.0 51.7.0 71.7.0 0-0:17.0.0 - - - 0-0:96.3.10")},
	{family: &iskraemeco, types: "tttuuuuuuuuuuuuuuwwwwwwuaaab", codes: codeList(
		"0-0:96.1.0 0.9.1 0.9.2 1.8.0 1.8.1 1.8.2 2.8.0 2.8.1 2.8.2 1.7.0 2.7.0 21.7.0 41.7.0 61.7.0 22.7.0 42.7.0 62.7.0 32.7.0 52.7.0 72.7.0 " +
			"31.7.0 51.7.0 71.7.0 0-0:17.0.0 - - - 0-0:96.3.10")},

	// Landis+Gyr: voltages in V, currents in 0.01 A.
	// Netz Burgenland. The meaning of three numbers of the longer list is not known.
	{family: &landisgyr, types: "wwwwwwuuuut", codes: codeList("32.7.0 52.7.0 72.7.0 31.7.0 51.7.0 71.7.0 1.7.0 2.7.0 1.8.0 2.8.0 0-0:96.1.0")},
	{family: &landisgyr, types: "wwwwwwuuuuwwwt", codes: codeList("32.7.0 52.7.0 72.7.0 31.7.0 51.7.0 71.7.0 1.7.0 2.7.0 1.8.0 2.8.0 - - - 0-0:96.1.0")},
	// Slovenia: two lists that alternate. The first has the number of the meter, the second has the number of the metering point.
	{family: &landisgyr, familyOnly: true, types: "tuuuuuuuu", codes: codeList("0-0:96.1.0 1.7.0 2.7.0 3.7.0 4.7.0 1.8.0 2.8.0 3.8.0 4.8.0")},
	{family: &landisgyr, familyOnly: true, types: "twwwwwwwuuuuuu", codes: codeList(
		"0-0:96.1.2 14.7.0 31.7.0 51.7.0 71.7.0 32.7.0 52.7.0 72.7.0 21.7.0 41.7.0 61.7.0 22.7.0 42.7.0 62.7.0")},

	// Austria: meters of several makes send each list. Only the system title and the HDLC addresses show the family. Numbers are in Wh,
	// varh, W and var.
	// Wiener Netze: first the list of Landis+Gyr and Iskraemeco, then the list of Siemens, which begins with the logical device name.
	{types: "cuuuuuuuu", codes: codeList("0-0:1.0.0 1.8.0 2.8.0 3.8.0 4.8.0 1.7.0 2.7.0 3.7.0 4.7.0")},
	{types: "tcuuuuuuuu", codes: codeList("0-0:42.0.0 0-0:1.0.0 1.8.0 2.8.0 3.8.0 4.8.0 1.7.0 2.7.0 3.7.0 4.7.0")},
	// Wels: the list begins with the logical name of the push setup, the serial number, the time and the date. Kärnten Netz adds two texts.
	{types: "ttttuuuuuu", firstText: "\x00\x06\x19\x09\x00\xFF", codes: codeList("- 0-0:96.1.0 0.9.1 0.9.2 1.8.0 2.8.0 3.8.0 4.8.0 1.7.0 2.7.0")},
	{types: "ttttuuuuuutt", codes: codeList("- 0-0:96.1.0 0.9.1 0.9.2 1.8.0 2.8.0 3.8.0 4.8.0 1.7.0 2.7.0 0-0:96.13.0 0-0:96.13.1")},
}
