package meter

import (
	"errors"
	"fmt"
	"time"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/internal/kinderror"
	"github.com/hanbridge/hanbridge/pkg/mbus"
	"github.com/hanbridge/hanbridge/pkg/p1"
)

// Errors by which a program can decide what to do about a *TelegramError. Test for them with errors.Is.
var (
	// ErrChecksum: the checksum of the telegram is wrong, in any framing. The telegram was damaged on the way.
	ErrChecksum = errors.New("meter: wrong checksum")
	// ErrTruncated: the telegram ends too early, in any framing. Bytes were lost on the way.
	ErrTruncated = errors.New("meter: truncated telegram")
	// ErrIncomplete: the message is sent in several frames or blocks, and one of them is missing.
	ErrIncomplete = errors.New("a message of which parts are missing")
	// ErrEncrypted: the telegram is encrypted, and no key decrypts it. errors.As finds a *dlms.EncryptedError that
	// says whether a key was tried.
	ErrEncrypted = errors.New("meter: encrypted, and no key decrypts it")
	// ErrAuthentication: the authentication tag of the telegram is wrong, although the key fitted before. The telegram is
	// damaged or forged.
	ErrAuthentication = errors.New("dlms: the authentication tag is wrong, though the key fitted before: damaged")
	// ErrRepeated: the frame counter of the telegram is not above the last frame counter of the meter. See Options.RejectRepeated.
	ErrRepeated = errors.New("dlms: the frame counter is not above the previous frame counter")
	// ErrUnverified: the telegram has no checksum, and no earlier telegram confirms it. The next telegram with the same codes gives a
	// verified Reading. See Options.AcceptUnverified.
	ErrUnverified = errors.New("not verified yet: no checksum, and no telegram before it with the same codes")
)

// Faults of messages that are sent in parts.
var (
	errNoFirstPart = kinderror.New(ErrIncomplete, "a part of a message whose beginning is missing")
	errTooLong     = errors.New("a message that is longer than any message of a meter")
	// errNotContinued: a part does not belong to the message that is being joined from earlier parts. Next never returns errNotContinued,
	// because decode drops the message of the earlier parts and returns ErrIncomplete.
	errNotContinued = errors.New("the message before is incomplete")
)

// A TelegramError is a telegram that gives no Reading. The stream continues after the telegram.
type TelegramError struct {
	// Protocol is the framing of the telegram.
	Protocol Protocol
	// Offset is the offset of the telegram in the stream, in bytes. Bytes is the length of the telegram.
	Offset int64
	Bytes  int
	// Received is when the last of these bytes arrived. It is zero if the reader of the Decoder is no TimedReader.
	Received time.Time
	// Raw are the bytes of the telegram, or of the last part that was read if the message has several parts. Raw is nil if the message was
	// dropped because further parts are missing. The bytes are valid until the next call of Next.
	Raw []byte
	// Intact is true if the telegram arrived undamaged, but gives no Reading for another reason. For example, this package does not know its
	// form, no key decrypts it, or it is not verified yet.
	Intact bool
	// Err is the reason.
	Err error
}

// Error returns the reason, and the length and offset of the telegram.
func (e *TelegramError) Error() string {
	return fmt.Sprintf("%v (telegram of %d bytes at byte %d)", e.Err, e.Bytes, e.Offset)
}

// Unwrap returns only the reason.
func (e *TelegramError) Unwrap() error { return e.Err }

// Is implements errors.Is for ErrChecksum, ErrTruncated and ErrEncrypted, because each framing has its own errors for these reasons.
func (e *TelegramError) Is(target error) bool {
	switch target {
	case ErrChecksum:
		return errors.Is(e.Err, p1.ErrChecksum) || errors.Is(e.Err, hdlc.ErrChecksum) || errors.Is(e.Err, mbus.ErrChecksum)
	case ErrTruncated:
		return errors.Is(e.Err, p1.ErrTruncated) || errors.Is(e.Err, hdlc.ErrTruncated) || errors.Is(e.Err, mbus.ErrTruncated) ||
			errors.Is(e.Err, dlms.ErrTruncated)
	case ErrEncrypted:
		return errors.Is(e.Err, dlms.ErrEncrypted) || errors.Is(e.Err, p1.ErrEncrypted)
	}
	return false
}
