package bridge

import (
	"context"
	"errors"
	"fmt"

	"github.com/hanbridge/hanbridge/bridge/probe"
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

// A runningMeter is a meter and the goroutine that reads it.
type runningMeter struct {
	meter  Meter
	source probe.Source
	reader *meterReader // nil before Run
	cancel context.CancelFunc
	done   chan struct{} // closed when the goroutine has ended
}

// AddMeter adds a meter and the source of its bytes. It returns an error if there is a meter with the same id, or if Run has ended.
func (b *Bridge) AddMeter(m Meter, s probe.Source) error {
	b.changing.Lock()
	defer b.changing.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.ended:
		return errors.New("the bridge has ended")
	case b.meters[m.ID] != nil:
		return fmt.Errorf("there is a meter %q already", m.ID)
	}
	r := &runningMeter{meter: m, source: s, done: make(chan struct{})}
	b.meters[m.ID] = r
	if b.ctx == nil {
		b.addedBeforeRun = append(b.addedBeforeRun, r)
	} else {
		b.start(r)
	}
	return nil
}

// RemoveMeter stops reading a meter, and waits until it is no longer read. Outputs then remove what they have published of it. The state file keeps
// its counters, so that it can be added again. RemoveMeter reports whether there was such a meter.
func (b *Bridge) RemoveMeter(id string) bool {
	b.changing.Lock()
	defer b.changing.Unlock()
	b.mu.Lock()
	r := b.meters[id]
	delete(b.meters, id)
	isRunning := r != nil && r.reader != nil
	b.mu.Unlock()
	if !isRunning {
		return r != nil
	}
	r.cancel()
	<-r.done
	r.reader.stored.keep()
	b.journal.grow(-journalPerMeter)
	record := r.reader.record
	record.mu.Lock()
	defer record.mu.Unlock()
	b.state.remove(record)
	for _, o := range b.outputs {
		o.subscription.removeMeter(record)
	}
	return true
}

// start starts the goroutine of a meter. The caller holds b.mu.
func (b *Bridge) start(r *runningMeter) {
	r.reader = newMeterReader(b, r.meter, r.source)
	r.reader.progress = b.health.Add("meter " + r.meter.ID)
	record := r.reader.record
	b.journal.grow(journalPerMeter)
	record.mu.Lock()
	b.state.add(record)
	for _, o := range b.outputs {
		o.subscription.addMeter(record)
	}
	record.mu.Unlock()
	ctx, cancel := context.WithCancel(b.ctx)
	r.cancel = cancel
	go func() {
		defer close(r.done)
		err := r.reader.run(ctx)
		cancel()
		b.health.Remove(r.reader.progress)
		b.mu.Lock()
		defer b.mu.Unlock()
		b.err = errors.Join(b.err, err)
		signal(b.changed)
	}()
}

// startMeters starts the meters that were added before Run.
func (b *Bridge) startMeters(ctx context.Context) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ctx = ctx
	for _, r := range b.addedBeforeRun {
		if b.meters[r.meter.ID] == r { // otherwise it was removed before Run
			b.start(r)
		}
	}
	b.addedBeforeRun = nil
}

// awaitMeters waits until ctx ends, or until all meters are recordings and have ended. It then waits for the goroutines of the meters, and returns
// their errors.
func (b *Bridge) awaitMeters(ctx context.Context) error {
	for ctx.Err() == nil && !b.recordingsEnded() {
		select {
		case <-ctx.Done():
		case <-b.changed:
		}
	}
	b.changing.Lock() // waits for a meter that is being removed
	defer b.changing.Unlock()
	b.mu.Lock()
	b.ended = true
	var running []*runningMeter
	for _, r := range b.meters {
		running = append(running, r)
	}
	b.mu.Unlock()
	for _, r := range running {
		<-r.done
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// recordingsEnded reports whether there are meters, all of them are recordings, and all have ended.
func (b *Bridge) recordingsEnded() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.meters {
		select {
		case <-r.done:
		default:
			return false
		}
	}
	return len(b.meters) > 0
}
