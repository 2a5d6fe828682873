package dlms

import "github.com/hanbridge/hanbridge/pkg/obis"

// serialNumber is the code under which a number is kept that a meter sends without one (IEC 62056-6-2, 6.2.42).
var serialNumber = obis.Code{0, 0, 96, 1, 0, obis.Any}

// readPairs reads a flat list of logical name, value, logical name, value … and tells if the body was one. They are told
// apart by position alone: the value of an identification may have six bytes like a name. Where a pair is missing,
// Kamstrup's meters of one phase send null twice; Kamstrup's lists begin with their name, Kaifa's in Lower Austria with a
// clock and end with the meter's number, all of them without a code, and there each value is followed by scaler and unit.
// Kaifa's in Vorarlberg and Poland send the clock as a pair, and all else in structures.
func (n *Notification) readPairs(r *reader, count int) bool {
	for i := 0; i < count && r.fault == ""; i++ {
		switch r.peek() {
		case tagNull:
			r.byte()
		case tagVisible, tagUTF8:
			if i > 0 {
				return false
			}
			n.Name = readOctets(r)
		case tagOctetString:
			i += n.readPair(r, count-i, i == 0)
		case tagStructure:
			readRegister(r, n.add(obis.Code{}))
		default:
			return false
		}
	}
	return r.fault == "" && len(n.Records) > 0
}

// readPair reads a code with its value, or a text without a code at either end of the list. It returns how many items
// behind the first it took; left is how many the list still has.
func (n *Notification) readPair(r *reader, left int, first bool) int {
	b := readOctets(r)
	if len(b) != len(obis.Code{}) || left == 1 {
		n.readNameless(r, b, left == 1, first)
		return 0
	}
	rec := n.add(obis.Code(b))
	if tag := r.peek(); tag == tagArray || tag == tagStructure {
		r.fail(r.at, "a pair whose value is a list")
		return 1
	}
	readValue(r, rec)
	if left > 2 && r.follows(scalerUnit) {
		readScalerUnit(r, rec)
		return 2
	}
	return 1
}

func (n *Notification) readNameless(r *reader, b []byte, last, first bool) {
	t := obis.ReadDateTime(b)
	switch {
	case first && !t.IsZero():
		n.Time = t
	case last && len(n.Records) > 0:
		rec := n.add(serialNumber)
		rec.Kind, rec.Text = obis.Text, b
	default:
		r.fail(r.at, "a text where a logical name was expected")
	}
}

// readOctets reads a string of any kind with its tag.
func readOctets(r *reader) []byte {
	r.byte()
	return r.bytes(r.length())
}
