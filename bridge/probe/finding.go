package probe

import (
	"slices"
	"time"

	"github.com/hanbridge/hanbridge/pkg/line"
)

// A Finding says what has arrived from an endpoint during its turn.
type Finding struct {
	Endpoint
	// Verdict is what the bytes look like.
	Verdict line.Verdict
	// Bytes counts the received bytes.
	Bytes int64
	// Telegrams counts telegrams that gave a reading, verified or not.
	Telegrams int
	// Damaged counts damaged telegrams of all protocols. DamagedP1 counts damaged P1 telegrams.
	Damaged, DamagedP1 int
	// Encrypted counts intact telegrams that no key decrypts.
	Encrypted int
	// Unsupported counts intact telegrams of a kind that the decoder does not read.
	Unsupported int
	// ClosedByPeer is true if the other side closed the last connection.
	ClosedByPeer bool
}

// A ConnectionEnd says how a connection has ended, and what the search does next.
type ConnectionEnd struct {
	// Err is nil if no telegram arrived in time. It wraps ErrClosed if the other side has closed the connection after an intact telegram.
	Err error
	// Finding says what has arrived from the endpoint during its turn.
	Finding Finding
	// Duration is how long the connection was open.
	Duration time.Duration
	// Telegrams counts the intact telegrams of the connection.
	Telegrams int
	// Wait is how long the search waits before it opens the next wire.
	Wait time.Duration
	// Remaining are the endpoints of this round whose turn is not over.
	Remaining []Endpoint
	// SameNext is true if the first of Remaining is the endpoint of this connection.
	SameNext bool

	opened bool // false if the wire could not be opened
}

// A Result is what a search has found.
type Result struct {
	// Proved is the last attempt, if a telegram has proved its endpoint; otherwise nil.
	Proved *Attempt
	// Tried has a finding for each endpoint that was opened.
	Tried Findings
	// Err is the error of the connection after which the search ended. It is nil if Handler.Reading or Handler.Damaged ended the search, or if
	// all endpoints had their turn. It is also nil if ctx has ended, unless ctx timed out when no wire could be opened.
	Err error
}

// Findings has the latest Finding of each endpoint.
type Findings []Finding

// With returns f with n added. If f has an earlier finding of the same endpoint, n replaces this finding, also in f itself.
func (f Findings) With(n Finding) Findings {
	if i := slices.IndexFunc(f, func(o Finding) bool { return o.Same(n.Endpoint) }); i >= 0 {
		f[i] = n
		return f
	}
	return append(f, n)
}

// Best returns the finding whose verdict says most about the line, and how many bytes arrived from all endpoints together.
func (f Findings) Best() (best Finding, bytes int64) {
	for i, n := range f {
		bytes += n.Bytes
		if i == 0 || line.Compare(n.Verdict, best.Verdict) < 0 {
			best = n
		}
	}
	return best, bytes
}

// Advice returns what a user can do if bytes arrive that look like v and have no telegram. If f has several findings, it
// does not advise another line setting, because several settings have been tried.
func (f Findings) Advice(v line.Verdict) string {
	if len(f) > 1 && v.SuggestsOtherSetting() {
		return "bytes but no telegram at any setting tried: most likely the cable or the adapter does not fit. A P1 port (RJ12) needs an " +
			"inverting cable, an M-Bus port (RJ45) an M-Bus adapter; or the port belongs to another device: set the meter's port"
	}
	return "bytes but no telegram: " + Advice(v)
}

// Advice returns line.Verdict.Advice with the setting to change, or the command to type, in hanbridge.
func Advice(v line.Verdict) string {
	switch v {
	case line.TooFewBytes:
		return v.Advice() + ": set serial to auto"
	case line.Unrecognised:
		return "no meter sends such bytes at this setting: set serial to auto. If the result is the same at every setting, look" +
			" for a loose ground wire or the wrong adapter (RJ12 is P1, RJ45 is M-Bus), or ask if the port belongs to another device"
	case line.OtherBaud:
		return "the meter sends much more slowly than the line is read: set serial to auto, or to the setting that your grid company states" +
			" (P1 ports 115200 8N1, M-Bus ports 2400 8E1)"
	case line.OtherParity:
		return "the speed is right, but the parity or the number of data bits is wrong: set serial to auto, or to the same speed" +
			" with another of 8N1, 8E1 and 7E1"
	case line.FrameHeaders, line.P1Lines:
		return v.Advice() + ". If this does not change, record a minute with hanbridge capture and report the recording, because this" +
			" meter sends something that hanbridge does not know"
	default:
		return v.Advice()
	}
}
