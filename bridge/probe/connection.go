package probe

import (
	"io"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/progress"
	"github.com/hanbridge/hanbridge/pkg/line"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// connection counts what has arrived since the wire was opened.
type connection struct {
	opened      time.Time
	bytes       int64
	lastByte    time.Time
	telegrams   int  // intact telegrams, verified or not
	lastDamaged bool // the last telegram was damaged
}

// probingReader is a meter.TimedReader. It reads a wire, and collects evidence of the line setting from the bytes.
type probingReader struct {
	io.Reader
	*Attempt
	progress *progress.Reporter
	copyTo   func([]byte) error // nil if the bytes are not copied
}

// Read implements io.Reader.
func (r *probingReader) Read(p []byte) (int, error) {
	n, _, err := r.ReadTimed(p)
	return n, err
}

// ReadTimed implements meter.TimedReader. The bytes arrived when the Read of the wire returned.
func (r *probingReader) ReadTimed(p []byte) (int, meter.Arrival, error) {
	start := time.Now()
	r.progress.Waiting()
	n, err := r.Reader.Read(p)
	r.progress.Working()
	now := time.Now()
	arrival := meter.Arrival{Time: now, Waited: now.Sub(start)}
	r.addBytes(p[:n], now)
	if r.copyTo != nil && n > 0 {
		if copyErr := r.copyTo(p[:n]); copyErr != nil {
			return n, arrival, copyErr
		}
	}
	return n, arrival, err
}

// A ClosedError says that the other side closed a connection, with the most likely reason.
type ClosedError string

// Error returns the text about the end of the connection.
func (e ClosedError) Error() string { return string(e) }

const (
	// ErrClosed means that the other side closed the connection after an intact telegram. This is not a fault, because many readers do so.
	ErrClosed ClosedError = "closed by the other side"
	// ErrClosedEmpty means that the other side closed the connection before a byte arrived.
	ErrClosedEmpty ClosedError = "closed before a byte came: many readers serve one program at a time, so stop the other program; or this is not a reader"
)

// closeReason returns the most likely reason why the other side closed the connection. The bytes that arrived look like v.
func (c *connection) closeReason(v line.Verdict) ClosedError {
	switch {
	case c.telegrams > 0 && !c.lastDamaged:
		return ErrClosed
	case c.bytes == 0:
		return ErrClosedEmpty
	case v == line.WebServer || v == line.LoginPrompt || v == line.Telnet:
		return ClosedError("closed: " + v.Advice())
	case c.lastDamaged || v == line.P1Lines || v == line.FrameHeaders || v == line.DamagedBytes || v == line.LineEndsRewritten:
		return "closed within a telegram, which is lost: does a setting of the reader close each connection after some time? Or does the " +
			"reader restart? Then check its power supply"
	}
	return "closed after bytes that are no telegram: most likely this is not a reader, or not the port on which the reader passes on the " +
		"meter's bytes: look up that port in its manual"
}
