package bridge_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/bridge/throttle"
)

// An outputFunc is a function that is an output.
type outputFunc func(ctx context.Context, s *bridge.Subscription) error

// Streams returns what an outputFunc receives: the values of every telegram, and telegrams.
func (o outputFunc) Streams() bridge.Streams {
	return bridge.Streams{Plan: new(throttle.Plan), Telegrams: true}
}

func (o outputFunc) Run(ctx context.Context, s *bridge.Subscription) error { return o(ctx, s) }

// TestOutputsDoNotSlowMeters checks that outputs that fail, wait or never confirm a delivery do not delay the telegrams for another output.
func TestOutputsDoNotSlowMeters(t *testing.T) {
	fails := outputFunc(func(context.Context, *bridge.Subscription) error { return errAway })
	waits := outputFunc(func(ctx context.Context, _ *bridge.Subscription) error { <-ctx.Done(); return nil })
	neverConfirms := outputFunc(func(ctx context.Context, f *bridge.Subscription) error {
		<-f.Ready()
		f.Take()
		<-ctx.Done()
		return nil
	})
	synctest.Test(t, func(t *testing.T) {
		var p port
		var rec recorder
		running := run(t, sourceOf(&p), fails, waits, neverConfirms, &rec)
		m := newMeter(t, "aidon-se")
		start := time.Now()
		for range 1000 { // more than any queue holds
			p.send(nextTelegram(m))
			advance(time.Second)
		}
		rec.inspect(func(rec *recorder) {
			if len(rec.telegrams) != 1000 || rec.lost != 0 {
				t.Fatalf("got %d telegrams and %d lost, want 1000 and none", len(rec.telegrams), rec.lost)
			}
			for i, at := range rec.telegramTimes {
				if want := start.Add(time.Duration(i) * time.Second); !at.Equal(want) {
					t.Fatalf("the output took telegram %d with a delay of %v, want none", i, at.Sub(want))
				}
			}
		})
		running.end()
	})
}

// TestOutputRunsAgain checks that an output that fails runs again after a pause, and then gets the telegrams again that it has not delivered.
func TestOutputRunsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p port
		var rec recorder
		var runs []time.Time
		failing := outputFunc(func(ctx context.Context, f *bridge.Subscription) error {
			runs = append(runs, time.Now())
			f.Resync()
			if len(runs) == 4 { // the fourth run does not fail
				return rec.Run(ctx, f)
			}
			for { // takes the first telegram and fails before it has delivered it
				<-f.Ready()
				if b := f.Take(); b != nil && len(b.Telegrams) > 0 {
					return errAway
				}
			}
		})
		running := run(t, sourceOf(&p), failing)
		m := newMeter(t, "aidon-se")
		p.send(nextTelegram(m))
		p.send(nextTelegram(m))
		advance(time.Minute)
		rec.inspect(func(rec *recorder) {
			if len(rec.telegrams) != 2 || rec.telegrams[0].Seq != 1 || rec.telegrams[1].Seq != 2 || len(rec.values) == 0 {
				t.Errorf("got %d telegrams and %d values, want telegrams 1 and 2 and the values", len(rec.telegrams), len(rec.values))
			}
		})
		for i, maxPause := 1, 500*time.Millisecond; i < len(runs); i, maxPause = i+1, 2*maxPause {
			if gap := runs[i].Sub(runs[i-1]); gap < maxPause/2 || gap > maxPause {
				t.Errorf("run %d: got a pause of %v before it, want %v to %v", i, gap, maxPause/2, maxPause)
			}
		}
		if got := strings.Count(running.log.String(), "output interrupted"); got != 1 {
			t.Errorf("the log has %d lines about the interruptions, want 1:\n%s", got, running.log)
		}
		running.end()
	})
}

// TestBackoffReset checks the pause before an output that fails often is run again. The pause is short again if the output has delivered for more
// than 10 s. It is long if the output has delivered for a shorter time or not at all.
func TestBackoffReset(t *testing.T) {
	for name, tc := range map[string]struct {
		delivers bool          // the output takes batches and confirms them
		duration time.Duration // until the output fails
		maxPause time.Duration // between the last two runs
		minPause time.Duration // between the last two runs
	}{
		"delivery for 12 s":               {true, 12 * time.Second, 500 * time.Millisecond, 0},
		"delivery for 3 s":                {true, 3 * time.Second, 8 * time.Second, 4 * time.Second},
		"connecting for 12 s":             {false, 12 * time.Second, 8 * time.Second, 4 * time.Second},
		"a minute without a confirmation": {false, time.Minute, 8 * time.Second, 4 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var endedAt, pause time.Duration // the end of the last run, since start; and the pause after the run
				start := time.Now()
				failing := outputFunc(func(ctx context.Context, f *bridge.Subscription) error {
					pause = time.Since(start) - endedAt
					f.Resync()
					for b := f.Take(); b != nil && tc.delivers; b = f.Take() {
						f.Delivered(b.Number)
					}
					advance(tc.duration)
					endedAt = time.Since(start)
					return errAway
				})
				var p port
				running := run(t, sourceOf(&p), failing)
				advance(12 * (tc.duration + 8*time.Second))
				if pause > tc.maxPause || pause < tc.minPause {
					t.Errorf("run again after %v, want %v to %v", pause, tc.minPause, tc.maxPause)
				}
				running.end()
			})
		})
	}
}

