package bridge_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/throttle"
)

// A history is an output that records everything that it takes, with the times, such as "12s import_power 285".
type history struct {
	preset throttle.Preset
	lines  []string
}

func (h *history) Streams() bridge.Streams {
	return bridge.Streams{Plan: throttle.NewPlan(h.preset), Telegrams: true}
}

func (h *history) Run(ctx context.Context, s *bridge.Subscription) error {
	began := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.Ready():
		}
		for b := s.Take(); b != nil; b = s.Take() {
			at := time.Since(began).String()
			for _, u := range b.Changes {
				h.lines = append(h.lines, fmt.Sprintf("%s online %v %v, stats %v, descriptors %v", at, u.Online, u.OnlineNew, u.StatsNew, u.DescriptorsNew))
				for i := range u.Values {
					h.lines = append(h.lines, fmt.Sprintf("%s %v %s", at, u.Values[i].ID, u.Values[i].Append(nil)))
				}
			}
			for _, t := range b.Telegrams {
				h.lines = append(h.lines, fmt.Sprintf("%s telegram %d", at, t.Seq))
			}
			s.Delivered(b.Number)
		}
	}
}

// historyOf returns what an output takes of the telegrams of ten minutes, while the other outputs run beside it.
func historyOf(t *testing.T, preset throttle.Preset, others ...bridge.Output) []string {
	t.Helper()
	h := &history{preset: preset}
	synctest.Test(t, func(t *testing.T) {
		var p port
		running := run(t, sourceOf(&p), append([]bridge.Output{h}, others...)...)
		m := newMeter(t, "p1-se-aidon")
		for range 600 {
			p.send(nextTelegram(m))
			advance(time.Second)
		}
		advance(10 * time.Minute) // the meter is silent
		running.end()
	})
	return h.lines
}

// TestOutputsAreInvisibleToEachOther checks that an output takes exactly what it would take alone, whatever the other outputs do.
func TestOutputsAreInvisibleToEachOther(t *testing.T) {
	reconnects := outputFunc(func(ctx context.Context, s *bridge.Subscription) error { // after each telegram
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-s.Ready():
				if b := s.Take(); b != nil && len(b.Telegrams) > 0 {
					s.Resync()
					takeAll(s)
				}
			}
		}
	})
	fails := outputFunc(func(_ context.Context, s *bridge.Subscription) error {
		s.Resync()
		<-s.Ready()
		s.Take()
		return errAway
	})
	sleeps := outputFunc(func(ctx context.Context, _ *bridge.Subscription) error { <-ctx.Done(); return nil })
	for _, preset := range []throttle.Preset{throttle.Realtime, throttle.Balanced, throttle.Frugal} {
		t.Run(preset.String(), func(t *testing.T) {
			alone := historyOf(t, preset)
			if isValue := func(line string) bool { return line == "0s telegram 1" }; !slices.ContainsFunc(alone, isValue) || len(alone) < 650 {
				t.Fatalf("alone: got only %d lines: %q", len(alone), alone[:min(len(alone), 10)])
			}
			beside := historyOf(t, preset, reconnects, fails, sleeps, &history{preset: throttle.Frugal})
			if diff := cmp.Diff(alone, beside); diff != "" {
				t.Errorf("beside other outputs (-alone +beside):\n%s", diff)
			}
		})
	}
}
