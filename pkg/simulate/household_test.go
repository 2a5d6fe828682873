package simulate_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// midsummer is midnight in Sweden, at the beginning of a day with much sun.
var midsummer = time.Date(2026, 6, 11, 22, 0, 0, 0, time.UTC)

// TestAdvanceInAnySteps checks that a household in small steps has the same state as a household in one step.
func TestAdvanceInAnySteps(t *testing.T) {
	const day = 24 * 60 * 60
	r := rand.New(rand.NewPCG(1, 2))
	start := midsummer.Add(17*time.Minute + 300*time.Millisecond)
	stepwise := simulate.NewHousehold(7, start, 3)
	for elapsed := 0; elapsed < day; {
		elapsed += 1 + r.IntN(4000)
		now := start.Add(time.Duration(elapsed) * time.Second)
		stepwise.Advance(now)
		stepwise.Advance(start) // a time in the past changes nothing
		direct := simulate.NewHousehold(7, start, 3)
		direct.Advance(now)
		if got, want := stepwise.State(), direct.State(); got != want {
			t.Fatalf("after %d s: got %+v, want %+v", elapsed, got, want)
		}
	}
}

func TestSeedsDiffer(t *testing.T) {
	a, b := simulate.NewHousehold(1, midsummer, 3), simulate.NewHousehold(2, midsummer, 3)
	if a.State() == b.State() {
		t.Error("two seeds give the same state")
	}
}

// TestEnergiesAreTheSumOfThePowers adds up the powers of each second and compares the sums with the counters.
func TestEnergiesAreTheSumOfThePowers(t *testing.T) {
	for _, phases := range []int{1, 3} {
		start := midsummer.Add(-time.Hour)
		h := simulate.NewHousehold(3, start, phases)
		first := h.State()
		want, hourly := first.Energies, first.Energies
		for at := start.Add(time.Second); !at.After(start.Add(26 * time.Hour)); at = at.Add(time.Second) {
			h.Advance(at)
			s := h.State()
			watts, vars := s.Power[0]+s.Power[1]+s.Power[2], s.ReactivePower[0]+s.ReactivePower[1]+s.ReactivePower[2]
			want.Import += max(watts, 0)
			want.Export += max(-watts, 0)
			want.ImportReactive += max(vars, 0)
			want.ExportReactive += max(-vars, 0)
			if at.Equal(at.Truncate(time.Hour)) {
				hourly = want
			}
			if s.Energies != want || s.HourEnergies != hourly || !s.Time.Equal(at) || !s.Hour.Equal(at.Truncate(time.Hour)) {
				t.Fatalf("%d phases, %v: got %+v, want energies %+v, at the hour %+v", phases, at, s, want, hourly)
			}
		}
		if want.Import == first.Energies.Import || want.Export == first.Energies.Export ||
			want.ImportReactive == first.Energies.ImportReactive || want.ExportReactive == first.Energies.ExportReactive {
			t.Errorf("%d phases: a counter did not increase in 26 hours: %+v at the start, %+v at the end", phases, first.Energies, want)
		}
	}
}

// TestADayInJune checks, for several seeds, that a day has all features that addFeatures knows, because other tests need days with these
// features. Voltages and currents must be plausible.
func TestADayInJune(t *testing.T) {
	for seed := range uint64(20) {
		h := simulate.NewHousehold(seed, midsummer, 3)
		seen := map[string]bool{}
		for second := range 24 * 60 * 60 / 10 {
			h.Advance(midsummer.Add(time.Duration(second) * 10 * time.Second))
			s := h.State()
			addFeatures(&s, seen)
			for i, v := range s.Voltage {
				if v < 2070 || v > 2530 {
					t.Fatalf("seed %d, %v: L%d has %d.%d V, outside of 230 V ± 10 %%", seed, s.Time, i+1, v/10, v%10)
				}
				if c := s.Current[i]; c > 25_000 || c < -25_000 {
					t.Fatalf("seed %d, %v: L%d has %d mA, more than a fuse of 25 A allows", seed, s.Time, i+1, c)
				}
				if s.Power[i] < 0 != (s.Current[i] < 0) {
					t.Fatalf("seed %d, %v: L%d has %d W and %d mA, which differ in sign", seed, s.Time, i+1, s.Power[i], s.Current[i])
				}
			}
		}
		for _, feature := range []string{"car", "export at noon", "dinner", "import and export in one second", "inductive", "capacitive", "low voltage"} {
			if !seen[feature] {
				t.Errorf("seed %d: the day has no second with the feature %q", seed, feature)
			}
		}
	}
}

// addFeatures adds the features of one second to seen.
func addFeatures(s *simulate.State, seen map[string]bool) {
	watts, vars := s.Net()
	hour := s.Time.Hour()
	lowest, highest := min(s.Power[0], s.Power[1], s.Power[2]), max(s.Power[0], s.Power[1], s.Power[2])
	add := func(feature string, isPresent bool) { seen[feature] = seen[feature] || isPresent }
	add("car", (hour >= 22 || hour < 3) && watts > 11_000 && lowest > 3600)
	add("export at noon", hour == 10 && watts < -2000 && highest < 0)
	add("dinner", hour >= 15 && hour < 19 && highest > 1000)
	add("import and export in one second", lowest < -100 && highest > 100)
	add("inductive", vars > 200)
	add("capacitive", vars < -100)
	add("low voltage", highest > 3600 && min(s.Voltage[0], s.Voltage[1], s.Voltage[2]) < 2290)
}

// TestLittleSunInDecember checks that a household imports more and exports less in winter than in summer.
func TestLittleSunInDecember(t *testing.T) {
	energy := func(start time.Time) (imported, exported int64) {
		h := simulate.NewHousehold(5, start, 3)
		before := h.State().Energies
		h.Advance(start.Add(24 * time.Hour))
		after := h.State().Energies
		return after.Import - before.Import, after.Export - before.Export
	}
	winterImport, winterExport := energy(time.Date(2026, 12, 20, 23, 0, 0, 0, time.UTC))
	summerImport, summerExport := energy(midsummer)
	if winterImport <= summerImport || winterExport*5 >= summerExport {
		t.Errorf("got import of %d Ws in winter and %d Ws in summer, want more in winter", winterImport, summerImport)
		t.Errorf("got export of %d Ws in winter and %d Ws in summer, want less than a fifth in winter", winterExport, summerExport)
	}
}

// TestOnePhase checks that L2 and L3 are zero in a household of one phase.
func TestOnePhase(t *testing.T) {
	h := simulate.NewHousehold(5, midsummer, 1)
	for range 24 * 60 {
		h.Advance(h.State().Time.Add(time.Minute))
		s := h.State()
		for i := 1; i < 3; i++ {
			if s.Power[i] != 0 || s.ReactivePower[i] != 0 || s.Voltage[i] != 0 || s.Current[i] != 0 {
				t.Fatalf("%v: L%d is not zero: %+v", s.Time, i+1, s)
			}
		}
	}
}

func BenchmarkDay(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		h := simulate.NewHousehold(1, midsummer, 3)
		h.Advance(midsummer.Add(24 * time.Hour))
	}
}
