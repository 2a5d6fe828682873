package dlms

import "github.com/hanbridge/hanbridge/pkg/obis"

// AppendNotification appends the start of a data-notification, up to its body, with no date-time. The body is written with
// the other Append functions, and Parse reads it back.
func AppendNotification(dst []byte, invokeID uint32) []byte {
	dst = append(dst, tagNotification, byte(invokeID>>24), byte(invokeID>>16), byte(invokeID>>8), byte(invokeID))
	return append(dst, 0)
}

// AppendStampedNotification is AppendNotification with the time at which the meter sends it. Most makes write it without
// a tag, as it is specified (IEC 62056-5-3, 7.3.12); tagged is for Kaifa in Norway.
func AppendStampedNotification(dst []byte, invokeID uint32, t DateTime, tagged bool) []byte {
	dst = AppendNotification(dst, invokeID)
	dst = dst[:len(dst)-1]
	if tagged {
		dst = append(dst, tagOctetString)
	}
	return t.Append(append(dst, dateTimeLength))
}

// AppendList appends the start of an array of n items, n not negative.
func AppendList(dst []byte, n int) []byte { return appendSize(append(dst, tagArray), n) }

// AppendStructure appends the start of a structure of n items, n not negative.
func AppendStructure(dst []byte, n int) []byte { return appendSize(append(dst, tagStructure), n) }

// AppendPushObject appends an element of a push object list: {class, logical name, attribute, data index} (IEC 62056-6-2,
// 4.4.8.2.2), with the index 0 that means the whole attribute.
func AppendPushObject(dst []byte, class uint16, code obis.Code, attribute int8) []byte {
	dst = AppendNumber(AppendStructure(dst, 4), Uint16, int64(class))
	dst = AppendNumber(AppendName(dst, code), Int8, int64(attribute))
	return AppendNumber(dst, Uint16, 0)
}

// AppendDescriptor appends class, logical name and attribute bare, without the tags that A-XDR data has: what Sagemcom
// XT211 meters write before a value.
func AppendDescriptor(dst []byte, class uint16, code obis.Code, attribute byte) []byte {
	return append(append(appendUint16(dst, class), code[:]...), attribute)
}
