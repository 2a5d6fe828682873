package dlms

import (
	"math"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// readValue reads the value of a register into rec. Null means "not available". In types of 16 bits or more, the largest unsigned number and
// the smallest signed number also mean "not available". For such a value, and for a number above math.MaxInt64, rec.Kind stays Empty.
func readValue(r *reader, rec *obis.Record) {
	switch tag := r.byte(); tag {
	case tagNull:
	case tagUint32:
		readUint(r, rec, 4)
	case tagUint16:
		readUint(r, rec, 2)
	case tagInt16:
		readInt(r, rec, 2)
	case tagInt32:
		readInt(r, rec, 4)
	case tagUint64:
		readUint(r, rec, 8)
	case tagInt64:
		readInt(r, rec, 8)
	case tagInt8:
		rec.Kind, rec.Value.Coef = obis.Number, int64(int8(r.byte()))
	case tagBoolean, tagUint8, tagEnum:
		rec.Kind, rec.Value.Coef = obis.Number, int64(r.byte())
	case tagOctetString, tagVisible, tagUTF8:
		readString(r, rec, r.length())
	case tagBitString:
		readString(r, rec, (r.length()+7)/8)
	case tagDateTime:
		readString(r, rec, obis.DateTimeLength)
	case tagDate:
		readString(r, rec, dateLength)
	case tagTime:
		readString(r, rec, timeLength)
	default:
		r.fail(r.at-1, "a value of a type that no register has")
	}
}

// maxNesting is the maximum number of levels of lists in lists. Meters send up to three levels. The limit bounds the depth of recursion.
const maxNesting = 8

// readAny reads a value of any type. A list becomes a Text of the bytes of the list.
func readAny(r *reader, rec *obis.Record) {
	if tag := r.peek(); tag != tagArray && tag != tagStructure {
		readValue(r, rec)
		return
	}
	start := r.at
	skipList(r, maxNesting)
	if r.fault == "" {
		rec.Kind, rec.Text = obis.Text, r.b[start:r.at]
	}
}

// skipList skips an array or a structure of at most depth levels.
func skipList(r *reader, depth int) {
	at := r.at
	r.byte()
	if depth == 0 {
		r.fail(at, "lists in lists, too deep")
	}
	for range r.length() {
		if r.fault != "" {
			return
		}
		skipValue(r, depth-1)
	}
}

func skipValue(r *reader, depth int) {
	if tag := r.peek(); tag == tagArray || tag == tagStructure {
		skipList(r, depth)
		return
	}
	var rec obis.Record
	readValue(r, &rec)
}

func readUint(r *reader, rec *obis.Record, size int) {
	v := r.uint(size)
	notAvailable := uint64(math.MaxUint64) >> (64 - 8*size)
	if v == notAvailable || v > math.MaxInt64 {
		return
	}
	rec.Kind, rec.Value.Coef = obis.Number, int64(v)
}

func readInt(r *reader, rec *obis.Record, size int) {
	unusedBits := 64 - 8*size
	v := int64(r.uint(size)<<unusedBits) >> unusedBits // extends the sign
	if notAvailable := int64(math.MinInt64) >> unusedBits; v == notAvailable {
		return
	}
	rec.Kind, rec.Value.Coef = obis.Number, v
}

// readString reads a string of size bytes. If it is the date-time of a clock, rec becomes a Clock.
func readString(r *reader, rec *obis.Record, size int) {
	rec.Text = r.bytes(size)
	rec.Kind = obis.Text
	if !rec.Code.IsClock() || len(rec.Text) != obis.DateTimeLength {
		return
	}
	if t := obis.ReadDateTime(rec.Text); !t.IsZero() {
		rec.Kind, rec.Time, rec.Text = obis.Clock, t, nil
	}
}
