package meter

import (
	"bytes"
	"strings"

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

// identifyP1 reads the identification line: XXXZ Ident, with an optional \W behind the Z (IEC 62056-21, 6.3.2 and 6.3.12).
func (d *Decoder) identifyP1(ident []byte) {
	if string(ident) != d.ident { // it is the same in every telegram of a meter
		d.ident, d.identFamily, d.identModel = string(ident), familyOfFlag(ident), identModel(ident)
		d.finder.Means = bytes.HasPrefix(ident, []byte("ESO")) // the grid company of Lithuania
	}
	d.reading.Meter.Model = d.identModel
	d.reading.belongsTo(d.identFamily)
}

// familyOfFlag returns the family whose letters b begins with, nil when there is none.
func familyOfFlag(b []byte) *family {
	if len(b) == 0 || b[0] == 0 {
		return nil
	}
	for _, f := range families {
		for _, flag := range f.flags {
			if len(b) >= len(flag) && strings.EqualFold(flag, string(b[:len(flag)])) {
				return f
			}
		}
	}
	return nil
}

func identModel(ident []byte) string {
	model := string(ident[min(4, len(ident)):])
	if rest, ok := strings.CutPrefix(model, `\`); ok {
		model = withoutMode(rest)
	}
	return strings.TrimLeft(strings.TrimSpace(model), ":/")
}

// withoutMode drops the W of \W, the mode of a meter (IEC 62056-21, 6.3.12): a figure or '@' before a name. Belgian meters put their
// number behind the '\', others their name, without a W.
func withoutMode(name string) string {
	if len(name) > 1 && (name[0]-'0' <= 9 || name[0] == '@') && name[1]-'0' > 9 {
		return name[1:]
	}
	return name
}

// familyOfMessage goes by the name of the list first, since modules of other makes speak like Aidon; then by the letters of
// the maker in system title and device name, then by the addresses of the frame.
func (d *Decoder) familyOfMessage() *family {
	r := &d.reading
	for _, f := range families {
		for _, prefix := range f.lists {
			if strings.HasPrefix(r.Meter.List, prefix) {
				return f
			}
		}
	}
	if f := familyOfFlag(r.Cipher.Title[:]); f != nil {
		return f
	}
	if f := familyOfFlag(r.device); f != nil {
		return f
	}
	if r.Protocol != HDLC {
		return nil
	}
	for _, f := range families {
		for _, a := range f.frames {
			if bytes.Equal(d.frame.Destination, a.destination) && bytes.Equal(d.frame.Source, a.source) {
				return f
			}
		}
	}
	return nil
}

func (r *Reading) belongsTo(f *family) {
	if f == nil {
		return
	}
	r.Family, r.Meter.Make = f.name, f.make
}

// textOf returns the first text under a code, nil when there is none.
func (r *Reading) textOf(cde [3]byte) []byte {
	for i := range r.Records {
		if rec := &r.Records[i]; rec.Kind == obis.Text && rec.Code.CDE() == cde {
			return rec.Text
		}
	}
	return nil
}
