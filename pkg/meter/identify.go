package meter

import (
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
		if rec.Kind != obis.Text || len(rec.Text) == 0 || p1.IsError(rec.Text) {
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
