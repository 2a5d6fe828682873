package guard_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/guard"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// The telegrams of a stream that are not as they should be, and the first of a new meter.
const (
	zeroAt, backAt, jumpAt, newAt, streamEnd = 5, 8, 11, 14, 22
)

// inStream returns what telegram i says, in Wh, when it comes at so many seconds, and if that is true.
func inStream(i int, seconds int64) (wh int64, isTrue bool) {
	const watts = 1800
	truth := 8_765_432 + watts*seconds/3600
	switch {
	case i == zeroAt:
		return 0, false
	case i == backAt:
		return truth - 3_000, false
	case i == jumpAt:
		return truth + 15_000_000, false
	case i >= newAt:
		return 12_345 + watts*seconds/3600, true
	}
	return truth, true
}

// A round is one way to send the stream.
type round struct {
	every    time.Duration
	recorded bool
	restart  int // before which telegram the Guard is another one, -1 for never
	stale    int // how many telegrams before that its memory was kept
}

// TestStream: a counter reads zero once, steps back once, jumps by 15 MWh once, and then is that of a new meter. The first three are never
// good, the fourth is followed after three telegrams, and so it is over a restart anywhere.
func TestStream(t *testing.T) {
	for _, every := range []time.Duration{time.Second, 10 * time.Second, time.Hour} {
		for _, recorded := range []bool{false, true} {
			for restart := -1; restart < streamEnd; restart++ {
				for stale := range 3 {
					if stale > 0 && every == time.Hour {
						break // memory is kept within seconds
					}
					r := round{every, recorded, restart, stale}
					t.Run(fmt.Sprintf("%+v", r), r.run)
				}
			}
		}
	}
}

func (r round) run(t *testing.T) {
	g := guard.New(25)
	memories := make([]guard.Memory, streamEnd+1) // before each telegram
	followed, resets := -1, 0
	var reasons []guard.Reason
	for i := range streamEnd {
		g.Remember(&memories[i])
		if i == r.restart {
			g = restored(t, &memories[max(i-r.stale, 0)])
		}
		j, isTrue := r.send(g, i)
		good := len(j.Good) > 0
		switch {
		case good && !isTrue:
			t.Errorf("telegram %d is good, and should not be", i)
		case !good && isTrue && i < newAt:
			t.Errorf("telegram %d is held back: %s", i, said(j))
		case good && i >= newAt && followed < 0:
			followed = i
		case !good && followed >= 0 && i != r.restart && r.stale == 0:
			t.Errorf("telegram %d is held back again: %s", i, said(j))
		}
		resets += len(j.Resets)
		if !good && i < newAt {
			reasons = append(reasons, j.Held[0].Reason)
		}
	}
	if want := []guard.Reason{guard.Zero, guard.Backward, guard.Jump}; !slices.Equal(reasons, want) {
		t.Errorf("got reasons %v, want %v", reasons, want)
	}
	latest, most := newAt+2, 1
	if r.restart > newAt { // what was not believed is counted anew, and what was believed may have been forgotten
		latest, most = min(latest, r.restart)+2, 1+min(r.stale, 1)
		latest = max(latest, newAt+2)
	}
	if followed < newAt+2 || followed > latest || resets < 1 || resets > most {
		t.Errorf("the new meter is followed from telegram %d on, with %d resets; want %d to %d, and 1 to %d", followed, resets, newAt+2, latest, most)
	}
}

// send judges telegram i.
func (r round) send(g *guard.Guard, i int) (j guard.Judgement, isTrue bool) {
	at := time.Duration(i) * r.every
	wh, isTrue := inStream(i, int64(at.Seconds()))
	id, _ := quantity.Named("import_energy")
	telegram := guard.Telegram{
		Received: start, Meter: obis.FromTime(start.Add(at)),
		Samples: []quantity.Sample{{ID: id, Value: obis.Decimal{Coef: wh, Exp: -3}}},
	}
	if !r.recorded {
		telegram.Received, telegram.Meter = start.Add(at), obis.Time{}
	}
	return g.Judge(&telegram), isTrue
}
