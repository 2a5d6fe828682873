package dlms

import "github.com/hanbridge/hanbridge/pkg/obis"

// isPushObject reports whether the next bytes are an element of a push object list: a structure of four or more fields, whose first field is a
// class as uint16.
func isPushObject(r *reader) bool {
	return r.at+2 < len(r.b) && r.b[r.at] == tagStructure && r.b[r.at+1] >= pushObjectFields && r.b[r.at+2] == tagUint16
}

// pushObjectFields is the number of fields of an element: class, logical name, attribute, data index (IEC 62056-6-2, 4.4.8.2.2).
// An element of a later version of the class also has a restriction and columns.
const pushObjectFields = 4

// readPushList reads a structure of count items: a push object list, then the value of each of its objects in the same order. The first
// object is possibly the list itself, whose value some meters do not send.
func (n *Notification) readPushList(r *reader, count int) {
	at := r.at
	r.byte()
	n.readObjects(r)
	values := count - 1
	first := len(n.objects) - values // index of the first object with a value: 1 if the value of the list itself is not sent
	if r.fault == "" && first != 0 && first != 1 {
		r.fail(at, "a push list with more or fewer objects than values")
	}
	for i := first; i < len(n.objects) && r.fault == ""; i++ {
		n.readAttribute(r, n.objects[i])
	}
}

// readObjects reads the push object list into n.objects.
func (n *Notification) readObjects(r *reader) {
	for range r.length() {
		at := r.at
		fields := 0
		if isPushObject(r) {
			r.byte()
			fields = r.length()
		}
		b := r.bytes(3 + 8 + 2 + 3) // the four fields with their tags
		if r.fault != "" {
			return
		}
		if fields == 0 || b[3] != tagOctetString || b[4] != 6 || b[11] != tagInt8 || b[13] != tagUint16 {
			r.fail(at, "a push list with an element that is no object")
			return
		}
		n.objects = append(n.objects, attribute{uint16(b[1])<<8 | uint16(b[2]), obis.Code(b[5:11]), int8(b[12])})
		for range fields - pushObjectFields {
			skipValue(r, maxNesting)
		}
	}
}

// descriptorList is how a body of attribute descriptors begins: an enum, then an array (Sagemcom XT211).
const descriptorList = "\x16\x01\x01"

// readDescriptors reads an array of structures {attribute descriptor, value}. The descriptor is class, logical name and attribute
// without the tags of A-XDR data.
func (n *Notification) readDescriptors(r *reader) {
	r.bytes(len(descriptorList))
	for range r.length() {
		if !r.follows("\x02\x02") {
			r.fail(r.at, "an item that is not a structure of attribute descriptor and value")
			return
		}
		r.bytes(2)
		d := r.bytes(9)
		if r.fault != "" {
			return
		}
		n.readAttribute(r, attribute{class: uint16(d[0])<<8 | uint16(d[1]), code: obis.Code(d[2:8]), index: int8(d[8])})
	}
}

// attribute identifies an attribute of a COSEM object (IEC 62056-6-2, 4.1.2).
type attribute struct {
	class uint16
	code  obis.Code
	index int8
}

// Classes of registers. Attribute 1 is the logical name, attribute 2 is the value, and the attributes above 2 describe the value
// (IEC 62056-6-2, 4.3).
const (
	classRegister         = 3
	classExtendedRegister = 4
	classDemandRegister   = 5
)

// readAttribute reads an attribute. Scaler, unit and time of a register are added to the record of its value, or are skipped if there is no such
// record. Other attributes that describe a register are skipped. All other attributes become records.
func (n *Notification) readAttribute(r *reader, a attribute) {
	isRegister := a.class >= classRegister && a.class <= classDemandRegister
	if !isRegister || a.index <= 2 {
		readAny(r, n.add(a.code))
		return
	}
	var skipped obis.Record
	rec := n.valueOf(a.code)
	if rec == nil {
		rec = &skipped
	}
	scalerIndex := int8(3) // of the attribute that has scaler and unit
	if a.class == classDemandRegister {
		scalerIndex = 4
	}
	switch {
	case a.index == scalerIndex:
		readScalerUnit(r, rec)
	case a.index == 5 && a.class == classExtendedRegister: // the time of capture
		readAny(r, &skipped)
		rec.Time = obis.ReadDateTime(skipped.Text)
	default:
		readAny(r, &skipped)
	}
}

// valueOf returns the last record with this code that is a number, or nil.
func (n *Notification) valueOf(code obis.Code) *obis.Record {
	for i := len(n.Records) - 1; i >= 0; i-- {
		if rec := &n.Records[i]; rec.Code == code && rec.Kind == obis.Number {
			return rec
		}
	}
	return nil
}
