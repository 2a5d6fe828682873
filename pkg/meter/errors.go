package meter

import (
	"errors"
	"fmt"
)

// Errors of a *TelegramError that a program may decide by, with errors.Is.
var (
	// ErrUnverified: the telegram has no checksum. It counts with the next telegram that has the same codes, which is then
	// returned as a verified Reading. See Options.AcceptUnverified.
	ErrUnverified = errors.New("no checksum proves the telegram: the next one with the same codes counts")
	// ErrRepeated: the frame counter of a ciphered telegram is not above the last one. See Options.RejectRepeated.
	ErrRepeated = errors.New("dlms: the frame counter is not above the last one")
	// ErrIncomplete: parts of a message that is sent in several frames or blocks are missing.
	ErrIncomplete = errors.New("a message of which parts are missing")
	// ErrAuthentication: the authentication tag of a ciphered telegram is wrong, although the key fitted before. The telegram is
	// damaged or forged.
	ErrAuthentication = errors.New("dlms: the authentication tag is wrong, though the key fitted before: damaged")
)

// A TelegramError is a damaged telegram. The stream goes on behind it.
type TelegramError struct {
	Protocol Protocol
	// Offset is where the telegram begins, in bytes from the start of the stream; Bytes is how many were given up.
	Offset int64
	Bytes  int
	// Raw are its last bytes: all of them, or the last part of a message in several. They are valid until the next call of Next.
	Raw []byte
	// Intact is true if the telegram arrived undamaged: its checksum is right, but it is of a kind that is not read, or no key
	// decrypts it, or it is not verified yet.
	Intact bool
	// Err says what is wrong.
	Err error
}

// Error returns the reason and the place.
func (e *TelegramError) Error() string {
	return fmt.Sprintf("%v (telegram of %d bytes at byte %d)", e.Err, e.Bytes, e.Offset)
}

// Unwrap returns the reason alone.
func (e *TelegramError) Unwrap() error { return e.Err }
