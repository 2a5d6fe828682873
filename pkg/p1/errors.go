package p1

import (
	"errors"

	"github.com/hanbridge/hanbridge/pkg/internal/kinderror"
)

// What Parse, ParseUnchecked and CheckEncrypted find wrong with a telegram. Compare with errors.Is: the error that they return says
// more, such as both checksums or the number of the line.
var (
	// ErrChecksum: the checksum is wrong, or is not a number of up to four hexadecimal digits.
	ErrChecksum = errors.New("p1: checksum")
	// ErrTruncated: the end of the telegram is missing.
	ErrTruncated = errors.New("p1: truncated")
	// ErrMalformed: the telegram is not of the form of a P1 telegram. In a telegram with a correct checksum, only a missing
	// identification line is such an error.
	ErrMalformed = errors.New("p1: malformed")
	// ErrEncrypted: the telegram is encrypted. SplitEncrypted returns its parts.
	ErrEncrypted = errors.New("p1: the telegram is encrypted")
)

var (
	errNoEnd         = kinderror.New(ErrTruncated, "p1: no '!' at the end: cut, or run into the next telegram")
	errNoChecksum    = kinderror.New(ErrTruncated, "p1: cut off after the '!': the time stamps are those of a meter that sends a checksum, and there is none")
	errTooLong       = kinderror.New(ErrTruncated, "p1: no end after %d bytes", MaxLength)
	errNoHexChecksum = kinderror.New(ErrChecksum, "p1: what follows the '!' is not a checksum of hexadecimal digits")
	errNoIdent       = kinderror.New(ErrMalformed, "p1: no identification line")
	errNoData        = kinderror.New(ErrMalformed, "p1: no data in a telegram without checksum")
	errNotEncrypted  = kinderror.New(ErrMalformed, "p1: not an encrypted telegram")
)
