package dlms

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// ErrEncrypted matches each EncryptedError by errors.Is.
var ErrEncrypted = errors.New("dlms: encrypted, and no key decrypts it")

// An EncryptedError says that an intact message is encrypted, and that none of the given keys decrypts it. It matches ErrEncrypted.
type EncryptedError struct {
	// Title is the system title of the meter; zero where the message has none.
	Title [titleLength]byte
	// Tried is true if a key was given, and does not fit.
	Tried bool
	// AuthKey is true if the key fits and only its authentication key does not.
	AuthKey bool
}

// Is reports whether target is ErrEncrypted.
func (e *EncryptedError) Is(target error) bool { return target == ErrEncrypted }

// Error names the maker of the meter, never its number: that is the end of the title.
func (e *EncryptedError) Error() string {
	reason := "no key given"
	switch {
	case e.AuthKey:
		reason = "the key fits, but its authentication key does not"
	case e.Tried:
		reason = "the key does not fit"
	}
	title := "no system title"
	if beginning := RedactTitle(e.Title); beginning != "" {
		title = "system title " + beginning
	}
	return fmt.Sprintf("dlms: encrypted, and %s (%s)", reason, title)
}

// RedactTitle returns as much of a system title as may be shown, such as "KAME…": the letters of the maker, and one of the kind of
// device where there is one. The rest is the number of the meter. A title without letters gives four bytes in hexadecimal, one
// of zeros "".
func RedactTitle(title [titleLength]byte) string {
	const kind = 4
	if title == [titleLength]byte{} {
		return ""
	}
	n := 0
	for n < kind && isLetter(title[n]) {
		n++
	}
	if n < kind-1 {
		return fmt.Sprintf("%X…", title[:kind])
	}
	return string(title[:n]) + "…"
}

// beginsRight tells if b begins as the text of a message does: a data-notification, or a P1 telegram or its lines. Where no
// tag can be judged it is all that tells the right key: of ten million wrong ones, about one gets past it.
func beginsRight(b []byte) bool {
	at := bodyAt(b)
	if at <= 0 || len(b) <= at {
		return beginsText(b)
	}
	date := at - obis.DateTimeLength
	return LooksLikeNotification(b) && (date < 0 || beginsDate(b[date:]))
}

// LooksLikeNotification tells if b is the beginning of a data-notification up to the tag of its list (IEC 62056-5-3, 7.3.12).
func LooksLikeNotification(b []byte) bool {
	at := bodyAt(b)
	return at == 0 || at > 0 && (len(b) <= at || b[at] == tagArray || b[at] == tagStructure)
}

// bodyAt returns where the body of the data-notification at b[0] begins: 0 when b is too short to tell, -1 when there is none.
func bodyAt(b []byte) int {
	at := 1 + 4 // behind tag and invoke id
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

// beginsDate tells if a date-time of this century begins at b[0]. Any field may be "not specified".
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
