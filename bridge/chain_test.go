package bridge

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/quantity"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// readingOf returns a verified reading of a family. It stays valid.
func readingOf(t testing.TB, family string) *meter.Reading {
	t.Helper()
	f, ok := simulate.Named(family)
	if !ok {
		t.Fatalf("no family %q", family)
	}
	_, telegram := simulate.NewMeter(f, 1, start).Next()
	r, err := meter.NewDecoder(bytes.NewReader(telegram), meter.Options{}).Next()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestChain checks what the chain makes of three telegrams of which the second has a counter that steps back.
func TestChain(t *testing.T) {
	c := chain{meter: "house", guard: newCounterGuard(25)}
	r := readingOf(t, "aidon-se")
	samples := slices.Clone(r.Samples)
	counter := slices.IndexFunc(samples, func(s quantity.Sample) bool { return s.ID == quantity.ImportEnergy })
	for i, step := range []int64{0, -100, 101} { // in units of the last digit
		r.Samples = slices.Clone(samples)
		r.Samples[counter].Value.Coef += step
		rejected := []int{0, 1, 0}[i]
		res, ok := c.process(r, start.Add(time.Duration(i)*time.Second))
		if !ok {
			t.Fatalf("telegram %d is refused", i+1)
		}
		got := res.telegram
		if got.Meter != "house" || got.Seq != uint64(i+1) || len(got.Values) != len(samples)-rejected || len(res.guarded.Rejected) != rejected {
			t.Errorf("telegram %d: got %+v with %d values and %d rejected, want %d and %d", i+1, got, len(got.Values), len(res.guarded.Rejected),
				len(samples)-rejected, rejected)
		}
	}
}

// TestChainRefuses checks that the chain makes nothing of a telegram that is not verified, and that no step sees it.
func TestChainRefuses(t *testing.T) {
	c := chain{meter: "house", guard: newCounterGuard(25)}
	r := readingOf(t, "aidon-se")
	r.Verified = false
	if res, ok := c.process(r, start); ok || res.telegram != nil || c.seq != 0 || c.identify.started || len(c.derive.sent) > 0 {
		t.Errorf("got %+v and ok %v, want nothing", res, ok)
	}
}

// TestTelegramsDoNotChange checks that a telegram stays as it is when the reading is overwritten and further telegrams follow.
func TestTelegramsDoNotChange(t *testing.T) {
	c := chain{meter: "house", guard: newCounterGuard(25)}
	r := readingOf(t, "p1-se-aidon")
	res, _ := c.process(r, start)
	telegram, before := res.telegram, slices.Clone(res.telegram.Values)
	for i := range r.Samples {
		r.Samples[i].Value.Coef++
	}
	c.process(r, start.Add(time.Second))
	if !slices.Equal(telegram.Values, before) || telegram.Seq != 1 {
		t.Errorf("the first telegram has changed: got %v, want %v", telegram.Values, before)
	}
}
