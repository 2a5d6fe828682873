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

// fixedSizes maps the tags of all types with values of a fixed length to this length, in bytes.
var fixedSizes = map[byte]int{
	0: 0, 3: 1, 5: 4, 6: 4, tagBCD: 1, 15: 1, 16: 2, 17: 1, 18: 2, 20: 8, 21: 8, 22: 1, 23: 4, 24: 8, 25: 12, 26: 5, 27: 4,
}

const (
	codeLength = 6 // length of an OBIS code in bytes
	// descriptorList begins a message with attribute descriptors (Sagemcom XT211). A descriptor is descriptorLength bytes without tags before
	// each value.
	descriptorList   = "\x02\x02\x16\x01\x01"
	descriptorLength = 9
	// swappedName begins some logical names of the EMBRIQ module, which sends the length 6 before the tag 9.
	swappedName = "\x06\x09"
	maxNesting  = 8 // maximum number of nested arrays and structures
)

// dataMask reads A-XDR data and masks its texts in place.
type dataMask struct {
	*telegramMask
	rest   []byte // the data that was not read yet
	failed bool   // the data cannot be read
}

// notification masks a data-notification in place. It returns false if it cannot read the message to its end.
func (k *telegramMask) notification(b []byte) bool {
	const header = 1 + 4 // tag, invoke id
	w := dataMask{telegramMask: k, rest: b}
	w.take(header)
	if len(w.rest) > 0 && w.rest[0] == tagOctetString { // only Kaifa meters send a tag before the date-time
		w.take(1)
	}
	w.take(w.length()) // the date-time
	if bytes.HasPrefix(w.rest, []byte(descriptorList)) {
		w.describedValues()
	} else {
		w.value(maxNesting)
	}
	return !w.failed && len(w.rest) == 0
}

// take returns the next n bytes, and removes them from w.rest. It returns nil and sets w.failed if there are fewer bytes.
func (w *dataMask) take(n int) []byte {
	if n < 0 || n > len(w.rest) {
		w.failed, w.rest = true, nil
		return nil
	}
	b := w.rest[:n]
	w.rest = w.rest[n:]
	return b
}

// byte returns the next byte. It returns 0 if there is none.
func (w *dataMask) byte() byte {
	if x := w.take(1); x != nil {
		return x[0]
	}
	return 0
}

// length reads a length or a count: one byte below 0x80, or 0x81 and one byte, or 0x82 and two bytes.
func (w *dataMask) length() (n int) {
	switch x := w.byte(); {
	case x < 0x80:
		return int(x)
	case x > 0x82: // more than two bytes: longer than any telegram
		w.failed = true
	default:
		n = int(unsigned(w.take(int(x - 0x80))))
	}
	return n
}

// unsigned returns the big-endian number in b.
func unsigned(b []byte) (v uint64) {
	for _, x := range b {
		v = v<<8 | uint64(x)
	}
	return v
}

// describedValues masks an array of structures {attribute descriptor, value}.
func (w *dataMask) describedValues() {
	w.take(len(descriptorList))
	for range w.length() {
		w.take(len("\x02\x02") + descriptorLength)
		if w.value(maxNesting); w.failed {
			return
		}
	}
}

// value masks a value of any type. depth is the number of levels of arrays and structures that are still allowed.
func (w *dataMask) value(depth int) {
	switch tag := w.byte(); tag {
	case tagArray, tagStructure:
		w.list(depth)
	case tagBitString:
		w.take((w.length() + 7) / 8)
	case tagOctetString, tagVisible, tagUTF8:
		w.octets(w.take(w.length()))
	case tagUint32, tagUint64:
		w.number(w.take(fixedSizes[tag]))
	case tagBCD:
		clear(w.take(fixedSizes[tag]))
	default:
		n, known := fixedSizes[tag]
		w.failed = w.failed || !known
		w.take(n)
	}
}

// list masks the items of an array or a structure.
func (w *dataMask) list(depth int) {
	n := w.length()
	if depth == 0 {
		w.failed = true
	}
	// A structure that begins with a logical name has two or three items: the name, the value and, if the value has them, scaler and unit.
	if bytes.HasPrefix(w.rest, []byte(swappedName)) && (n == 2 || n == 3) {
		w.take(len(swappedName) + codeLength)
		n--
	}
	for range n {
		if w.failed {
			return
		}
		w.value(depth - 1)
	}
}

// number clears b if b is a serial number that the meter sends as a number, such as 1-1:0.0.1 of Kamstrup.
func (w *dataMask) number(b []byte) {
	v := unsigned(b)
	for i := range w.reading.Records {
		if r := &w.reading.Records[i]; r.Kind == obis.Number && r.Value.Coef == int64(v) && isIdentification(r.Code) {
			clear(b)
		}
	}
}

// octets masks a string, unless the string is a code, a clock or a text that identifies nobody.
func (w *dataMask) octets(b []byte) {
	t := obis.ReadDateTime(b)
	isClock := t.Year >= 1970 && t.Year <= 2100
	if len(b) == 0 || isClock {
		return
	}
	isText := false      // b is the text of a record
	onlyHarmless := true // no record with this text identifies anybody
	for i := range w.reading.Records {
		r := &w.reading.Records[i]
		if len(b) == codeLength && r.Code == obis.Code(b) {
			return
		}
		if r.Kind == obis.Text && bytes.Equal(r.Text, b) {
			isText = true
			onlyHarmless = onlyHarmless && isHarmless(r.Code) && !isIdentification(r.Code)
		}
	}
	trimmed := string(bytes.TrimRight(b, "\x00 "))
	switch { // the first three cases do not change b
	case !isText && len(b) == codeLength && b[codeLength-1] == obis.Any: // a code that has no record
	case isText && onlyHarmless:
	case trimmed == w.reading.Meter.List && !longDigits.Match(b):
	case trimmed == w.reading.Meter.Model:
		maskModel(b)
	case isPrintable(b):
		maskWord(b)
	default:
		clear(b)
	}
}
