package bridge

import (
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge/internal/ratelimit"
	"github.com/hanbridge/hanbridge/bridge/throttle"
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

// Streams says what an output receives, in addition to the states of the meters and to events.
type Streams struct {
	// Plan says how often each quantity is published. If Plan is nil, the output receives no values.
	Plan *throttle.Plan
	// Telegrams is true if the output receives whole telegrams.
	Telegrams bool
}

// A Batch holds the updates since the last Take. It belongs to the Subscription; see Take.
type Batch struct {
	// Number identifies the batch for Delivered. The first batch has number 1.
	Number uint64
	// Changes has an entry for each meter with an update besides telegrams and events.
	Changes []MeterUpdate
	// Events are the events that were not taken yet. The events of a meter are in order.
	Events []Event
	// Telegrams are complete telegrams of all meters, in the order in which they arrived. They are read-only.
	Telegrams []*Telegram
	// Again is how many of the first Telegrams the output has taken before. They were not delivered, and possibly have not arrived.
	Again int
	// Lost is the number of telegrams that the output has missed because it was too slow.
	Lost uint64
}

// A MeterUpdate is the update of one meter.
type MeterUpdate struct {
	Meter Meter
	// Removed is true if the meter was removed from the bridge. All other fields except Meter are then zero. There is no further update of it.
	Removed bool
	// Description is set in every update; DescriptionNew is true if the description has changed. The same holds for Online and OnlineNew, and for
	// Stats and StatsNew.
	Description    Description
	DescriptionNew bool
	Online         bool
	// OnlineNew is true also in the first update, and in the first one after Resync.
	OnlineNew bool
	Stats     Stats
	StatsNew  bool
	// Values are the new values, in the order of the table of quantities.
	Values []Value
	// Descriptors are all quantities that the meter sends, also those of an earlier run. DescriptorsNew is true if they have changed. The slice
	// is read-only.
	Descriptors    []Descriptor
	DescriptorsNew bool
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
		s.rewind()
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
