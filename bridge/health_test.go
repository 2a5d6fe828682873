package bridge_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/internal/progress"
	"github.com/hanbridge/hanbridge/bridge/probe"
)

// An observer is an output that takes all batches and does nothing with them. Tests use its Subscription to get the health of the bridge.
type observer struct {
	subscription atomic.Pointer[bridge.Subscription]
}

// Streams returns that the observer receives everything.
func (o *observer) Streams() bridge.Streams { return outputFunc(nil).Streams() }

func (o *observer) Run(ctx context.Context, s *bridge.Subscription) error {
	o.subscription.Store(s)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.Ready():
			takeAll(s)
		}
	}
}

// stuck returns the names of the goroutines that are stuck, such as "meter house, output other".
func (o *observer) stuck() string {
	var names []string
	for _, s := range progress.Stuck(o.subscription.Load().Health(), progress.StuckAfter) {
		name, _, _ := strings.Cut(s, " is stuck")
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// note returns the note in the health status of a goroutine.
func (o *observer) note(name string) string {
	for _, s := range o.subscription.Load().Health() {
		if s.Name == name {
			return s.Note
		}
	}
	return "no such goroutine"
}

// runObserved starts a bridge with an observer and other outputs. Its log goes to w.
func runObserved(t *testing.T, w io.Writer, s probe.Source, outputs ...bridge.Output) (o *observer, end func()) {
	t.Helper()
	o = new(observer)
	b := bridge.New(zerolog.New(w))
	addMeter(t, b, bridge.Meter{ID: "house"}, s)
	b.AddOutput("observer", o)
	for _, other := range outputs {
		b.AddOutput("other", other)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	synctest.Wait()
	return o, func() {
		t.Helper()
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// A blockingOutput takes a batch, and then does nothing until release is closed.
type blockingOutput struct{ release chan struct{} }

// Streams returns that the output receives everything.
func (b blockingOutput) Streams() bridge.Streams { return outputFunc(nil).Streams() }

func (b blockingOutput) Run(ctx context.Context, s *bridge.Subscription) error {
	<-s.Ready()
	s.Take()
	<-b.release
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.Ready():
			takeAll(s)
		}
	}
}

// TestBlockedOutput checks that an output counts as stuck after two minutes without progress, until it continues.
func TestBlockedOutput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := blockingOutput{make(chan struct{})}
		o, end := runObserved(t, io.Discard, sourceOf(new(port)), b)
		expectStuck := func(want string) {
			t.Helper()
			if got := o.stuck(); got != want {
				t.Errorf("at %v: got stuck goroutines %q, want %q", time.Now(), got, want)
			}
		}
		advance(progress.StuckAfter - time.Second)
		expectStuck("")
		advance(time.Second + 1) // for the reporter, a time of 0 means waiting, so its work begins at 1 ns
		expectStuck("output other")
		advance(time.Hour)
		expectStuck("output other")
		close(b.release)
		advance(0)
		expectStuck("")
		end()
	})
}

// A blockingLog is a log that blocks as a full pipe does: Write of a line with the text returns only after release is closed.
type blockingLog struct {
	text    string
	release chan struct{}
}

func (l blockingLog) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte(l.text)) {
		<-l.release
	}
	return len(line), nil
}

// TestBlockedMeter checks that a meter counts as stuck while its goroutine is blocked by the log.
func TestBlockedMeter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p port
		log := blockingLog{"meter sends telegrams", make(chan struct{})}
		o, end := runObserved(t, log, sourceOf(&p))
		advance(time.Hour)
		if got := o.stuck(); got != "" {
			t.Errorf("while the meter is silent: got stuck goroutines %q, want none", got)
		}
		m := newMeter(t, "aidon-se")
		go func() {
			for range 20 {
				_, _ = p.writer.Write(nextTelegram(m)) // fails after the bridge has closed the port at the end
				<-time.After(10 * time.Second)
			}
		}()
		advance(progress.StuckAfter + 4*time.Minute) // the first telegram blocks the goroutine of the meter
		if got := o.stuck(); got != "meter house" {
			t.Errorf("while the log is blocked: got stuck goroutines %q, want meter house", got)
		}
		close(log.release)
		advance(4 * time.Minute)
		if got := o.stuck(); got != "" {
			t.Errorf("after the log was released: got stuck goroutines %q, want none", got)
		}
		end()
	})
}

