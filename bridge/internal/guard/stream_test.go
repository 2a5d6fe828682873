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

// The stream of TestStream has streamLength telegrams. The counter is wrong in the telegrams zeroAt, backAt and jumpAt. From telegram
// newMeterAt on, another meter sends.
const (
	zeroAt, backAt, jumpAt, newMeterAt, streamLength = 5, 8, 11, 14, 22
)

// streamValue returns the counter in telegram i of the stream, in Wh, and whether the counter is correct. Seconds is the time from the first
// telegram to telegram i.
func streamValue(i int, seconds int64) (wh int64, correct bool) {
	const watts = 1800
	counter := 8_765_432 + watts*seconds/3600
	switch {
	case i == zeroAt:
		return 0, false
	case i == backAt:
		return counter - 3_000, false
	case i == jumpAt:
		return counter + 15_000_000, false
	case i >= newMeterAt:
		return 12_345 + watts*seconds/3600, true
	}
	return counter, true
}

// A variant is one way to send the stream.
type variant struct {
	interval time.Duration // between telegrams
	recorded bool          // only the clock of the meter advances
	restart  int           // the Guard is restored from a snapshot before this telegram; -1 for never
	stale    int           // how many telegrams before the restart the snapshot was taken
}

// TestStream checks that the three wrong values of the stream are rejected, and that the new meter is accepted with its third telegram. This
// must also hold after a restart before any telegram.
func TestStream(t *testing.T) {
	for _, interval := range []time.Duration{time.Second, 10 * time.Second, time.Hour} {
		for _, recorded := range []bool{false, true} {
			for restart := -1; restart < streamLength; restart++ {
				for stale := range 3 {
					if stale > 0 && interval == time.Hour {
						break // a snapshot is stored within seconds, so it is never an hour old
					}
					v := variant{interval, recorded, restart, stale}
					t.Run(fmt.Sprintf("%+v", v), v.run)
				}
			}
		}
	}
}

func (v variant) run(t *testing.T) {
	g := newGuard(25)
	snapshots := make([]guard.Snapshot, streamLength+1) // before each telegram
	acceptedFrom, resets := -1, 0
	var reasons []guard.Reason
	for i := range streamLength {
		g.Snapshot(&snapshots[i])
		if i == v.restart {
			g = restored(t, &snapshots[max(i-v.stale, 0)])
		}
		result, correct := v.send(g, i)
		accepted := len(result.Accepted) > 0
		switch {
		case accepted && !correct:
			t.Errorf("telegram %d is accepted, want it rejected", i)
		case !accepted && correct && i < newMeterAt:
			t.Errorf("telegram %d is rejected, want it accepted: %s", i, describe(result))
		case accepted && i >= newMeterAt && acceptedFrom < 0:
			acceptedFrom = i
		// The first telegram after a restart can be rejected. If the snapshot is older than the restart, later telegrams can be rejected too.
		case !accepted && acceptedFrom >= 0 && i != v.restart && v.stale == 0:
			t.Errorf("telegram %d of the new meter is rejected after an earlier telegram was accepted: %s", i, describe(result))
		}
		resets += len(result.Resets)
		if !accepted && i < newMeterAt {
			reasons = append(reasons, result.Rejected[0].Reason)
		}
	}
	if want := []guard.Reason{guard.Zero, guard.Backward, guard.Jump}; !slices.Equal(reasons, want) {
		t.Errorf("got reasons %v, want %v", reasons, want)
	}
	const earliest = newMeterAt + 2 // the third telegram of the new meter
	latest, maxResets := earliest, 1
	if v.restart > newMeterAt { // the series begins again after the restart; if the snapshot is older than the reset, there is a second reset
		latest, maxResets = min(earliest, v.restart)+2, 1+min(v.stale, 1)
	}
	inTime := acceptedFrom >= earliest && acceptedFrom <= latest
	if !inTime || resets < 1 || resets > maxResets {
		t.Errorf("the new meter is accepted from telegram %d on, with %d resets; want telegram %d to %d, and 1 to %d resets", acceptedFrom, resets, earliest, latest, maxResets)
	}
}

// send passes telegram i to the Guard.
func (v variant) send(g *meterGuard, i int) (result guard.Result, correct bool) {
	at := time.Duration(i) * v.interval
	wh, correct := streamValue(i, int64(at.Seconds()))
	telegram := guard.Telegram{
		Received: start, MeterTime: obis.FromTime(start.Add(at)),
		Samples: []quantity.Sample{{ID: quantity.ImportEnergy, Value: obis.Decimal{Coef: wh, Exp: -3}}},
	}
	if !v.recorded {
		telegram.Received, telegram.MeterTime = start.Add(at), obis.Time{}
	}
	return g.Check(&telegram), correct
}
