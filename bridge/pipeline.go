package bridge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// pipeline takes one meter from its bytes to the feeds. It is one goroutine, and timers that only ever mark silence.
type pipeline struct {
	log    zerolog.Logger
	index  int
	meter  Meter
	source Source
	feeds  []*Feed
	all    *journal

	candidate int  // index of the one in use
	opened    int  // how often a wire has been opened
	proved    bool // it has given a verified telegram
	bytes     atomic.Int64
	trouble   faults // of the wire
	damage    faults // of telegrams

	known  known
	values []Value
	codes  []obis.Code // of the last telegram without checksum
	every  interval
	seq    uint64
	voice  voice
}

func newPipeline(log zerolog.Logger, index int, m Meter, s Source, feeds []*Feed, j *journal) *pipeline {
	return &pipeline{log: log.With().Str("meter", m.ID).Logger(), index: index, meter: m, source: s, feeds: feeds, all: j}
}

const (
	// dwell is how long a candidate may take to give a telegram before the next is tried: the slowest meters speak every
	// 10 s (facts of the field: 12 s).
	dwell = 12 * time.Second
	// relearn is how long a wire may be without a verified telegram before all candidates are tried again.
	relearn = time.Minute
)

// errNothing ends the session of a candidate that gave no telegram in its time.
var errNothing = errors.New("no telegram")

// run opens the wire again and again until ctx ends or a recording is over: one without a telegram is an error.
func (p *pipeline) run(ctx context.Context) error {
	p.listen()
	defer p.rest()
	wait := backoff{first: 100 * time.Millisecond, most: 3 * time.Second}
	for ctx.Err() == nil {
		before := p.stats().Telegrams
		err := p.session(ctx)
		if p.source.Recorded && errors.Is(err, io.EOF) {
			p.all.awaitRead(ctx)
			end := p.stats()
			p.log.Info().Uint64("telegrams", end.Telegrams).Uint64("errors", end.Errors).Msg("end of the recording")
			if end.Telegrams == 0 {
				return fmt.Errorf("%s: no telegram in it", p.source.Candidates[0].Port)
			}
			return nil
		}
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, errNothing) {
			p.candidate = (p.candidate + 1) % len(p.source.Candidates)
			continue
		}
		if p.stats().Telegrams > before {
			wait.reset()
		}
		w := wait.next()
		p.trouble.warn(p.log, "cannot read the meter, trying again", err.Error(), err, w)
		pause(ctx, w)
	}
	return nil
}

// session reads one opened wire until it ends.
func (p *pipeline) session(ctx context.Context) error {
	c := p.source.Candidates[p.candidate]
	wire, err := c.Dial(ctx)
	if err != nil {
		return err
	}
	defer wire.Close()
	defer context.AfterFunc(ctx, func() { wire.Close() })()
	watch := newWatch(wire, p.patience())
	defer watch.stop()
	p.reads(c)
	defer p.readsNothing()
	d := meter.NewDecoder(countingReader{wire, &p.bytes})
	for {
		r, err := d.Next()
		if err == nil {
			p.proved = p.accept(ctx, r) || p.proved
			watch.extend(p.patience())
			continue
		}
		if bad, ok := errors.AsType[*meter.TelegramError](err); ok {
			p.damaged(bad)
			continue
		}
		return p.ended(c, watch, err)
	}
}

// ended says why a wire gives no more.
func (p *pipeline) ended(c Candidate, watch *watch, err error) error {
	switch {
	case watch.expired():
		p.proved = false
		return errNothing
	case errors.Is(err, io.EOF) && !p.source.Recorded:
		return fmt.Errorf("%s: closed by the other side", c.Port)
	}
	return fmt.Errorf("%s: %w", c.Port, err)
}

// patience is how long the wire in use may go without a telegram; 0 is for ever.
func (p *pipeline) patience() time.Duration {
	switch {
	case len(p.source.Candidates) == 1:
		return 0
	case p.proved:
		return relearn
	}
	return dwell
}

// accept hands a verified telegram to the feeds, and tells if it was one.
func (p *pipeline) accept(ctx context.Context, r *meter.Reading) bool {
	if r.Checked {
		p.codes = p.codes[:0] // one without checksum before it does not count
	} else if !p.alike(r) {
		return false
	}
	now := time.Now()
	p.every.add(now)
	p.values = p.values[:0]
	for i := range r.Samples {
		p.values = append(p.values, p.known.value(&r.Samples[i]))
	}
	p.seq++
	p.all.add(Telegram{Meter: p.index, Seq: p.seq, Received: now, MeterTime: zoned(r.Time, now), Values: p.values})
	p.speak(r, now) // wakes the outputs
	p.trouble.over()
	if p.source.Recorded {
		p.all.awaitRead(ctx)
	}
	return true
}

// alike tells that a telegram without checksum has the codes of the one before: two in a row are believed.
func (p *pipeline) alike(r *meter.Reading) bool {
	same := len(r.Records) == len(p.codes)
	for i := range p.codes {
		same = same && p.codes[i] == r.Records[i].Code
	}
	p.codes = p.codes[:0]
	for i := range r.Records {
		p.codes = append(p.codes, r.Records[i].Code)
	}
	return same
}

func (p *pipeline) damaged(e *meter.TelegramError) {
	p.countDamaged(e.Sound)
	message := "damaged telegram dropped"
	if e.Sound {
		message = "telegram came sound, but meters of this kind are not read yet"
	}
	p.damage.warn(p.log, message, message, e, 0)
}
