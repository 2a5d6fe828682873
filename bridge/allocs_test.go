package bridge

import (
	"bytes"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// TestAcceptAllocatesNothing follows a telegram from the decoder into two feeds, one that is read and one that is not.
func TestAcceptAllocatesNothing(t *testing.T) {
	for _, name := range []string{"aidon-se", "p1-se-aidon"} {
		t.Run(name, func(t *testing.T) {
			family, ok := simulate.Named(name)
			if !ok {
				t.Fatal("no such family")
			}
			_, telegram := simulate.NewMeter(family, 1, time.Now()).Next()
			r, err := meter.NewDecoder(bytes.NewReader(telegram)).Next()
			if err != nil {
				t.Fatal(err)
			}
			meters, j := []Meter{{ID: "house"}}, newJournal(4)
			read, unread := newFeed(meters, j), newFeed(meters, j)
			b := New(zerolog.Nop())
			b.AddMeter(meters[0], Source{})
			p := newPipeline(b, 0, []*Feed{read, unread}, j)
			p.listen()
			defer p.voice.timer.Stop()
			got := testing.AllocsPerRun(100, func() {
				p.accept(t.Context(), r)
				for b := read.Take(); b != nil; b = read.Take() {
				}
			})
			if got != 0 {
				t.Errorf("got %v allocations per telegram, want 0", got)
			}
			if p.stats().Telegrams != 101 {
				t.Errorf("got %d telegrams accepted, want 101", p.stats().Telegrams)
			}
		})
	}
}
