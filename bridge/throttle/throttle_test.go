package throttle_test

import (
	"bytes"
	"runtime"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// TestText tests that a changed text is published at once, and that an unchanged text is repeated after five minutes.
func TestText(t *testing.T) {
	th, id := throttle.New(throttle.NewPlan(throttle.Frugal)), quantity.Tariff
	steps := []step{
		{0, "", publish}, {1, "", withhold}, {2, "0002", publish}, {3, "0001", publish}, {4, "0001", withhold}, {303, "0001", repeat}, {304, "0002", publish},
	}
	for _, s := range steps {
		if got := th.Decide(noon(s.seconds), time.Second, id, obis.Decimal{}, 0, s.value); got != s.want {
			t.Errorf("after %v s, %q: got %v, want %v", s.seconds, s.value, got, s.want)
		}
	}
	if th.Withheld(id) {
		t.Error("Withheld is true for a published text")
	}
}

// TestNetPowerNearZero tests that a net power whose sign changes each second is not published each second. A battery at a setpoint of zero
// causes such a power.
func TestNetPowerNearZero(t *testing.T) {
	th, id := throttle.New(throttle.NewPlan(throttle.Balanced)), quantity.NetPower
	states := 0
	for second := range 3600 {
		value := obis.Decimal{Coef: int64(second%7) + 1}
		if second%2 == 1 {
			value = value.Neg()
		}
		if th.Decide(noon(float64(second)), time.Second, id, value, 0, "") == throttle.Publish {
			states++
		}
	}
	if limit := 3600/5 + 3600/60; states < 600 || states > limit {
		t.Errorf("got %d states, want 600 to %d: one in each MinInterval, and one more in each MaxSilence", states, limit)
	}
}

// TestWithheld tests that Withheld is true only if the newest value, rounded, differs from the published one, and that Withheld is false
// after Forget.
func TestWithheld(t *testing.T) {
	plan := throttle.NewPlan(throttle.Balanced)
	th := throttle.New(plan)
	energy, power := quantity.ImportEnergy, quantity.ImportPower
	if th.Withheld(energy) {
		t.Error("Withheld is true for a counter that was never sent")
	}
	th.Decide(noon(0), time.Second, energy, decimal(t, "7.0001"), 3, "")
	th.Decide(noon(0), time.Second, power, decimal(t, "100"), 0, "")
	if th.Withheld(energy) {
		t.Error("Withheld is true for a published counter")
	}
	th.Decide(noon(1), time.Second, energy, decimal(t, "7.0004"), 3, "")
	if th.Withheld(energy) {
		t.Error("Withheld is true for a counter that is the same to its last decimal")
	}
	th.Decide(noon(2), time.Second, energy, decimal(t, "7.001"), 3, "")
	th.Decide(noon(2), time.Second, power, decimal(t, "101"), 0, "")
	if !th.Withheld(energy) || !th.Withheld(power) {
		t.Errorf("Withheld is %v for the counter and %v for the power, want true", th.Withheld(energy), th.Withheld(power))
	}
	if throttle.New(plan).Withheld(energy) {
		t.Error("two Throttles share their state")
	}
	th.Forget(energy)
	if th.Withheld(energy) || th.Decide(noon(3), time.Second, energy, decimal(t, "7.001"), 3, "") != throttle.Publish {
		t.Error("the next value after Forget is not published")
	}
}

// TestPublishNewest tests that nothing is withheld after PublishNewest, that later changes count from the newest value, and that a quantity
// that was forgotten is still published with its next value.
func TestPublishNewest(t *testing.T) {
	th := throttle.New(throttle.NewPlan(throttle.Balanced))
	power, energy := quantity.ImportPower, quantity.ImportEnergy
	for _, s := range []step{{0, "1000", publish}, {1, "5000", withhold}} {
		if got := th.Decide(noon(s.seconds), time.Second, power, decimal(t, s.value), 0, ""); got != s.want {
			t.Fatalf("after %v s: got %v, want %v", s.seconds, got, s.want)
		}
	}
	th.Decide(noon(1), time.Second, energy, decimal(t, "7"), 3, "")
	th.Forget(energy)
	th.PublishNewest()
	if th.Withheld(power) {
		t.Error("Withheld is true for a value that was published again")
	}
	for _, s := range []step{{2, "1000", withhold}, {3, "5000", withhold}, {10, "5000", withhold}, {11, "1000", publish}} {
		if got := th.Decide(noon(s.seconds), time.Second, power, decimal(t, s.value), 0, ""); got != s.want {
			t.Errorf("after %v s, %s: got %v, want %v", s.seconds, s.value, got, s.want)
		}
	}
	if got := th.Decide(noon(2), time.Second, energy, decimal(t, "7"), 3, ""); got != publish {
		t.Errorf("a forgotten counter: got %v, want %v", got, publish)
	}
}

// TestWithheldText tests that a text is withheld until MinInterval has passed, as a number is.
func TestWithheldText(t *testing.T) {
	plan, id := throttle.NewPlan(throttle.Balanced), quantity.Tariff
	plan.Set(id, throttle.Override{MinInterval: duration(10 * time.Minute)})
	th := throttle.New(plan)
	th.Decide(noon(0), time.Second, id, obis.Decimal{}, 0, "0001")
	if got := th.Decide(noon(1), time.Second, id, obis.Decimal{}, 0, "0002"); got != withhold || !th.Withheld(id) {
		t.Errorf("got %v, Withheld %v; want withhold and true", got, th.Withheld(id))
	}
}

// TestDecideExtremeNumbers tests that Decide does not panic for any number, time, interval or count of decimals.
func TestDecideExtremeNumbers(t *testing.T) {
	const minCoef, maxCoef = -1 << 63, 1<<63 - 1
	for _, preset := range []throttle.Preset{throttle.Realtime, throttle.Balanced, throttle.Frugal} {
		th := throttle.New(throttle.NewPlan(preset))
		for i, n := range []obis.Decimal{
			{Coef: maxCoef, Exp: 100}, {Coef: minCoef, Exp: 100}, {Coef: minCoef, Exp: -100}, {Coef: maxCoef}, {Coef: minCoef}, {}, {Exp: 127}, {Exp: -128},
			{Coef: minCoef, Exp: -128}, {Coef: 1, Exp: 127},
		} {
			for id := range quantity.Count() {
				th.Decide(noon(float64(i)), -time.Hour, quantity.ID(id), n, uint8(i%2*255), "")
				th.Decide(time.Time{}, 1<<62, quantity.ID(id), n, 3, "")
			}
		}
	}
}

// TestDecideNumbersOutOfRange tests that all positive numbers above maxValue count as equal, and that numbers below it do not.
func TestDecideNumbersOutOfRange(t *testing.T) {
	th, id := throttle.New(new(throttle.Plan)), quantity.ImportEnergy
	for i, tt := range []struct {
		number obis.Decimal
		want   throttle.Decision
	}{
		{obis.Decimal{Coef: 1, Exp: 100}, publish},
		{obis.Decimal{Coef: 2, Exp: 17}, repeat},
		{obis.Decimal{Coef: -1, Exp: 100}, publish},
		{obis.Decimal{Coef: 4_000_000_000_000_000_000, Exp: -3}, publish},
		{obis.Decimal{Coef: 4_000_000_000_000_000_001, Exp: -3}, publish},
	} {
		if got := th.Decide(noon(float64(i)), time.Second, id, tt.number, 3, ""); got != tt.want {
			t.Errorf("%v: got %v, want %v", tt.number, got, tt.want)
		}
	}
}

// decideTelegram passes the nth telegram to a Throttle: one value of every quantity, each different from the one before.
func decideTelegram(th *throttle.Throttle, n int64) {
	now := noon(0).Add(time.Duration(n) * time.Second)
	for id := range quantity.Count() {
		th.Decide(now, time.Second, quantity.ID(id), obis.Decimal{Coef: 230_000 + n*7919%1000, Exp: -2}, 1, tariffs[n%2])
	}
}

var tariffs = [...]string{"0001", "0002"}

// TestDecideAllocs tests that Decide does not allocate memory after the first telegram. AllocsPerRun does not count the first call.
func TestDecideAllocs(t *testing.T) {
	for _, preset := range []throttle.Preset{throttle.Realtime, throttle.Balanced, throttle.Frugal} {
		th, n := throttle.New(throttle.NewPlan(preset)), int64(0)
		if got := testing.AllocsPerRun(1000, func() { decideTelegram(th, n); n++ }); got != 0 {
			t.Errorf("%v: got %v allocations a telegram, want 0", preset, got)
		}
	}
}

// TestUnsentQuantity tests that Withheld and Forget do not allocate memory for a quantity that the meter has not sent.
func TestUnsentQuantity(t *testing.T) {
	th, plan := throttle.New(new(throttle.Plan)), new(throttle.Plan)
	baseline := testing.AllocsPerRun(100, func() { th = throttle.New(plan) })
	got := testing.AllocsPerRun(100, func() {
		th = throttle.New(plan)
		th.Forget(quantity.Gas)
		if th.Withheld(quantity.Gas) {
			t.Error("Withheld is true for a quantity that was never sent")
		}
	})
	if got != baseline {
		t.Errorf("got %v allocations, want %v, as for New alone", got, baseline)
	}
}

func BenchmarkDecide(b *testing.B) {
	th, n := throttle.New(throttle.NewPlan(throttle.Balanced)), int64(0)
	b.ReportAllocs()
	for b.Loop() {
		decideTelegram(th, n)
		n++
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(quantity.Count()), "ns/quantity")
}

// BenchmarkMemory measures the heap that a Throttle uses after a minute of telegrams of the family aidon-se.
func BenchmarkMemory(b *testing.B) {
	family, ok := simulate.Named("aidon-se")
	if !ok {
		b.Fatal("no family aidon-se")
	}
	sender, d, plan := simulate.NewMeter(family, 1, noon(0)), meter.NewDecoder(nil, meter.Options{}), throttle.NewPlan(throttle.Balanced)
	throttles := make([]*throttle.Throttle, 1000)
	before := heapInUse()
	for i := range throttles {
		throttles[i] = throttle.New(plan)
	}
	for b.Loop() {
		for range time.Minute / family.Interval {
			at, telegram := sender.Next()
			d.Reset(bytes.NewReader(telegram))
			r, err := d.Next()
			if err != nil {
				b.Fatal(err)
			}
			for _, th := range throttles {
				for i := range r.Samples {
					th.Decide(at, family.Interval, r.Samples[i].ID, r.Samples[i].Value, 3, "")
				}
			}
		}
	}
	b.ReportMetric(float64(heapInUse()-before)/float64(len(throttles)), "heap-B/meter")
	runtime.KeepAlive(throttles)
}

// heapInUse returns the bytes of the heap that are in use after a garbage collection.
func heapInUse() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
