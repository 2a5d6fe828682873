package lane_test

import (
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge/lane"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// telegram passes one value of every quantity, none of them as before.
func telegram(l *lane.Lanes, n int64) {
	now := noon(0).Add(time.Duration(n) * time.Second)
	for id := range quantity.Count() {
		l.Pass(now, time.Second, quantity.ID(id), obis.Decimal{Coef: 230_000 + n*7919%1000, Exp: -2}, 1, texts[n%2])
	}
}

var texts = [...]string{"0001", "0002"}

func TestPassAllocatesNothing(t *testing.T) {
	for _, preset := range []lane.Preset{lane.Realtime, lane.Balanced, lane.Frugal} {
		l, n := lane.NewPlan(preset).Lanes(), int64(0)
		if got := testing.AllocsPerRun(1000, func() { telegram(l, n); n++ }); got != 0 {
			t.Errorf("%v: got %v allocations a telegram, want 0", preset, got)
		}
	}
}

func BenchmarkPass(b *testing.B) {
	l, n := lane.NewPlan(lane.Balanced).Lanes(), int64(0)
	b.ReportAllocs()
	for b.Loop() {
		telegram(l, n)
		n++
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(quantity.Count()), "ns/quantity")
}

func BenchmarkEstimate(b *testing.B) {
	var sent []lane.Sent
	for i := range 30 {
		sent = append(sent, lane.Sent{ID: quantity.ID(i)})
	}
	for _, every := range []time.Duration{time.Second, 10 * time.Second} {
		b.Run(every.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				lane.Estimate(lane.NewPlan(lane.Balanced), sent, every)
			}
		})
	}
}
