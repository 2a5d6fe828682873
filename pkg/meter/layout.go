package meter

import (
	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A LayoutError is a list of values without codes, in an order that no table here holds.
type LayoutError struct {
	// Types has a letter for each item: see the constants Layout… of dlms.
	Types string
}

// Error says what would help.
func (e *LayoutError) Error() string {
	return "dlms: a list without codes, in an order that is not known: " + e.Types
}

// A layout is a list without codes: which value stands where, only a table can tell.
type layout struct {
	// family is the one make that sends it, nil where several do.
	family *family
	// types has a letter for each item: see the constants Layout… of dlms.
	types string
	// first is how the text of the first item begins.
	first string
	// own tells that only meters known to be of the family mean this: others send other values of the same types.
	own   bool
	codes []obis.Code
}

// layoutOf returns the layout of a list from a meter of family f, which may be nil; nil when none is known, and when the list
// may be more than one, since a value that is null tells no type.
func layoutOf(n *dlms.Notification, f *family) (found *layout) {
	for i := range layouts {
		l := &layouts[i]
		if !l.fits(n) || l.own && l.family != f {
			continue
		}
		if found != nil {
			return nil
		}
		found = l
	}
	return found
}

// fits compares types: they tell the lists of a make apart, and nearly all others. null may stand for any value that is not available.
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
	return len(text) >= len(l.first) && string(text[:len(l.first)]) == l.first
}

// apply gives the records their codes, and drops those of which nobody knows what they are.
func (l *layout) apply(r *Reading) *family {
	kept := r.Records[:0]
	for i, code := range l.codes {
		if code == (obis.Code{}) {
			continue
		}
		rec := r.Records[i]
		rec.Code = code
		kept = append(kept, rec)
	}
	r.Records = kept
	return l.family
}

// layouts are those of the makes' files and of the grid companies.
var layouts = concat(kaifaLayouts, iskraemecoLayouts, landisgyrLayouts, austrianLayouts)

func concat(parts ...[]layout) (all []layout) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// row makes the codes of a layout: of 1-0:C.D.E for an element of three groups, as written for a whole code, none for "".
func row(codes ...string) []obis.Code {
	out := make([]obis.Code, len(codes))
	for i, text := range codes {
		if text == "" {
			continue
		}
		out[i] = obis.MustCode(text)
	}
	return out
}

// austrianLayouts are lists without codes that grid companies of Austria have chosen: meters of several makes send each, so
// that only system title and addresses tell whose. Numbers are in Wh, varh, W and var.
var austrianLayouts = []layout{
	// Wiener Netze: Landis+Gyr and Iskraemeco, then Siemens with its name first.
	{types: "cuuuuuuuu", codes: row("0-0:1.0.0", "1.8.0", "2.8.0", "3.8.0", "4.8.0", "1.7.0", "2.7.0", "3.7.0", "4.7.0")},
	{types: "tcuuuuuuuu", codes: row("0-0:42.0.0", "0-0:1.0.0", "1.8.0", "2.8.0", "3.8.0", "4.8.0", "1.7.0", "2.7.0", "3.7.0", "4.7.0")},
	// Wels: the name of the push setup, number, time and date first. Kärnten Netz has two texts more.
	{types: "ttttuuuuuu", first: "\x00\x06\x19\x09\x00\xFF", codes: row("", "0-0:96.1.0", "0.9.1", "0.9.2", "1.8.0", "2.8.0", "3.8.0", "4.8.0", "1.7.0", "2.7.0")},
	{types: "ttttuuuuuutt", codes: row(
		"", "0-0:96.1.0", "0.9.1", "0.9.2", "1.8.0", "2.8.0", "3.8.0", "4.8.0", "1.7.0", "2.7.0", "0-0:96.13.0", "0-0:96.13.1")},
}
