package dlms

import "github.com/hanbridge/hanbridge/pkg/obis"

// A Notification is a parsed data-notification. The zero value is ready for Parse. It is not safe for concurrent use.
type Notification struct {
	// InvokeID is the long-invoke-id-and-priority, 40000000 (hexadecimal) in most meters.
	InvokeID uint32
	// Time is the time at which the meter sent the message. It is zero if the header has no date-time.
	Time obis.Time
	// ListName is the name of the list, such as Kamstrup_V0001, if the body begins with a name without a code. A name with a code is a
	// record.
	ListName []byte
	// Records are the items of the body, in the order in which the meter sent them. In a list without codes, each Code is zero. Texts alias the bytes that
	// were parsed.
	Records []obis.Record
	// Layout has a letter for the type of each item of a list without codes: see the constants LayoutText to LayoutNull. It is empty for
	// lists with codes.
	Layout []byte

	objects []attribute // of a push object list
}

// reset empties n and keeps the memory of its slices.
func (n *Notification) reset() {
	*n = Notification{Records: n.Records[:0], Layout: n.Layout[:0], objects: n.objects[:0]}
}

// Parse reads apdu, which must be exactly one data-notification. It reuses the slices of n, so that it allocates nothing once they are long
// enough. The records of an earlier call are no longer valid. The error matches ErrTruncated or ErrMalformed, and its text names the index of
// the wrong byte. After an error n is empty.
func (n *Notification) Parse(apdu []byte) error {
	n.reset()
	r := reader{b: apdu}
	if r.byte() != tagNotification {
		r.fail(0, "not a data-notification")
	}
	n.InvokeID = uint32(r.uint(4))
	n.Time = readHeaderTime(&r)
	n.readBody(&r)
	if r.fault == "" && r.at < len(r.b) {
		r.fail(r.at, "more data than the list has items")
	}
	if r.fault != "" {
		n.reset()
	}
	return r.error()
}

// readHeaderTime reads the date-time of the header: an octet-string of 12 or 0 bytes without its tag. Kaifa meters
// write the tag.
func readHeaderTime(r *reader) obis.Time {
	if r.peek() == tagOctetString {
		r.byte()
	}
	at := r.at
	switch n := r.byte(); n {
	case 0:
	case obis.DateTimeLength:
		return obis.ReadDateTime(r.bytes(obis.DateTimeLength))
	default:
		r.fail(at, "a date-time that is not of 12 bytes")
	}
	return obis.Time{}
}

// readBody reads the body. Manufacturers use different shapes of the body, and readBody recognises a shape by the first items.
func (n *Notification) readBody(r *reader) {
	at := r.at
	tag := r.byte()
	if tag != tagArray && tag != tagStructure {
		r.fail(at, "the body is not a list")
		return
	}
	count := r.length()
	firstIsList := r.peek() == tagArray || r.peek() == tagStructure
	inner := *r // reads the items of the first item, if the first item is a list
	inner.byte()
	inner.length()
	switch {
	case count == 2 && r.follows(descriptorList):
		n.readDescriptors(r)
	case firstIsList && isPushObject(&inner):
		n.readPushList(r, count)
	case firstIsList || count == 0:
		n.readRegisters(r, count)
	default:
		n.readFlat(r, count)
	}
}

// readFlat reads a body whose items are not nested: pairs of code and value, or only values.
func (n *Notification) readFlat(r *reader, count int) {
	start, headerTime := *r, n.Time
	if n.readPairs(r, count) {
		return
	}
	*r = start
	n.Records, n.ListName, n.Time = n.Records[:0], nil, headerTime
	n.readPositional(r, count)
}

// add appends an empty record and returns it.
func (n *Notification) add(code obis.Code) *obis.Record {
	n.Records = append(n.Records, obis.Record{Code: code})
	return &n.Records[len(n.Records)-1]
}
