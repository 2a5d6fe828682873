package dlms

import "github.com/hanbridge/hanbridge/pkg/obis"

// readRegisters reads count structures {logical name, value} or {logical name, value, scaler-unit}. They are sent by Aidon
// meters (Aidon HAN interface description 1.7A, 3.2), by modules that copy Aidon's format, and by Kaifa meters in Vorarlberg and Poland.
func (n *Notification) readRegisters(r *reader, count int) {
	for range count {
		if r.fault != "" {
			return
		}
		readRegister(r, n.add(obis.Code{}))
	}
}

// readRegister reads one structure of readRegisters.
func readRegister(r *reader, rec *obis.Record) {
	at := r.at
	tag, fields := r.byte(), r.byte()
	if tag != tagStructure || fields != 2 && fields != 3 {
		r.fail(at, "an item that is not a structure of two or three fields")
		return
	}
	if !readName(r, &rec.Code) {
		return
	}
	readValue(r, rec)
	if fields == 3 {
		readScalerUnit(r, rec)
	}
}

// readName reads a logical name. The module EMBRIQ_V1 in Landis+Gyr ZMF1 meters swaps the tag and the length of the logical names of
// currents.
func readName(r *reader, code *obis.Code) bool {
	if !r.follows("\x09\x06") && !r.follows("\x06\x09") {
		r.fail(r.at, "an item that does not begin with a logical name")
		return false
	}
	r.bytes(2)
	return copy(code[:], r.bytes(len(code))) == len(code)
}

// scalerUnit is how a structure of scaler and unit begins.
const scalerUnit = "\x02\x02\x0F"

// readScalerUnit reads the structure {scaler int8, unit enum} into rec (IEC 62056-6-2, 4.3.2).
func readScalerUnit(r *reader, rec *obis.Record) {
	at := r.at
	b := r.bytes(6)
	if r.fault != "" {
		return
	}
	if b[0] != tagStructure || b[1] != 2 || b[2] != tagInt8 || b[4] != tagEnum {
		r.fail(at, "no scaler and unit where the list must have them")
		return
	}
	rec.Value.Exp, rec.Unit = int8(b[3]), obis.Unit(b[5])
}

// serialNumber is the code of the meter's serial number, for meters that send the number without a code (IEC 62056-6-2, 6.2.42).
var serialNumber = obis.Code{0, 0, 96, 1, 0, obis.Any}

// readPairs reads a flat list of logical name, value, logical name, value … and reports whether the body was such a list. Only the position
// distinguishes a name from a value, because a value can also be a text of six bytes. The lists of manufacturers differ:
//
//   - Kamstrup: the list begins with its name, without a code. Meters of one phase send null twice in place of a missing pair.
//   - Kaifa in Lower Austria: the list begins with a clock and ends with the meter's serial number, both without a code. Scaler and unit
//     follow each value.
//   - Kaifa in Vorarlberg and Poland: the clock is a pair, all other items are structures.
func (n *Notification) readPairs(r *reader, count int) bool {
	for i := 0; i < count && r.fault == ""; i++ {
		switch r.peek() {
		case tagNull:
			r.byte()
		case tagVisible, tagUTF8:
			if i > 0 {
				return false
			}
			n.ListName = readOctets(r)
		case tagOctetString:
			i += n.readPair(r, count-i, i == 0) - 1
		case tagStructure:
			readRegister(r, n.add(obis.Code{}))
		default:
			return false
		}
	}
	return r.fault == "" && len(n.Records) > 0
}

// readPair reads a code and its value, or a text without a code at the beginning or the end of the list. left is the number of items that
// are not read yet. readPair returns the number of items that it read.
func (n *Notification) readPair(r *reader, left int, isFirst bool) int {
	b := readOctets(r)
	if isLast := left == 1; len(b) != len(obis.Code{}) || isLast {
		n.readNameless(r, b, isFirst, isLast)
		return 1
	}
	rec := n.add(obis.Code(b))
	if tag := r.peek(); tag == tagArray || tag == tagStructure {
		r.fail(r.at, "a pair whose value is a list")
		return 2
	}
	readValue(r, rec)
	if left > 2 && r.follows(scalerUnit) {
		readScalerUnit(r, rec)
		return 3
	}
	return 2
}

// readNameless stores the text b, which has no code. As the first item of the list, b is the time. As the last item, b is the serial number.
func (n *Notification) readNameless(r *reader, b []byte, isFirst, isLast bool) {
	t := obis.ReadDateTime(b)
	switch {
	case isFirst && !t.IsZero():
		n.Time = t
	case isLast && len(n.Records) > 0:
		rec := n.add(serialNumber)
		rec.Kind, rec.Text = obis.Text, b
	default:
		r.fail(r.at, "a text where a logical name was expected")
	}
}

// readOctets reads an octet-string, visible-string or UTF-8 string, with its tag.
func readOctets(r *reader) []byte {
	r.byte()
	return r.bytes(r.length())
}

// Letters of Notification.Layout: the types of the items of a list without codes.
const (
	LayoutText   = 't' // a string
	LayoutClock  = 'c' // a date-time
	LayoutUint   = 'u' // unsigned, of 32 or 64 bits
	LayoutUint16 = 'w' // unsigned, of 16 bits
	LayoutSigned = 'i' // signed, of any size
	LayoutByte   = 'b' // boolean, enum, or unsigned of 8 bits
	LayoutArray  = 'a' // array or structure of one value
	LayoutNull   = '0' // null-data
)

// readPositional reads count values without codes. The manufacturer or the grid company defines the order of the values.
func (n *Notification) readPositional(r *reader, count int) {
	for range count {
		if r.fault != "" {
			return
		}
		rec := n.add(obis.Code{})
		letter := layoutOf(r.peek())
		if letter == LayoutArray {
			r.byte()
			if at := r.at; r.length() != 1 {
				r.fail(at, "a list in a list without codes")
				return
			}
		}
		readValue(r, rec)
		// A date-time that is not specified becomes an empty record, and its letter is LayoutClock too.
		if len(rec.Text) == obis.DateTimeLength && beginsAsDateTime(rec.Text) {
			letter = LayoutClock
			if rec.Kind, rec.Time = obis.Empty, obis.ReadDateTime(rec.Text); !rec.Time.IsZero() {
				rec.Kind = obis.Clock
			}
			rec.Text = nil
		}
		n.Layout = append(n.Layout, letter)
	}
}

// layoutOf returns the letter of a value with this tag. A date-time in an octet-string gets LayoutText here.
func layoutOf(tag byte) byte {
	switch tag {
	case tagUint32, tagUint64:
		return LayoutUint
	case tagUint16:
		return LayoutUint16
	case tagInt8, tagInt16, tagInt32, tagInt64:
		return LayoutSigned
	case tagBoolean, tagEnum, tagUint8:
		return LayoutByte
	case tagArray, tagStructure:
		return LayoutArray
	case tagNull:
		return LayoutNull
	}
	return LayoutText
}
