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

// AppendRegister appends {code, value, {scaler, unit}}. A value that has more decimals than the scaler, or does not fit the
// type, is written as the nearest that does.
func AppendRegister(dst []byte, code obis.Code, value obis.Decimal, t Type, scaler int8, unit obis.Unit) []byte {
	dst = AppendName(AppendStructure(dst, 3), code)
	return AppendScalerUnit(AppendDecimal(dst, t, value, scaler), scaler, unit)
}

// AppendText appends {code, visible-string}.
func AppendText(dst []byte, code obis.Code, text string) []byte {
	return AppendVisible(AppendName(AppendStructure(dst, 2), code), text)
}

// AppendClock appends {code, date-time} of t. hundredths and status are as the meter fills them: Aidon's Swedish list has 0
// and FF, its Norwegian one FF and 0; both have 0 for the day of week on Sundays.
func AppendClock(dst []byte, code obis.Code, t obis.Time, hundredths, status byte) []byte {
	dst = AppendName(AppendStructure(dst, 2), code)
	return AppendDateTime(dst, DateTime{Time: t, Weekday: Weekday(t) % 7, Hundredths: hundredths, Status: status})
}

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
