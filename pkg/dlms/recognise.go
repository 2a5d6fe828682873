package dlms

import (
	"encoding/binary"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// beginsAsMessage reports whether b begins as a message does: with a data-notification, or with a P1 telegram or its lines. If no tag can
// be verified, Decrypt recognises a wrong key only by beginsAsMessage. About one in ten million wrong keys is not recognised.
func beginsAsMessage(b []byte) bool {
	body := bodyIndex(b)
	if body <= 0 || len(b) <= body { // not a notification with a body
		return beginsAsText(b)
	}
	date := body - obis.DateTimeLength // negative if the header has no date-time
	return LooksLikeNotification(b) && (date < 0 || beginsAsDateTime(b[date:]))
}

// LooksLikeNotification reports whether b is possibly the beginning of a data-notification (IEC 62056-5-3, 7.3.12). It tests the bytes up to
// the tag of the body, or fewer if b is shorter. It returns true for an empty b.
func LooksLikeNotification(b []byte) bool {
	body := bodyIndex(b)
	return body == 0 || body > 0 && (len(b) <= body || b[body] == tagArray || b[body] == tagStructure)
}

// bodyIndex returns the index of the body of the data-notification at b[0]. It returns 0 if b is too short to tell, and -1 if b does not
// begin with a data-notification.
func bodyIndex(b []byte) int {
	at := 1 + 4 // after tag and invoke id
	switch {
	case len(b) > 0 && b[0] != tagNotification:
		return -1
	case len(b) > at && b[at] == tagOctetString:
		at++
	}
	switch {
	case len(b) <= at:
		return 0
	case b[at] == 0:
		return at + 1
	case b[at] == obis.DateTimeLength:
		return at + 1 + obis.DateTimeLength
	}
	return -1
}

// beginsAsDateTime reports whether b begins with a date-time of this century. Any field can be "not specified".
func beginsAsDateTime(b []byte) bool {
	const unspecified, unspecifiedYear = 0xFF, 0xFFFF
	year := binary.BigEndian.Uint16(b)
	month, day, hour := b[2], b[3], b[5]
	return (year >= 2000 && year <= 2100 || year == unspecifiedYear) &&
		(month >= 1 && month <= 12 || month == unspecified) &&
		(day >= 1 && day <= 31 || day == unspecified) &&
		(hour <= 23 || hour == unspecified)
}

// beginsAsText reports whether b begins with 16 printable characters of P1 lines. The first characters must be like "/ABC" of an
// identification line or "0-0:" of a data line.
func beginsAsText(b []byte) bool {
	const minText = 16
	if len(b) < minText {
		return false
	}
	for _, x := range b[:minText] {
		if (x < ' ' || x > '~') && x != '\r' && x != '\n' {
			return false
		}
	}
	dataLine := isDigit(b[0]) && b[1] == '-' && isDigit(b[2]) && b[3] == ':'
	return dataLine || b[0] == '/' && isLetter(b[1]) && isLetter(b[2]) && isLetter(b[3])
}

func isDigit(x byte) bool { return x >= '0' && x <= '9' }

func isLetter(x byte) bool { return x >= 'A' && x <= 'Z' || x >= 'a' && x <= 'z' }
