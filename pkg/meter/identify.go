package meter

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"strings"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/p1"
)

// Codes by which a meter identifies itself: value groups C, D and E (IEC 62056-6-2, 6.2.41).
var (
	listName      = [3]byte{0, 2, 129}
	serialNumber  = [3]byte{96, 1, 0}
	serialOrModel = [3]byte{96, 1, 1} // the model of Kamstrup meters, the serial number of other meters
	meterType     = [3]byte{96, 1, 7}
	deviceName    = [3]byte{42, 0, 0} // the logical device name
	gs1Number     = [3]byte{0, 0, 5}  // the serial number of Kamstrup, as a text
	numericSerial = [3]byte{0, 0, 1}  // the serial number of Kamstrup in Denmark, as a number
)

// identify sets serial number, model and list name from the records. It ignores records on the channels of sub-meters. If no record has the code of
// a serial number, the serial number is the Kamstrup number, or the logical device name if there is no Kamstrup number.
func (d *Decoder) identify() {
	r, m := &d.reading, &d.reading.Meter
	for i := range r.Records {
		rec := &r.Records[i]
		if rec.Code[0] == 0 && rec.Code[1] > 0 {
			continue
		}
		if rec.Kind == obis.Number && rec.Code.CDE() == numericSerial && rec.Value.Coef > 0 && r.kamstrupNumber == "" {
			r.kamstrupNumber = d.names.of(rec.Value.Append(d.serialDigits[:0]))
		}
		if rec.Kind != obis.Text || len(rec.Text) == 0 || p1.IsErrorCode(rec.Text) {
			continue
		}
		switch rec.Code.CDE() {
		case listName:
			m.List = d.names.of(rec.Text)
		case serialNumber:
			m.Serial = d.names.of(rec.Text)
		case meterType:
			m.Model = d.names.of(rec.Text)
		case gs1Number:
			r.kamstrupNumber = d.names.of(rec.Text)
		case serialOrModel:
			if m.Serial == "" {
				m.Serial = d.names.of(rec.Text)
			}
		case deviceName:
			r.deviceName = rec.Text
		}
	}
	if m.Serial == "" {
		m.Serial = cmp.Or(r.kamstrupNumber, d.names.of(r.deviceName))
	}
}

// A nameCache has the last names and numbers of a meter in readable form. They are the same in each telegram, so only the first telegram allocates
// memory for them.
type nameCache struct {
	entries [8]cachedName
	next    int // index of the entry that is replaced next
}

// A cachedName is a name as sent, and its readable form.
type cachedName struct{ sent, readable string }

// of returns the name b in readable form, without padding. If b has the characters of the name as hexadecimal digits (see decodeHex), of decodes the
// digits.
func (n *nameCache) of(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	for i := range n.entries {
		if n.entries[i].sent == string(b) {
			return n.entries[i].readable
		}
	}
	readable := withoutPadding(string(b))
	if text, ok := decodeHex(readable); ok {
		readable = text
	}
	n.entries[n.next] = cachedName{string(b), readable}
	n.next = (n.next + 1) % len(n.entries)
	return readable
}

// Minimum numbers of hexadecimal digits that decodeHex decodes. By chance, a decimal serial number of 16 digits possibly looks like eight encoded
// letters, but hardly like eight encoded digits. DSMR meters send 34 hexadecimal digits (DSMR P1 5.0.2, 6.4: octet string).
const (
	minHexText   = 24 // if the result has letters
	minHexDigits = 16 // if the result has only digits
)

// decodeHex returns the text whose hexadecimal digits are s. ok is false if s is probably not the hexadecimal form of a text.
func decodeHex(s string) (text string, ok bool) {
	b, err := hex.DecodeString(s)
	if err != nil || len(s) < minHexDigits {
		return "", false
	}
	text = withoutPadding(string(b))
	digitsOnly := text != ""
	for _, x := range []byte(text) {
		if x-'0' <= 9 {
			continue
		}
		digitsOnly = false
		if (x|0x20)-'a' > 'z'-'a' && x != ' ' && x != '-' && x != '.' {
			return "", false
		}
	}
	return text, digitsOnly || text != "" && len(s) >= minHexText
}

// withoutPadding returns s without the zero bytes and blanks with which some meters pad it.
func withoutPadding(s string) string { return strings.Trim(s, "\x00 ") }

// identifyP1 sets model and family from ident, the identification line without its '/'. The line has the manufacturer code of three letters, a
// digit for the speed, an optional '\' with a mode, and the model (IEC 62056-21, 6.3.2 and 6.3.12).
func (d *Decoder) identifyP1(ident []byte) {
	if string(ident) != d.ident { // usually only in the first telegram
		d.ident, d.identFamily, d.identModel = string(ident), familyOfFlag(ident), identModel(ident)
		d.converter.MeanCurrents = bytes.HasPrefix(ident, []byte("ESO")) // the grid company of Lithuania
	}
	d.reading.Meter.Model = d.identModel
	d.reading.setFamily(d.identFamily)
}

// familyOfFlag returns the family whose manufacturer code (FLAG ID) is at the beginning of b. It returns nil if there is none.
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

// identModel returns the model in an identification line.
func identModel(ident []byte) string {
	model := string(ident[min(4, len(ident)):])
	if rest, ok := strings.CutPrefix(model, `\`); ok {
		model = withoutMode(rest)
	}
	return strings.TrimLeft(strings.TrimSpace(model), ":/")
}

// withoutMode returns the text after a '\' without the mode. The mode is a digit or '@' before a name (IEC 62056-21, 6.3.12). Some meters
// send a name without a mode. Belgian meters send their number, which begins with two digits and has no mode.
func withoutMode(text string) string {
	if len(text) > 1 && (text[0]-'0' <= 9 || text[0] == '@') && text[1]-'0' > 9 {
		return text[1:]
	}
	return text
}

// familyOfMessage returns the family of a binary message. It returns nil if the family is not known. It compares the name of the list first, then
// the manufacturer codes in system title and device name, and last the addresses of the HDLC frame. The addresses are last because modules of
// other makes use the addresses of Aidon.
func (d *Decoder) familyOfMessage() *family {
	r := &d.reading
	for _, f := range families {
		for _, prefix := range f.listPrefixes {
			if strings.HasPrefix(r.Meter.List, prefix) {
				return f
			}
		}
	}
	if f := familyOfFlag(r.Cipher.Title[:]); f != nil {
		return f
	}
	if f := familyOfFlag(r.deviceName); f != nil {
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

// setFamily sets family and make. It does nothing if f is nil.
func (r *Reading) setFamily(f *family) {
	if f == nil {
		return
	}
	r.Family, r.Meter.Make = f.name, f.make
}

// textOf returns the first text with a code of these groups C, D and E. It returns nil if there is none.
func (r *Reading) textOf(cde [3]byte) []byte {
	for i := range r.Records {
		if rec := &r.Records[i]; rec.Kind == obis.Text && rec.Code.CDE() == cde {
			return rec.Text
		}
	}
	return nil
}
