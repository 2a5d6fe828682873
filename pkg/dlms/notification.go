package dlms

import (
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A Notification is a parsed data-notification. Its records belong to the bytes they were parsed from.
type Notification struct {
	// InvokeID is the long-invoke-id-and-priority, 40000000 (hexadecimal) in most meters.
	InvokeID uint32
	// Time is when the meter sent it; zero where it does not say.
	Time obis.Time
	// Records are the items of the body, in the meter's order.
	Records []obis.Record
}

// Parse reads a data-notification whole: a body with one byte that does not fit is not understood, and gives nothing but
// an error that names the byte. The Notification's own slice of records is used again, so that nothing is allocated once
// it has grown.
func (n *Notification) Parse(apdu []byte) error {
	*n = Notification{Records: n.Records[:0]}
	r := reader{b: apdu}
	switch r.byte() {
	case tagNotification:
	case tagCiphered:
		r.fail(0, "an encrypted message, which is not read")
	default:
		r.fail(0, "not a data-notification")
	}
	id := uint32(r.uint(4))
	sent := readHeaderTime(&r)
	records := readRegisters(&r, n.Records)
	if r.err == nil && r.at < len(r.b) {
		r.fail(r.at, "more data than the list has items")
	}
	if r.err != nil {
		return r.err
	}
	*n = Notification{InvokeID: id, Time: sent, Records: records}
	return nil
}

// readHeaderTime reads the date-time of the APDU: an octet-string without its tag, empty where the meter sends none.
// Kaifa meters write the tag all the same.
func readHeaderTime(r *reader) obis.Time {
	if r.peek() == tagOctetString {
		r.byte()
	}
	at := r.at
	switch n := r.byte(); n {
	case 0:
	case dateTimeLength:
		return readDateTime(r.bytes(dateTimeLength))
	default:
		r.fail(at, "a date-time that is not of 12 bytes")
	}
	return obis.Time{}
}

// readRegisters reads an array of structures {logical name, value} or {logical name, value, scaler-unit}: what Aidon
// meters and the modules that speak like them send (Aidon HAN interface description 1.7A, 3.2).
func readRegisters(r *reader, records []obis.Record) []obis.Record {
	at := r.at
	if tag := r.byte(); tag != tagArray && tag != tagStructure {
		r.fail(at, "the body is not a list of registers")
	}
	for range r.length() {
		if r.err != nil {
			break
		}
		records = append(records, obis.Record{})
		readRegister(r, &records[len(records)-1])
	}
	return records
}

func readRegister(r *reader, rec *obis.Record) {
	at := r.at
	tag, fields := r.byte(), r.byte()
	if tag != tagStructure || fields != 2 && fields != 3 {
		r.fail(at, "an item that is not a structure of two or three fields")
		return
	}
	at = r.at
	if r.byte() != tagOctetString || r.byte() != byte(len(rec.Code)) {
		r.fail(at, "an item that does not begin with a logical name")
		return
	}
	copy(rec.Code[:], r.bytes(len(rec.Code)))
	readValue(r, rec)
	if fields == 3 {
		readScalerUnit(r, rec)
	}
}

// readScalerUnit reads structure {scaler int8, unit enum} (IEC 62056-6-2, 4.3.2).
func readScalerUnit(r *reader, rec *obis.Record) {
	at := r.at
	b := r.bytes(6)
	if r.err != nil {
		return
	}
	if b[0] != tagStructure || b[1] != 2 || b[2] != tagInt8 || b[4] != tagEnum {
		r.fail(at, "no scaler and unit behind a value of three fields")
		return
	}
	rec.Value.Exp, rec.Unit = int8(b[3]), obis.Unit(b[5])
}
