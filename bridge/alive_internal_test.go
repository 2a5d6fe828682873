package bridge

import (
	"slices"
	"sync"
	"testing"

	"github.com/rs/zerolog"
)

// TestAnswersAsksEveryLock: one that is forgotten could be stuck, and the watchdog would not know.
func TestAnswersAsksEveryLock(t *testing.T) {
	meters, j := []Meter{{ID: "house"}, {ID: "barn"}}, newJournal(4)
	feeds := []*Feed{newFeed(meters, j), newFeed(meters, j)}
	want := []sync.Locker{&j.mu, &feeds[0].mu, &feeds[1].mu}
	b := New(zerolog.Nop())
	for i, m := range meters {
		b.AddMeter(m, Source{})
		want = append(want, &newPipeline(b, i, feeds, j).voice.mu)
	}
	if !slices.Equal(j.locks, want) {
		t.Errorf("got %d locks, want the %d of journal, feeds and pipelines", len(j.locks), len(want))
	}
	feeds[0].Answers()
}
