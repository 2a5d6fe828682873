package probe

import (
	"errors"
	"io"
	"syscall"

	"github.com/hanbridge/hanbridge/pkg/line"
)

// A ClosedError says that the other side closed the connection, and why it most likely did.
type ClosedError string

// Error returns the reason in a sentence.
func (e ClosedError) Error() string { return string(e) }

const (
	// ErrClosed is a connection that the other side closed behind a whole telegram, which is no fault: many readers do so.
	ErrClosed ClosedError = "closed by the other side"
	// ErrClosedEmpty is a connection that was closed before a byte came.
	ErrClosedEmpty ClosedError = "closed before a byte came: many readers serve one program at a time, so stop the other one; or it is not a reader"
)

// closedByPeer tells that the other side has closed the wire.
func closedByPeer(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)
}

// closeReason explains why the other side closed the wire, from what had been received until then.
func closeReason(v line.Verdict, c *connection) ClosedError {
	switch {
	case c.telegrams > 0 && !c.lastDamaged:
		return ErrClosed
	case c.bytes == 0:
		return ErrClosedEmpty
	case v == line.Web || v == line.Login || v == line.Telnet:
		return ClosedError("closed: " + v.Advice())
	case c.lastDamaged || v == line.Text || v == line.Frames || v == line.Lossy || v == line.Cooked:
		return "closed within a telegram, which is lost: does the reader close a connection after a time, or start again? Look for such a " +
			"time in its settings, and at its power supply"
	}
	return "closed after bytes that are no telegram: most likely it is not a reader that passes on the meter's bytes, or not its port for " +
		"that: look up the port in its manual"
}
