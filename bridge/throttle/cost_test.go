package throttle_test

import (
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// telegram passes one value of every quantity, none of them as before.
func telegram(l *throttle.Throttle, n int64) {
	now := noon(0).Add(time.Duration(n) * time.Second)
	for id := range quantity.Count() {
		l.Decide(now, time.Second, quantity.ID(id), obis.Decimal{Coef: 230_000 + n*7919%1000, Exp: -2}, 1, texts[n%2])
	}
}

var texts = [...]string{"0001", "0002"}

func TestDecideAllocatesNothing(t *testing.T) {
	for _, preset := range []throttle.Preset{throttle.Realtime, throttle.Balanced, throttle.Frugal} {
		l, n := throttle.New(throttle.NewPlan(preset)), int64(0)
		if got := testing.AllocsPerRun(1000, func() { telegram(l, n); n++ }); got != 0 {
			t.Errorf("%v: got %v allocations a telegram, want 0", preset, got)
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	l, n := throttle.New(throttle.NewPlan(throttle.Balanced)), int64(0)
	b.ReportAllocs()
	for b.Loop() {
		telegram(l, n)
		n++
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(quantity.Count()), "ns/quantity")
}
