package bridge

import (
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge/internal/ratelimit"
)

// An Output delivers the data of meters to a destination, such as a broker. It is called with a Subscription of its own, whose Streams are those
// that the output wants.
type Output interface {
	// Streams returns what the output receives. It is called once, before Run.
	Streams() Streams
	// Run takes batches from the Subscription until ctx ends, delivers the rest and returns nil. If it cannot continue, it returns an error, and
	// the bridge calls Run again after a pause. If the error has the method Wait() time.Duration, the pause is at least that long. Run waits
	// for the channel that Subscription.Ready returns. Every other wait in it needs a time limit; see Subscription.Progress.
	Run(ctx context.Context, s *Subscription) error
}

// stableAfter is how long an output must have delivered until it counts as stable. After that time, its back-off starts again at the shortest
// pause, and its next interruption is logged at once. An earlier interruption counts as part of the same network problem.
const stableAfter = 10 * time.Second

// runOutput runs an output, and runs it again after each interruption, until ctx ends.
func runOutput(ctx context.Context, log zerolog.Logger, o Output, s *Subscription) {
	backoff := ratelimit.Backoff{Min: 500 * time.Millisecond, Max: 8 * time.Second}
	var interruptions faults
	for ctx.Err() == nil {
		s.deliveringSince = time.Time{}
		s.progress.Working()
		err := o.Run(ctx, s)
		s.progress.Waiting()
		if err == nil || ctx.Err() != nil {
			return
		}
		if !s.deliveringSince.IsZero() && time.Since(s.deliveringSince) > stableAfter {
			backoff.Reset()
			interruptions.Recovered()
		}
		s.progress.Note("interrupted: " + err.Error())
		pause := backoff.Next()
		var waiter interface{ Wait() time.Duration }
		if errors.As(err, &waiter) {
			pause = max(pause, waiter.Wait())
		}
		if interruptions.warn(log, "output interrupted, trying again", err.Error(), err, pause) {
			s.interrupted = true
		}
		ratelimit.Pause(ctx, pause)
	}
}
