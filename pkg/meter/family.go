package meter

import (
	"bytes"
	"strings"

	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A family is a make of meters: how to know it, and what it does its own way. Most do nothing of the kind.
type family struct {
	name, make string
	// flags are the three letters with which its P1 identification lines begin (FLAG association).
	flags []string
	// lists are beginnings of the names of its lists, sent by binary meters.
	lists []string
	// frames are the addresses of its HDLC frames.
	frames []addresses
	// repair mends what the make does wrong, in a reading that has been verified.
	repair func(r *Reading)
}

// addresses are those of an HDLC frame, as they stand on the wire.
type addresses struct{ destination, source []byte }

// families are tried in this order.
var families = []family{
	aidon,
	{name: "kamstrup", make: "Kamstrup", flags: []string{"KAM", "KMP"}},
	{name: "kaifa", make: "Kaifa", flags: []string{"KFM"}},
	{name: "landisgyr", make: "Landis+Gyr", flags: []string{"LGF", "LGZ"}, lists: []string{"EMBRIQ"}},
	// ELL is Ellevio, a grid company that has its name written into its Sagemcom meters.
	{name: "sagemcom", make: "Sagemcom", flags: []string{"ELL", "SAG", "ENE"}},
	{name: "iskraemeco", make: "Iskraemeco", flags: []string{"ISK"}},
	{name: "nes", make: "NES", flags: []string{"NES"}},
	{name: "sanxing", make: "Sanxing", flags: []string{"SAN"}},
}

// identifyP1 reads the identification line: XXXZ Ident, with an optional \W behind the Z (IEC 62056-21, 6.3.2 and 6.3.12).
func (d *Decoder) identifyP1(ident []byte) {
	if string(ident) != d.ident { // it is the same in every telegram of a meter
		d.ident, d.identFamily, d.identModel = string(ident), familyOfFlag(ident), identModel(ident)
	}
	d.reading.Meter.Model = d.identModel
	d.reading.belongsTo(d.identFamily)
}

func familyOfFlag(ident []byte) *family {
	for i := range families {
		for _, flag := range families[i].flags {
			if len(ident) >= len(flag) && strings.EqualFold(flag, string(ident[:len(flag)])) {
				return &families[i]
			}
		}
	}
	return nil
}

func identModel(ident []byte) string {
	model := string(ident[min(4, len(ident)):])
	if len(model) > 1 && model[0] == '\\' {
		model = model[2:]
	}
	return strings.TrimLeft(strings.TrimSpace(model), ":")
}

// identifyFrame goes by the name of the list first, since modules of other makes speak like Aidon.
func (r *Reading) identifyFrame(f *hdlc.Frame) {
	for i := range families {
		for _, prefix := range families[i].lists {
			if strings.HasPrefix(r.Meter.List, prefix) {
				r.belongsTo(&families[i])
				return
			}
		}
	}
	for i := range families {
		for _, a := range families[i].frames {
			if bytes.Equal(f.Destination, a.destination) && bytes.Equal(f.Source, a.source) {
				r.belongsTo(&families[i])
				return
			}
		}
	}
}

func (r *Reading) belongsTo(f *family) {
	if f == nil {
		return
	}
	r.Family, r.Meter.Make = f.name, f.make
	if f.repair != nil {
		f.repair(r)
	}
}

// Codes of what a meter says about itself, on any channel that is not a sub-meter's (IEC 62056-6-2, 6.2.41).
var (
	listName  = [3]byte{0, 2, 129}
	serial    = [3]byte{96, 1, 0}
	otherID   = [3]byte{96, 1, 1}
	meterType = [3]byte{96, 1, 7}
)

// identify takes number, type and list from the records.
func (d *Decoder) identify() {
	m := &d.reading.Meter
	for i := range d.reading.Records {
		rec := &d.reading.Records[i]
		if rec.Kind != obis.Text || rec.Code[0] == 0 && rec.Code[1] > 0 {
			continue
		}
		switch rec.Code.CDE() {
		case listName:
			m.List = d.names.of(rec.Text)
		case serial:
			m.Serial = d.names.of(rec.Text)
		case meterType:
			m.Model = d.names.of(rec.Text)
		case otherID:
			if m.Serial == "" {
				m.Serial = d.names.of(rec.Text)
			}
		}
	}
}

// names keeps the texts by which a meter calls itself, so that the same ones in every telegram allocate nothing.
type names struct {
	kept [8]string
	next int
}

// of returns b as a string, up to the zeros and blanks with which some meters pad it.
func (n *names) of(b []byte) string {
	b = bytes.TrimRight(b, "\x00 ")
	for _, s := range n.kept {
		if s == string(b) {
			return s
		}
	}
	s := string(b)
	n.kept[n.next] = s
	n.next = (n.next + 1) % len(n.kept)
	return s
}
