package dlms

import (
	"errors"
	"fmt"
)

// ErrEncrypted matches each EncryptedError by errors.Is.
var ErrEncrypted = errors.New("dlms: encrypted, and no key decrypts it")

// An EncryptedError says that an intact message is encrypted, and that none of the given keys decrypts it. It matches ErrEncrypted.
type EncryptedError struct {
	// Title is the system title of the meter. It is zero if the message has no system title.
	Title [titleLength]byte
	// Tried is true if at least one key was given.
	Tried bool
	// AuthKey is true if the encryption key fits, but the authentication key does not fit.
	AuthKey bool
}

// Is reports whether target is ErrEncrypted.
func (e *EncryptedError) Is(target error) bool { return target == ErrEncrypted }

// Error returns a text with the manufacturer of the meter, but without the number of the meter: see RedactTitle.
func (e *EncryptedError) Error() string {
	reason := "no key given"
	switch {
	case e.AuthKey:
		reason = "the key fits, but its authentication key does not"
	case e.Tried:
		reason = "the key does not fit"
	}
	title := "no system title"
	if redacted := RedactTitle(e.Title); redacted != "" {
		title = "system title " + redacted
	}
	return fmt.Sprintf("dlms: encrypted, and %s (%s)", reason, title)
}

// RedactTitle returns the part of a system title that is not secret, such as "KAME…": the three letters of the manufacturer, and the letter
// of the kind of device if there is one. The rest of a title is the number of the meter. For a title that does not begin with letters,
// RedactTitle returns four bytes in hexadecimal. For a title of zeros, it returns "".
func RedactTitle(title [titleLength]byte) string {
	const maxLetters = 4 // manufacturer and kind of device
	if title == [titleLength]byte{} {
		return ""
	}
	n := 0
	for n < maxLetters && isLetter(title[n]) {
		n++
	}
	if n < maxLetters-1 { // no manufacturer
		return fmt.Sprintf("%X…", title[:maxLetters])
	}
	return string(title[:n]) + "…"
}
