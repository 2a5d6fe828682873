package dlms

import (
	"errors"

	"github.com/hanbridge/hanbridge/pkg/internal/kinderror"
)

// Errors of the Parse methods. Each error of a Parse method matches one of these by errors.Is, and its text names the index of the wrong byte.
var (
	// ErrTruncated is for data that ends within a value or a length. If the data ends between two items, the error is possibly ErrMalformed.
	ErrTruncated = errors.New("dlms: truncated message")
	// ErrMalformed is for data that is not a message of the kind that was expected.
	ErrMalformed = errors.New("dlms: malformed message")
	// ErrUnsupported is for an encrypted message with a kind of security that no customer port uses, such as compression.
	ErrUnsupported = errors.New("dlms: a message secured in a way that is not supported")
)

// reader reads A-XDR data from the beginning. After the first fault all methods that read return zero values, and error returns the fault.
type reader struct {
	b  []byte
	at int // index of the next byte
	// fault describes the first fault, "" if there is none. It is a string and not an error, because trying a shape must
	// not allocate memory.
	fault   string
	faultAt int   // index in b
	kind    error // of the fault: ErrTruncated, ErrMalformed or ErrUnsupported
}

// fail records a fault at b[at] that is an ErrMalformed, if it is the first fault. It also moves r to the end of b.
func (r *reader) fail(at int, reason string) { r.failAs(ErrMalformed, at, reason) }

// failAs is fail with another kind of error.
func (r *reader) failAs(kind error, at int, reason string) {
	if r.fault == "" {
		r.fault, r.faultAt, r.kind = reason, at, kind
	}
	r.at = len(r.b)
}

// error returns the first fault as an error, nil if there is none.
func (r *reader) error() error {
	if r.fault == "" {
		return nil
	}
	return kinderror.New(r.kind, "dlms: byte %d: %s", r.faultAt, r.fault)
}

// endsEarly is the fault of data that ends within a value.
const endsEarly = "the data ends too early"

// byte reads one byte.
func (r *reader) byte() byte {
	if r.at >= len(r.b) {
		r.failAs(ErrTruncated, len(r.b), endsEarly)
		return 0
	}
	x := r.b[r.at]
	r.at++
	return x
}

// peek returns the next byte and does not consume it. It returns 0 at the end.
func (r *reader) peek() byte {
	if r.at >= len(r.b) {
		return 0
	}
	return r.b[r.at]
}

// follows reports whether the next bytes are those of pattern. It does not consume them.
func (r *reader) follows(pattern string) bool {
	return len(r.b)-r.at >= len(pattern) && string(r.b[r.at:r.at+len(pattern)]) == pattern
}

// bytes reads n bytes.
func (r *reader) bytes(n int) []byte {
	if n < 0 || n > len(r.b)-r.at {
		r.failAs(ErrTruncated, len(r.b), endsEarly)
		return nil
	}
	x := r.b[r.at : r.at+n]
	r.at += n
	return x
}

// uint reads an unsigned integer of n bytes, high byte first.
func (r *reader) uint(n int) uint64 {
	var v uint64
	for _, x := range r.bytes(n) {
		v = v<<8 | uint64(x)
	}
	return v
}

// length reads a length or count: one byte below 80, or 81 or 82 and one or two bytes (IEC 61334-6, A-XDR 6.9).
func (r *reader) length() int {
	at := r.at
	switch n := r.byte(); {
	case n < 0x80:
		return int(n)
	case n <= 0x82:
		return int(r.uint(int(n - 0x80)))
	}
	r.fail(at, "a length of more than two bytes")
	return 0
}
