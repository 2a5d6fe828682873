// Package bridge reads meters and passes their values to outputs. It depends on no output, and an output can neither slow nor stop a meter.
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

// A Meter is the configuration of one meter.
type Meter struct {
	// ID matches [a-z0-9_-]+ and is unique. Topics and entities are named after it.
	ID string
	// Name is shown to people.
	Name string
	// Simulated is true for a simulated meter, so that hubs can show that.
	Simulated bool
	// Fuse is the main fuse in A per phase; 0 if it is unknown. A counter that rises faster than the fuse allows is not published.
	Fuse int
	// KeySetting and AuthKeySetting are the names of the settings for the meter's key and its authentication key, such as meters[0].key.
	// Messages use them; "" if there is none.
	KeySetting, AuthKeySetting string
}

// An Output delivers values to a destination, such as a broker. Run takes updates from the feed until ctx ends, delivers the rest and returns
// nil. If it cannot continue, it returns an error, and the bridge calls Run again after a pause. If the error has the method
// Wait() time.Duration, the pause is at least that long. Run waits for the channel that Feed.Ready returns. Every other wait in it needs a
// time limit; see Feed.Progress.
type Output interface {
	Run(ctx context.Context, feed *Feed) error
}

// A Bridge reads meters and feeds outputs. Call all other methods before Run. It is not safe for concurrent use.
type Bridge struct {
	log     zerolog.Logger
	meters  []Meter
	sources []probe.Source
	outputs []namedOutput
	plan    *throttle.Plan
	store   *state.Store
	// instance is nil if the bridge has no state.
	instance *Instance
}

type namedOutput struct {
	name string
	Output
}

// New returns a Bridge without meters and outputs. It publishes every telegram and stores no state.
func New(log zerolog.Logger) *Bridge { return &Bridge{log: log, plan: new(throttle.Plan)} }

// SetPlan sets how often each quantity is published. It has no effect on recordings, which are published completely.
func (b *Bridge) SetPlan(p *throttle.Plan) { b.plan = p }

// AddMeter adds a meter and the source of its bytes.
func (b *Bridge) AddMeter(m Meter, s probe.Source) {
	b.meters, b.sources = append(b.meters, m), append(b.sources, s)
}

// AddOutput adds an output. The name is used in the log and in the health status.
func (b *Bridge) AddOutput(name string, o Output) {
	b.outputs = append(b.outputs, namedOutput{name, o})
}

// KeepState stores in a folder the state that must survive a restart: the last accepted value of each counter, what outputs have
// announced to hubs, the port and line setting of each meter, and the marks of earlier runs. If the folder cannot be used, that is
// logged once, and Run tries again.
func (b *Bridge) KeepState(dir string) {
	b.store = state.Open(dir, b.log)
	b.instance = newInstance(b.store)
}

// journalSize is how many telegrams can wait for a slow output. A further telegram overwrites the oldest one, which the output then misses.
const journalSize = 256

// Run reads meters and runs outputs until ctx ends. If all sources are recordings, it returns at their end. The outputs stop after the meters,
// so that the last values are delivered. Run returns an error if a recording has no telegram or cannot be read to its end, or if the state
// cannot be closed. Call Run once.
func (b *Bridge) Run(ctx context.Context) error {
	j, health := newJournal(journalSize), progress.NewGroup()
	feeds := make([]*Feed, len(b.outputs))
	for i := range feeds {
		feeds[i] = newFeed(b.meters, j)
		feeds[i].store, feeds[i].instance = b.store, b.instance
		feeds[i].health, feeds[i].progress = health, health.Add("output "+b.outputs[i].name)
	}
	pipelines := make([]*pipeline, len(b.meters))
	for i := range pipelines {
		pipelines[i] = newPipeline(b, i, feeds, j)
		pipelines[i].progress, pipelines[i].silenceProgress = health.Add("meter "+b.meters[i].ID), health.Add("silence of meter "+b.meters[i].ID)
	}
	b.store.SetReporter(health.Add("state file"))
	outputCtx, stopOutputs := context.WithCancel(context.WithoutCancel(ctx))
	storeCtx, stopStore := context.WithCancel(context.WithoutCancel(ctx))
	var store, meters errgroup.Group
	var outputs sync.WaitGroup
	store.Go(func() error { return b.store.Run(storeCtx) })
	for i, o := range b.outputs {
		outputs.Go(func() { b.deliver(outputCtx, o, feeds[i]) })
	}
	for _, p := range pipelines {
		meters.Go(func() error { return p.run(ctx) })
	}
	err := meters.Wait()
	stopOutputs()
	outputs.Wait()
	stopStore()
	return errors.Join(err, store.Wait(), b.store.Close())
}

// stableAfter is how long an output must have delivered until it counts as stable. After that time, its back-off starts again at the shortest
// pause, and its next interruption is logged at once. An earlier interruption counts as part of the same network problem.
const stableAfter = 10 * time.Second

// deliver runs an output, and runs it again after each interruption, until ctx ends.
func (b *Bridge) deliver(ctx context.Context, o namedOutput, feed *Feed) {
	log := b.log.With().Str("output", o.name).Logger()
	backoff := ratelimit.Backoff{Min: 500 * time.Millisecond, Max: 8 * time.Second}
	var interruptions faults
	for ctx.Err() == nil {
		feed.deliveringSince, feed.undelivered = time.Time{}, false
		feed.progress.Working()
		err := o.Run(ctx, feed)
		feed.progress.Waiting()
		if err == nil || ctx.Err() != nil {
			return
		}
		if !feed.deliveringSince.IsZero() && time.Since(feed.deliveringSince) > stableAfter {
			backoff.Reset()
			interruptions.Recovered()
		}
		feed.progress.Note("interrupted: " + err.Error())
		pause := backoff.Next()
		var waiter interface{ Wait() time.Duration }
		if errors.As(err, &waiter) {
			pause = max(pause, waiter.Wait())
		}
		if interruptions.warn(log, "output interrupted, trying again", err.Error(), err, pause) {
			feed.interrupted = true
		}
		ratelimit.Pause(ctx, pause)
	}
}
