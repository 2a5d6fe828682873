package dlms

import "encoding/binary"

// beginsRight tells if b begins as the text of a message does: a data-notification, or a P1 telegram or its lines. Where no
// tag can be judged it is all that tells the right key: of ten million wrong ones, about one gets past it.
func beginsRight(b []byte) bool {
	if len(b) > 0 && b[0] == tagNotification {
		return beginsNotification(b)
	}
	return beginsText(b)
}

// beginsNotification looks at the date-time, with or without a tag, and the tag of the body behind it.
func beginsNotification(b []byte) bool {
	const invokeLength = 4
	if len(b) <= 1+invokeLength {
		return false
	}
	b = b[1+invokeLength:]
	if b[0] == tagOctetString {
		b = b[1:]
	}
	if len(b) > dateTimeLength && b[0] == dateTimeLength {
		if !beginsDate(b[1:]) {
			return false
		}
		b = b[dateTimeLength:]
	} else if len(b) == 0 || b[0] != 0 {
		return false
	}
	return len(b) > 1 && (b[1] == tagArray || b[1] == tagStructure)
}

// beginsDate tells if a date-time of this century begins at b[0]. A field may also be "not specified": the clock of a meter
// that lost its time.
func beginsDate(b []byte) bool {
	const anyByte, anyYear = 0xFF, 0xFFFF
	year := binary.BigEndian.Uint16(b)
	month, day, hour := b[2], b[3], b[5]
	return (year >= 2000 && year <= 2100 || year == anyYear) &&
		(month >= 1 && month <= 12 || month == anyByte) &&
		(day >= 1 && day <= 31 || day == anyByte) &&
		(hour <= 23 || hour == anyByte)
}

// beginsText looks for "/ABC" of an identification line or "0-0:" of any other, and 16 readable characters.
func beginsText(b []byte) bool {
	const looked = 16
	if len(b) < looked {
		return false
	}
	for _, x := range b[:looked] {
		if (x < ' ' || x > '~') && x != '\r' && x != '\n' {
			return false
		}
	}
	line := isDigit(b[0]) && b[1] == '-' && isDigit(b[2]) && b[3] == ':'
	return line || b[0] == '/' && isLetter(b[1]) && isLetter(b[2]) && isLetter(b[3])
}

func isDigit(x byte) bool { return x >= '0' && x <= '9' }

func isLetter(x byte) bool { return x >= 'A' && x <= 'Z' || x >= 'a' && x <= 'z' }
