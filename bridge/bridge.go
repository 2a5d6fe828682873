// Package bridge reads meters and passes their values to outputs. It depends on no output, and an output can neither slow nor stop a meter, nor
// disturb another output.
package bridge

import (
	"context"
	"errors"
	"sync"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge/internal/progress"
	"github.com/hanbridge/hanbridge/bridge/internal/state"
)

// A Bridge reads meters and feeds outputs. Call New, KeepState and AddOutput before Run. AddMeter and RemoveMeter are safe for concurrent use,
// before and during Run.
type Bridge struct {
	log     zerolog.Logger
	state   State
	journal *journal
	clock   *clock
	health  *progress.Group
	store   *state.Store
	// instance returns nil if the bridge has no state. It waits until the mark of this run is on disk.
	instance func() *Instance
	outputs  []namedOutput
	// outputProgress gets a value when an output has taken or delivered a batch.
	outputProgress chan struct{}

	changing sync.Mutex // held while a meter is added or removed; it is taken before mu

	mu             sync.Mutex // guards the fields below
	meters         map[string]*runningMeter
	addedBeforeRun []*runningMeter // the meters that were added before Run, in their order
	ctx            context.Context // of Run; nil before Run
	changed        chan struct{}   // has a value after a meter has ended
	err            error           // of the meters that have ended
	ended          bool            // no meter can be added any more
}

// A namedOutput is an output with its Subscription.
type namedOutput struct {
	Output
	subscription *Subscription
}

// New returns a Bridge without meters and outputs, which stores no state.
func New(log zerolog.Logger) *Bridge {
	return &Bridge{
		log: log, journal: newJournal(journalBase), clock: newClock(), health: progress.NewGroup(),
		instance: func() *Instance { return nil }, outputProgress: make(chan struct{}, 1), changed: make(chan struct{}, 1), meters: map[string]*runningMeter{},
	}
}

// AddOutput adds an output. The name is used in the log and in the health status, and names the output's cursor in the journal.
func (b *Bridge) AddOutput(name string, o Output) {
	b.outputs = append(b.outputs, namedOutput{o, newSubscription(name, o.Streams(), &b.state, b.journal, b.outputProgress)})
}

// KeepState stores in a folder the state that must survive a restart: the last accepted value of each counter, what outputs have
// announced to hubs, the port and line setting of each meter, and the marks of earlier runs. If the folder cannot be used, that is
// logged once, and Run tries again.
func (b *Bridge) KeepState(dir string) {
	b.store = state.Open(dir, b.log)
	b.instance = sync.OnceValue(func() *Instance { return newInstance(b.store) })
	go b.instance() // it writes to the disk while outputs connect
}

// Run reads meters and runs outputs until ctx ends. If all sources are recordings, it returns at their end. The outputs stop after the meters,
// so that the last values are delivered. Run returns an error if a recording has no telegram, or cannot be read to its end. It also returns an
// error if the state cannot be closed. Call Run once.
func (b *Bridge) Run(ctx context.Context) error {
	outputCtx, stopOutputs := context.WithCancel(context.WithoutCancel(ctx))
	defer stopOutputs()
	lastCtx, stopLast := context.WithCancel(context.WithoutCancel(ctx)) // of the goroutines that end last
	defer stopLast()
	var outputs, last sync.WaitGroup
	b.clock.progress = b.health.Add("clock")
	storeProgress := b.health.Add("state file")
	var storeErr error
	last.Go(func() {
		b.instance() // uses the store, too
		b.store.SetReporter(storeProgress)
		storeErr = b.store.Run(lastCtx)
	})
	last.Go(func() { b.clock.run(lastCtx) })
	for _, o := range b.outputs {
		s := o.subscription
		s.store, s.instance, s.health, s.progress = b.store, b.instance, b.health, b.health.Add("output "+s.name)
	}
	b.startMeters(ctx)
	b.startSummary()
	for _, o := range b.outputs {
		log := b.log.With().Str("output", o.subscription.name).Logger()
		outputs.Go(func() { runOutput(outputCtx, log, o.Output, o.subscription) })
	}
	err := b.awaitMeters(ctx)
	stopOutputs()
	outputs.Wait()
	stopLast()
	last.Wait()
	return errors.Join(err, storeErr, b.store.Close())
}

// publishedCounters says whether an output publishes a counter because of an update. Any is true if there is such a counter. Rare is true if the
// meter sends one of them only every 15 min or less often.
type publishedCounters struct{ any, rare bool }

// pass passes an update of a meter to the journal, the state and all outputs. The caller holds the lock of the record, and has set its Description,
// Online and Stats.
func (b *Bridge) pass(r *record, u *update) (counters publishedCounters) {
	r.apply(u)
	for _, o := range b.outputs {
		published := o.subscription.apply(r, u)
		counters.any, counters.rare = counters.any || published.any, counters.rare || published.rare
	}
	if u.telegram != nil { // after the changes, so that no output takes a telegram before the description of its meter
		b.journal.append(u.telegram)
		for _, o := range b.outputs {
			o.subscription.wakeForTelegram()
		}
	}
	return counters
}

// awaitTaken waits until every output has taken all telegrams and values, or ctx ends. Only recordings are read so that they wait for outputs; a
// meter cannot wait.
func (b *Bridge) awaitTaken(ctx context.Context) {
	b.await(ctx, func(s *Subscription) bool { taken, _ := s.caughtUp(); return taken })
}

// awaitDelivered waits until every output has delivered everything, or ctx ends.
func (b *Bridge) awaitDelivered(ctx context.Context) {
	b.await(ctx, func(s *Subscription) bool { _, delivered := s.caughtUp(); return delivered })
}

// await waits until the function returns true for every output, or ctx ends.
func (b *Bridge) await(ctx context.Context, done func(*Subscription) bool) {
	for _, o := range b.outputs {
		for !done(o.subscription) {
			select {
			case <-ctx.Done():
				return
			case <-b.outputProgress:
			}
		}
	}
	signal(b.outputProgress) // wakes the next recording that waits
}

// signal puts a value into a channel with room for one, unless it has one already.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
