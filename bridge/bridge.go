// Package bridge reads meters and hands what they measure to outputs. It knows nothing of any output, and an output can
// neither slow nor stop a meter.
package bridge

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/hanbridge/hanbridge/bridge/internal/progress"
	"github.com/hanbridge/hanbridge/bridge/internal/ratelimit"
	"github.com/hanbridge/hanbridge/bridge/internal/state"
	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/bridge/throttle"
)

// A Meter is one meter as configured.
type Meter struct {
	// ID is [a-z0-9_-]+; topics and entities are named after it.
	ID string
	// Name is for people.
	Name string
	// Simulated marks a meter that does not exist, so that hubs can say so.
	Simulated bool
	// Fuse is the main fuse in A per phase; 0 where it is not known. It tells a jump of a counter from what can have been used.
	Fuse int
	// KeySetting is what a person sets to give the meter's key: meters[0].key. AuthKeySetting is that of the authentication key
	// beside it. Messages name them.
	KeySetting, AuthKeySetting string
}

// An Output delivers what a bridge measures to somewhere else: the only interface of the module. Run takes from the feed
// until ctx ends, delivers the rest and returns nil. It returns an error when it cannot go on, and is run again after a
// pause, which is no shorter than what an error with the method Wait() time.Duration asks for. Run waits in the channel that
// Feed.Ready returns; other waits need a time limit, see Feed.Progress.
type Output interface {
	Run(ctx context.Context, feed *Feed) error
}

// A Bridge reads meters and feeds outputs. Add everything before Run.
type Bridge struct {
	log     zerolog.Logger
	meters  []Meter
	sources []probe.Source
	outputs []namedOutput
	plan    *throttle.Plan
	store   *state.Store
	// instance is nil where nothing is remembered.
	instance *Instance
}

type namedOutput struct {
	name string
	Output
}

// New returns a Bridge without meters and outputs, which publishes every telegram and remembers nothing over a restart.
func New(log zerolog.Logger) *Bridge { return &Bridge{log: log, plan: new(throttle.Plan)} }

// SetPlan sets how often each quantity is published. A recording is published whole whatever the plan.
func (b *Bridge) SetPlan(p *throttle.Plan) { b.plan = p }

// AddMeter adds a meter and where its bytes come from.
func (b *Bridge) AddMeter(m Meter, s probe.Source) {
	b.meters, b.sources = append(b.meters, m), append(b.sources, s)
}

// AddOutput adds an output; name is for the log.
func (b *Bridge) AddOutput(name string, o Output) {
	b.outputs = append(b.outputs, namedOutput{name, o})
}

// KeepState keeps in a folder what must survive a restart: the last good value of each counter, what has been announced, where a meter was
// found, which runs there were. Where that cannot be, the log says so once, and it is tried again while the bridge runs. Call it before Run.
func (b *Bridge) KeepState(dir string) {
	b.store = state.Open(dir, b.log)
	b.instance = newInstance(b.store)
}

// journalSize is how many telegrams an output may be behind before it misses whole telegrams.
const journalSize = 256

// Run reads and delivers until ctx ends, or until every source was a recording and has come to its end. The outputs stop
// after the meters, so that the last values are delivered. The only error is a recording without a telegram. It is called
// once.
func (b *Bridge) Run(ctx context.Context) error {
	j, health := newJournal(journalSize), progress.NewGroup()
	feeds := make([]*Feed, len(b.outputs))
	for i := range feeds {
		feeds[i] = newFeed(b.meters, j)
		feeds[i].memory, feeds[i].instance = b.store, b.instance
		feeds[i].health, feeds[i].progress = health, health.Add("output "+b.outputs[i].name)
	}
	pipelines := make([]*pipeline, len(b.meters))
	for i := range pipelines {
		pipelines[i] = newPipeline(b, i, feeds, j)
		pipelines[i].progress, pipelines[i].silence = health.Add("meter "+b.meters[i].ID), health.Add("silence of meter "+b.meters[i].ID)
	}
	b.store.SetReporter(health.Add("state file"))
	outputs, stop := context.WithCancel(context.WithoutCancel(ctx))
	keep, done := context.WithCancel(context.WithoutCancel(ctx))
	var remembering, measuring errgroup.Group
	var delivering sync.WaitGroup
	remembering.Go(func() error { return b.store.Run(keep) })
	for i, o := range b.outputs {
		delivering.Go(func() { b.deliver(outputs, o, feeds[i]) })
	}
	for _, p := range pipelines {
		measuring.Go(func() error { return p.run(ctx) })
	}
	err := measuring.Wait()
	stop()
	delivering.Wait()
	done()
	return errors.Join(err, remembering.Wait(), b.store.Close())
}

// stableAfter is how long an output must have delivered before its back-off starts again at the shortest pause, and its next interruption
// is told at once. After a shorter time that counts as one more of the same bad network.
const stableAfter = 10 * time.Second

// deliver runs an output again and again until the bridge stops.
func (b *Bridge) deliver(ctx context.Context, o namedOutput, feed *Feed) {
	log := b.log.With().Str("output", o.name).Logger()
	wait := ratelimit.Backoff{Min: 500 * time.Millisecond, Max: 8 * time.Second}
	var trouble faults
	for ctx.Err() == nil {
		feed.deliveringSince, feed.undelivered = time.Time{}, false
		feed.progress.Working()
		err := o.Run(ctx, feed)
		feed.progress.Waiting()
		if err == nil || ctx.Err() != nil {
			return
		}
		if !feed.deliveringSince.IsZero() && time.Since(feed.deliveringSince) > stableAfter {
			wait.Reset()
			trouble.Recovered()
		}
		feed.progress.Note("interrupted: " + err.Error())
		w := wait.Next()
		var slow interface{ Wait() time.Duration }
		if errors.As(err, &slow) {
			w = max(w, slow.Wait())
		}
		if trouble.warn(log, "output interrupted, trying again", err.Error(), err, w) {
			feed.interrupted = true
		}
		ratelimit.Pause(ctx, w)
	}
}
