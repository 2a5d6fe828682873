package bridge

import (
	"errors"
	"io"
	"syscall"
	"time"

	"github.com/hanbridge/hanbridge/pkg/line"
)

// connStats is what a wire has given since it was opened.
type connStats struct {
	opened      time.Time
	telegrams   int  // telegrams, believed or not
	lastDamaged bool // the last one was damaged
}

func (g *connStats) count(sound bool) {
	g.lastDamaged = !sound
	if sound {
		g.telegrams++
	}
}

const (
	// maxTelegramsPerConn separates two kinds of readers. If a connection ended after this many telegrams or fewer, the reader closes each
	// connection on purpose, which is logged once. If it ended after more, each end is logged, at a limited rate.
	maxTelegramsPerConn = 3
	// minConnTime: a connection that ended sooner gave a telegram from the reader's memory, not from the meter, and the back-off grows.
	minConnTime = 50 * time.Millisecond
	// maxReopenDelay is the longest pause before the reader is dialled again. No meter sends more often than once a second.
	maxReopenDelay = 500 * time.Millisecond
)

// closedError is the end of a connection by the other side.
type closedError string

func (e closedError) Error() string { return string(e) }

// closedAfterTelegram is the end of a connection that is no fault: all that has come were whole telegrams.
const closedAfterTelegram closedError = "closed by the other side"

// closedByPeer tells that the other side has closed the wire.
func closedByPeer(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)
}

// closeReason explains why the other side closed the wire, from what had been received until then.
func (g *connStats) closeReason(v line.Verdict, bytes int64) closedError {
	switch {
	case g.telegrams > 0 && !g.lastDamaged:
		return closedAfterTelegram
	case bytes == 0:
		return "closed before a byte came: many readers serve one program at a time, so stop the other one; or it is not a reader"
	case v == line.Web || v == line.Login || v == line.Telnet:
		return closedError("closed: " + v.Advice())
	case g.lastDamaged || v == line.Text || v == line.Frames || v == line.Lossy || v == line.Cooked:
		return "closed within a telegram, which is lost: does the reader close a connection after a time, or start again? Look for such a " +
			"time in its settings, and at its power supply"
	}
	return "closed after bytes that are no telegram: most likely it is not a reader that passes on the meter's bytes, or not its port for " +
		"that: look up the port in its manual"
}

// noteClose notes a connection that ended behind whole telegrams: many readers end each one so. It returns how long to wait.
func (p *pipeline) noteClose(wait *backoff) time.Duration {
	if p.conn.telegrams > maxTelegramsPerConn {
		if count, ok := p.trouble.Allow(string(closedAfterTelegram)); ok {
			p.log.Info().Int("count", count).Msg("the other side closed the connection: it is opened again")
		}
	} else if !p.closesEach {
		p.closesEach = true
		p.log.Info().Msg("the reader closes the connection behind a telegram: it is opened again each time, and nothing is lost")
	}
	if time.Since(p.conn.opened) >= minConnTime {
		wait.reset()
	}
	return min(wait.next(), maxReopenDelay)
}
