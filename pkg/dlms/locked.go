package dlms

import "fmt"

// A LockedError tells that a message is sound but encrypted, and no key at hand opens it.
type LockedError struct {
	// Title is the system title of the meter; zero where the message has none.
	Title [titleLength]byte
	// Tried tells that there was a key, which does not fit.
	Tried bool
	// AuthKey tells that only the authentication key beside it does not fit.
	AuthKey bool
}

// Error names the maker of the meter, never its number: that is the end of the title.
func (e *LockedError) Error() string {
	reason := "no key given"
	switch {
	case e.AuthKey:
		reason = "the key fits, but its authentication key does not"
	case e.Tried:
		reason = "the key does not fit"
	}
	title := "no system title"
	if beginning := Sender(e.Title); beginning != "" {
		title = "system title " + beginning
	}
	return fmt.Sprintf("dlms: encrypted, and %s (%s)", reason, title)
}

// Sender returns as much of a system title as may be shown, such as "KAME…": the letters of the maker, and one of the kind of
// device where there is one. The rest is the number of the meter. A title without letters gives four bytes in hexadecimal, one
// of zeros "".
func Sender(title [titleLength]byte) string {
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