// TestOutputsStopAfterMeters checks that an output can deliver the last telegram after its context has ended.
func TestOutputsStopAfterMeters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var rec recorder
		late := outputFunc(func(ctx context.Context, f *bridge.Subscription) error {
			<-ctx.Done()
			rec.record(f)
			return nil
		})
		slow := &slowClosingPort{telegram: nextTelegram(newMeter(t, "aidon-se")), closed: make(chan struct{})}
		s := probe.Source{Endpoints: probe.Fixed(probe.Endpoint{
			Dial: func(context.Context) (io.ReadCloser, error) { return slow, nil },
		})}
		running := run(t, s, late)
		running.end()
		rec.inspect(func(rec *recorder) {
			if len(rec.telegrams) != 1 || len(rec.values) == 0 {
				t.Errorf("got %d telegrams and %d values after the stop, want those of the last telegram", len(rec.telegrams), len(rec.values))
			}
		})
	})
}

// A slowClosingPort returns a telegram only after it was closed, with a delay.
type slowClosingPort struct {
	telegram []byte
	closed   chan struct{}
}

func (s *slowClosingPort) Read(p []byte) (int, error) {
	<-s.closed
	if len(s.telegram) == 0 {
		return 0, io.ErrClosedPipe
	}
	<-time.After(time.Second)
	n := copy(p, s.telegram)
	s.telegram = s.telegram[n:]
	return n, nil
}

func (s *slowClosingPort) Close() error {
	select {
	case <-s.closed:
	default:
		close(s.closed)
	}
	return nil
}

// TestRecordingsWaitForOutputs replays two recordings. A slow output must get all values of each telegram, and all telegrams, whatever its preset is.
// Run must not return before the output has delivered the last one.
func TestRecordingsWaitForOutputs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const telegrams = 400
		b := bridge.New(zerolog.Nop())
		for _, id := range []string{"house", "barn"} {
			var recording bytes.Buffer
			m := newMeter(t, "p1-se-aidon")
			for range telegrams {
				recording.Write(nextTelegram(m))
			}
			addMeter(t, b, bridge.Meter{ID: id}, probe.Source{Recorded: true, Endpoints: probe.Fixed(probe.Endpoint{
				Dial: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(&recording), nil },
			})})
		}
		quick := &recorder{preset: throttle.Balanced}
		values, taken, delivered := 0, 0, 0 // of the slow output
		b.AddOutput("quick", quick)
		b.AddOutput("slow", outputFunc(func(ctx context.Context, s *bridge.Subscription) error {
			for ctx.Err() == nil {
				<-time.After(time.Second)
				for b := s.Take(); b != nil; b = s.Take() {
					for _, u := range b.Changes {
						values += len(u.Values)
					}
					taken += len(b.Telegrams)
					<-time.After(time.Second)
					delivered = taken
					s.Delivered(b.Number)
				}
			}
			return nil
		}))
		if err := b.Run(t.Context()); err != nil {
			t.Errorf("Run: %v", err)
		}
		if len(quick.telegrams) != 2*telegrams || quick.lost != 0 {
			t.Errorf("quick output: got %d telegrams and %d lost, want %d and none", len(quick.telegrams), quick.lost, 2*telegrams)
		}
		if delivered != 2*telegrams || values < 2*telegrams*30 { // each telegram has more than 30 values
			t.Errorf("slow output: got %d telegrams with %d values before Run returned, want %d with 30 values and more each", delivered, values, 2*telegrams)
		}
	})
}

// TestRecordingStops checks that a recording waits for an output, and stops waiting when its context ends.
func TestRecordingStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		telegram := nextTelegram(newMeter(t, "p1-se-aidon"))
		s := probe.Source{Recorded: true, Endpoints: probe.Fixed(probe.Endpoint{
			Dial: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(telegram)), nil },
		})}
		waits := outputFunc(func(ctx context.Context, _ *bridge.Subscription) error { <-ctx.Done(); return nil })
		running := run(t, s, waits)
		advance(time.Hour)
		if len(running.done) > 0 {
			t.Error("Run has returned, want it to wait until the output has delivered")
		}
		running.end()
	})
}

// TestDamagedRecording checks that a recording with a read error is not read again, and that Run returns the error.
func TestDamagedRecording(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		readErr := errors.New("house.txt:5: cut")
		telegram := nextTelegram(newMeter(t, "p1-se-aidon"))
		b := bridge.New(zerolog.Nop())
		addMeter(t, b, bridge.Meter{ID: "house"}, probe.Source{Recorded: true, Endpoints: probe.Fixed(probe.Endpoint{
			Port: "house.txt",
			Dial: func(context.Context) (io.ReadCloser, error) {
				return io.NopCloser(io.MultiReader(bytes.NewReader(telegram), iotest.ErrReader(readErr))), nil
			},
		})})
		var rec recorder
		b.AddOutput("tested", &rec)
		if err := b.Run(t.Context()); !errors.Is(err, readErr) {
			t.Errorf("Run: got %v, want %v", err, readErr)
		}
		if len(rec.telegrams) != 1 {
			t.Errorf("got %d telegrams, want only the telegram before the damage", len(rec.telegrams))
		}
	})
}

// TestRunWithoutOutputs checks that a bridge without outputs reads its meter, and closes the port at the end.
func TestRunWithoutOutputs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p port
		running := run(t, sourceOf(&p))
		p.send(nextTelegram(newMeter(t, "aidon-se")))
		running.end()
		if _, err := p.writer.Write(nil); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("the port is still open: %v", err)
		}
	})
}
