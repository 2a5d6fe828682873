package mask

import (
	"bytes"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// Tags of A-XDR data (IEC 62056-6-2, 4.1.5).
const (
	tagArray       = 1
	tagStructure   = 2
	tagBitString   = 4
	tagUint32      = 6
	tagOctetString = 9
	tagVisible     = 10
	tagUTF8        = 12
	tagBCD         = 13
	tagUint64      = 21
)

// sizes are the lengths in bytes of values that have always the same.
var sizes = map[byte]int{
	0: 0, 3: 1, 5: 4, 6: 4, tagBCD: 1, 15: 1, 16: 2, 17: 1, 18: 2, 20: 8, 21: 8, 22: 1, 23: 4, 24: 8, 25: 12, 26: 5, 27: 4,
}

const (
	codeLength = 6
	// descriptors begins a body whose items begin with bare attribute descriptors of nine bytes (Sagemcom XT211).
	descriptors      = "\x02\x02\x16\x01\x01"
	descriptorLength = 9
	// swapped is how the module EMBRIQ writes tag and length of some logical names.
	swapped = "\x06\x09"
	nesting = 8
)

// walk goes through A-XDR data and masks its texts in place. Data that it does not understand whole is not masked, and fails.
type walk struct {
	*masking
	b    []byte
	fail bool
}

// notification masks a data-notification in place.
func (k *masking) notification(b []byte) bool {
	const head = 1 + 4 // tag, invoke id
	w := walk{masking: k, b: b}
	w.take(head)
	if len(w.b) > 0 && w.b[0] == tagOctetString { // Kaifa meters write the tag of the date-time
		w.take(1)
	}
	w.take(w.length())
	if bytes.HasPrefix(w.b, []byte(descriptors)) {
		w.described()
	} else {
		w.value(nesting)
	}
	return !w.fail && len(w.b) == 0
}

func (w *walk) take(n int) []byte {
	if n < 0 || n > len(w.b) {
		w.fail, w.b = true, nil
		return nil
	}
	x := w.b[:n]
	w.b = w.b[n:]
	return x
}

func (w *walk) byte() byte {
	if x := w.take(1); x != nil {
		return x[0]
	}
	return 0
}

// length reads a length or count: one byte below 80, else 81 or 82 and that many bytes.
func (w *walk) length() (n int) {
	switch first := w.byte(); {
	case first < 0x80:
		return int(first)
	case first > 0x82:
		w.fail = true
	default:
		n = int(unsigned(w.take(int(first - 0x80))))
	}
	return n
}

// unsigned returns the number that b is, high byte first.
func unsigned(b []byte) (v uint64) {
	for _, x := range b {
		v = v<<8 | uint64(x)
	}
	return v
}

func (w *walk) described() {
	w.take(len(descriptors))
	for range w.length() {
		w.take(len("\x02\x02") + descriptorLength)
		if w.value(nesting); w.fail {
			return
		}
	}
}

func (w *walk) value(depth int) {
	switch tag := w.byte(); tag {
	case tagArray, tagStructure:
		w.list(depth)
	case tagBitString:
		w.take((w.length() + 7) / 8)
	case tagOctetString, tagVisible, tagUTF8:
		w.octets(w.take(w.length()))
	case tagUint32, tagUint64:
		w.number(w.take(sizes[tag]))
	case tagBCD:
		clear(w.take(sizes[tag]))
	default:
		n, known := sizes[tag]
		w.fail = w.fail || !known
		w.take(n)
	}
}

func (w *walk) list(depth int) {
	n := w.length()
	if depth == 0 {
		w.fail = true
	}
	if bytes.HasPrefix(w.b, []byte(swapped)) && (n == 2 || n == 3) {
		w.take(len(swapped) + codeLength)
		n--
	}
	for range n {
		if w.fail {
			return
		}
		w.value(depth - 1)
	}
}

// number clears what a meter sends as its number, such as 1-1:0.0.1 of Kamstrup.
func (w *walk) number(b []byte) {
	v := unsigned(b)
	for i := range w.reading.Records {
		if r := &w.reading.Records[i]; r.Kind == obis.Number && r.Value.Coef == int64(v) && identifies(r.Code) {
			clear(b)
		}
	}
}

// octets masks a string, unless it is a code, a clock, or says nothing about whose meter it is.
func (w *walk) octets(b []byte) {
	if t := obis.ReadDateTime(b); len(b) == 0 || t.Year >= 1970 && t.Year <= 2100 {
		return
	}
	text, harmless := false, true
	for i := range w.reading.Records {
		r := &w.reading.Records[i]
		if len(b) == codeLength && r.Code == obis.Code(b) {
			return
		}
		if r.Kind == obis.Text && bytes.Equal(r.Text, b) {
			text, harmless = true, harmless && isHarmless(r.Code) && !identifies(r.Code)
		}
	}
	trimmed := string(bytes.TrimRight(b, "\x00 "))
	switch {
	case !text && len(b) == codeLength && b[codeLength-1] == obis.Any:
	case text && harmless:
	case trimmed == w.reading.Meter.List && !number.Match(b):
	case trimmed == w.reading.Meter.Model:
		maskModel(b)
	case printable(b):
		maskWord(b)
	default:
		clear(b)
	}
}
