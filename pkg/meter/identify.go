package meter

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"strings"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/p1"
)

// Codes of what a meter says about itself, on any channel that is not a sub-meter's (IEC 62056-6-2, 6.2.41).
var (
	listName   = [3]byte{0, 2, 129}
	serial     = [3]byte{96, 1, 0}
	otherID    = [3]byte{96, 1, 1}
	meterType  = [3]byte{96, 1, 7}
	deviceName = [3]byte{42, 0, 0}
	gs1Number  = [3]byte{0, 0, 5} // Kamstrup
	plainID    = [3]byte{0, 0, 1} // Kamstrup in Denmark, as a number
)

// identify takes number, type and list from the records. The logical device name is a number of last resort.
func (d *Decoder) identify() {
	r, m := &d.reading, &d.reading.Meter
	for i := range r.Records {
		rec := &r.Records[i]
		if rec.Code[0] == 0 && rec.Code[1] > 0 {
			continue
		}
		if rec.Kind == obis.Number && rec.Code.CDE() == plainID && rec.Value.Coef > 0 && r.number == "" {
			r.number = d.names.of(rec.Value.Append(d.digits[:0]))
		}
		if rec.Kind != obis.Text || len(rec.Text) == 0 || p1.IsErrorCode(rec.Text) {
			continue
		}
		switch rec.Code.CDE() {
		case listName:
			m.List = d.names.of(rec.Text)
		case serial:
			m.Serial = d.names.of(rec.Text)
		case meterType:
			m.Model = d.names.of(rec.Text)
		case gs1Number:
			r.number = d.names.of(rec.Text)
		case otherID:
			if m.Serial == "" {
				m.Serial = d.names.of(rec.Text)
			}
		case deviceName:
			r.device = rec.Text
		}
	}
	if m.Serial == "" {
		m.Serial = cmp.Or(r.number, d.names.of(r.device))
	}
}

// names keeps the texts by which a meter calls itself, so that the same ones in every telegram allocate nothing.
type names struct {
	kept [8]name
	next int
}

type name struct{ sent, shown string }

// of returns b as people write it: without padding, and in letters where the meter sends these in hexadecimal.
func (n *names) of(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	for i := range n.kept {
		if n.kept[i].sent == string(b) {
			return n.kept[i].shown
		}
	}
	shown := trimmed(string(b))
	if letters, ok := unhexed(shown); ok {
		shown = letters
	}
	n.kept[n.next] = name{string(b), shown}
	n.next = (n.next + 1) % len(n.kept)
	return shown
}

// From how many digits on a number is taken for hexadecimal characters (DSMR P1 5.0.2, 6.4: an octet string): those of DSMR
// have 34. One of 16 might by chance stand for 8 characters, but hardly for nothing but figures.
const (
	leastHexed        = 24
	leastHexedFigures = 16
)

func unhexed(s string) (string, bool) {
	b, err := hex.DecodeString(s)
	if err != nil || len(s) < leastHexedFigures {
		return "", false
	}
	text := trimmed(string(b))
	figures := text != ""
	for _, x := range []byte(text) {
		if x-'0' <= 9 {
			continue
		}
		figures = false
		if (x|0x20)-'a' > 'z'-'a' && x != ' ' && x != '-' && x != '.' {
			return "", false
		}
	}
	return text, figures || text != "" && len(s) >= leastHexed
}

// trimmed returns s without the zeros and blanks with which some meters pad it.
func trimmed(s string) string { return strings.Trim(s, "\x00 ") }

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
