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
	return fmt.Sprintf("dlms: encrypted, and %s (%s)", reason, e.sender())
}

// sender returns the maker's letters and the start of the title: the fourth byte is at most a type of device, the serial
// number follows it.
func (e *LockedError) sender() string {
	if e.Title == [titleLength]byte{} {
		return "no system title"
	}
	maker := string(e.Title[:3]) + " "
	for _, x := range e.Title[:3] {
		if !isLetter(x) {
			maker = ""
		}
	}
	return fmt.Sprintf("system title %s%X…", maker, e.Title[:4])
}
