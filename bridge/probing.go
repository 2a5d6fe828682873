package bridge

import (
	"context"
	"errors"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// The methods of probe.Handler: what a pipeline does with what the search for its meter finds.

// minTrust is how long a wire may at least be without a sound telegram before all endpoints are tried again.
const minTrust = time.Minute

// trust is how long a proved wire may go without a sound telegram.
func (p *pipeline) trust() time.Duration { return max(minTrust, p.every.patience()) }

// Opened notes which wire is read.
func (p *pipeline) Opened(a *probe.Attempt) error {
	p.reads(a)
	return nil
}

// Reading takes a telegram.
func (p *pipeline) Reading(ctx context.Context, r *meter.Reading, verified bool) (enough bool) {
	if verified {
		p.accept(ctx, r)
		p.proved()
	}
	return false
}

// Damaged counts a telegram that gave no reading.
func (p *pipeline) Damaged(e *meter.TelegramError) (enough bool) {
	p.damaged(e)
	if e.Sound && p.liveness.attempt.Proved {
		p.proved()
	}
	return false
}

// proved notes that a sound telegram has come.
func (p *pipeline) proved() {
	now, before := p.liveness.attempt.Endpoint, p.worked
	if before.Dial != nil && !before.Is(now) {
		p.changed("the meter is read with other settings", settingsChanged(before, now))
	}
	p.worked = now
	p.liveness.attempt.Forget(time.Now().Add(2 * p.every.learned()))
}

// maxTelegramsPerConn separates two kinds of readers. If a connection ended after this many telegrams or fewer, the reader closes each
// connection on purpose, which is logged once. If it ended after more, each end is logged, at a limited rate.
const maxTelegramsPerConn = 3

// Ended logs how a connection ended, where that is a fault. The search always goes on.
func (p *pipeline) Ended(e probe.End) (goOn bool) {
	switch {
	case e.Err == nil:
		p.liveness.mu.Lock()
		p.liveness.found = p.liveness.found.With(e.Finding)
		p.liveness.mu.Unlock()
	case errors.Is(e.Err, probe.ErrClosed) && e.Telegrams > maxTelegramsPerConn:
		if count, ok := p.trouble.Allow(string(probe.ErrClosed)); ok {
			p.log.Info().Int("count", count).Msg("the other side closed the connection: it is opened again")
		}
	case errors.Is(e.Err, probe.ErrClosed) && !p.closesEach:
		p.closesEach = true
		p.log.Info().Msg("the reader closes the connection behind a telegram: it is opened again each time, and nothing is lost")
	case errors.Is(e.Err, probe.ErrClosed):
	case e.Wait > 0:
		p.unread(p.trouble.warn(p.log, "cannot read the meter, trying again", e.Err.Error(), e.Err, e.Wait))
		p.progress.Note("cannot be read: " + e.Err.Error())
	}
	return true
}