// TestBlockedClock checks that the clock counts as stuck while it is blocked by the log, and that telegrams are read meanwhile.
func TestBlockedClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p port
		var rec recorder
		log := blockingLog{"meter is silent", make(chan struct{})}
		o, end := runObserved(t, log, sourceOf(&p), &rec)
		m := newMeter(t, "aidon-se")
		p.send(nextTelegram(m))
		advance(offlineAfter + progress.StuckAfter)
		if got := o.stuck(); got != "clock" {
			t.Errorf("while the log is blocked: got stuck goroutines %q, want clock", got)
		}
		p.send(nextTelegram(m))
		if got := rec.telegramCount(); got != 2 {
			t.Errorf("got %d telegrams while the log is blocked, want 2", got)
		}
		if got := rec.stateHistory(); got != "house offline, house online, house offline, house online" {
			t.Errorf("got states %s, want the meter online again", got)
		}
		close(log.release)
		advance(0)
		end()
	})
}

// offlineAfter is how long a meter with an unknown interval may send nothing before it is offline.
const offlineAfter = time.Minute

// TestNothingIsStuck checks for a day that two things do not count as stuck: slow outputs, and faults that a restart of the bridge would not remove.
func TestNothingIsStuck(t *testing.T) {
	away := outputFunc(func(context.Context, *bridge.Subscription) error { return errors.New("the broker is away") })
	idle := outputFunc(func(ctx context.Context, s *bridge.Subscription) error { s.Ready(); <-ctx.Done(); return nil })
	slow := outputFunc(func(ctx context.Context, s *bridge.Subscription) error { // needs nearly two minutes for each step
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-s.Ready():
			}
			for b := s.Take(); b != nil; b = s.Take() {
				for range 50 {
					<-time.After(progress.StuckAfter - time.Second)
					s.Progress()
				}
				s.Delivered(b.Number)
			}
		}
	})
	for _, tt := range []struct {
		name    string
		dialErr error
		every   time.Duration // the time between two telegrams; 0 if there are no telegrams
		output  bridge.Output
		notes   map[string]string // by the name of the goroutine, at the end
	}{
		{"silent meter", nil, 0, idle, map[string]string{"meter house": "no telegram yet", "output other": ""}},
		{"missing port", errors.New("no such device"), 0, idle, map[string]string{"meter house": "cannot be read: no such device"}},
		{"meter that sends once an hour", nil, time.Hour, idle, map[string]string{"meter house": ""}},
		{"broker that is away", nil, time.Minute, away, map[string]string{"output other": "interrupted: the broker is away"}},
		{"broker whose acknowledgements are late", nil, time.Minute, slow, map[string]string{"output other": ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, m := &port{dialErr: tt.dialErr}, newMeter(t, "aidon-se")
				o, end := runObserved(t, io.Discard, sourceOf(p), tt.output)
				for minute := range 24 * 60 {
					if tt.every > 0 && minute%int(tt.every/time.Minute) == 0 {
						p.send(nextTelegram(m))
					}
					advance(time.Minute)
					if got := o.stuck(); got != "" {
						t.Fatalf("%s is stuck after %d minutes", got, minute)
					}
				}
				for name, want := range tt.notes {
					if got := o.note(name); got != want {
						t.Errorf("%s: got the note %q, want %q", name, got, want)
					}
				}
				end()
			})
		})
	}
}

// TestNotesAreCleared checks that the notes are removed when the meter and the output work again.
func TestNotesAreCleared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p port
		hasFailed := false
		failsOnce := outputFunc(func(ctx context.Context, s *bridge.Subscription) error {
			if !hasFailed {
				hasFailed = true
				return errAway
			}
			return new(observer).Run(ctx, s)
		})
		o, end := runObserved(t, io.Discard, sourceOf(&p), failsOnce)
		m := newMeter(t, "aidon-se")
		p.send(nextTelegram(m))
		advance(time.Hour)
		if got := o.note("meter house"); !strings.HasPrefix(got, "silent since 20") {
			t.Errorf("meter house: got the note %q, want the time since which the meter is silent", got)
		}
		p.send(nextTelegram(m))
		for _, name := range []string{"meter house", "output other"} {
			if got := o.note(name); got != "" {
				t.Errorf("%s: got the note %q, want none", name, got)
			}
		}
		end()
	})
}
