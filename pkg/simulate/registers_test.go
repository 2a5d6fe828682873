package simulate_test

import (
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// TestRegisters checks all registers from two days before the end of a month to the next month. The tariffs must add up to the energies, and
// the quadrants to the reactive energies. Counters must not decrease.
func TestRegisters(t *testing.T) {
	start := time.Date(2026, 5, 30, 12, 0, 0, 0, time.UTC)
	h := simulate.NewHousehold(3, start, 3)
	last := h.State()
	initialPeaks := last.Peaks
	tariffs := map[int64]bool{}
	for at := start; at.Before(start.Add(60 * time.Hour)); at = at.Add(37 * time.Second) {
		h.Advance(at)
		s := h.State()
		if got := addEnergies(s.TariffEnergies[0], s.TariffEnergies[1]); got != s.Energies {
			t.Fatalf("%v: got %+v as the sum of the tariffs, want %+v", at, got, s.Energies)
		}
		q := s.QuadrantEnergies
		if q[0]+q[1] != s.Energies.ImportReactive || q[2]+q[3] != s.Energies.ExportReactive {
			t.Fatalf("%v: quadrants %v do not add up to the reactive energies of %+v", at, q, s.Energies)
		}
		for i, v := range someCounters(&s) {
			if old := someCounters(&last)[i]; v < old {
				t.Fatalf("%v: counter %d decreased from %d to %d", at, i, old, v)
			}
		}
		if s.Frequency < 4980 || s.Frequency > 5020 {
			t.Fatalf("%v: got %d.%02d Hz, want about 50 Hz", at, s.Frequency/100, s.Frequency%100)
		}
		if s.MediaTime != s.Time.Truncate(5*time.Minute) || s.QuarterEnergy[0] < 0 || s.QuarterEnergy[0] > 900*40_000 { // 40 kW
			t.Fatalf("%v: got MediaTime %v and QuarterEnergy %v", at, s.MediaTime, s.QuarterEnergy)
		}
		tariffs[s.Tariff] = true
		last = s
	}
	if len(tariffs) != 2 || !tariffs[1] || !tariffs[2] {
		t.Errorf("got tariffs %v, want 1 and 2", tariffs)
	}
	hasJunePeak := last.Peaks[0].At.Month() == time.June && last.Peaks[0].Watts > 0
	// The peaks of May and April are at the next index. The peak of May can have increased on the last days of May.
	hasOlderPeaks := last.Peaks[1].Watts >= initialPeaks[0].Watts && last.Peaks[2] == initialPeaks[1]
	if !hasJunePeak || !hasOlderPeaks {
		t.Errorf("got peaks %v in June, want a peak of June at index 0, then the peaks of May and April from %v", last.Peaks, initialPeaks)
	}
	if first := simulate.NewHousehold(3, start, 3).State(); someCounters(&first) == someCounters(&last) {
		t.Error("no counter increased")
	}
}

func addEnergies(a, b simulate.Energies) simulate.Energies {
	return simulate.Energies{
		Import: a.Import + b.Import, Export: a.Export + b.Export,
		ImportReactive: a.ImportReactive + b.ImportReactive, ExportReactive: a.ExportReactive + b.ExportReactive,
	}
}

// someCounters returns counters of each kind: media, failures, phases, quadrants and tariffs.
func someCounters(s *simulate.State) [12]int64 {
	return [...]int64{
		s.Gas, s.Water, s.Heat, s.HourGas, s.Failures, s.LongFailures,
		s.PhaseEnergies[0].Import, s.PhaseEnergies[1].Export, s.PhaseEnergies[2].ImportReactive,
		s.QuadrantEnergies[0], s.TariffEnergies[0].Import, s.TariffEnergies[1].Export,
	}
}

// TestQuarterOfAnHour checks QuarterEnergy within a quarter of an hour. At its end, LastQuarterPower must be the increase of the energies,
// divided by 900 s.
func TestQuarterOfAnHour(t *testing.T) {
	start := midsummer.Add(18 * time.Hour) // dinner
	h := simulate.NewHousehold(3, start, 3)
	first := h.State().Energies
	h.Advance(start.Add(15*time.Minute - time.Second))
	if s := h.State(); s.QuarterEnergy[0] != s.Energies.Import-first.Import || s.QuarterEnergy[1] != s.Energies.Export-first.Export {
		t.Errorf("a second before the end of the quarter: got QuarterEnergy %v, want the increase from %+v to %+v", s.QuarterEnergy, first, s.Energies)
	}
	h.Advance(start.Add(15 * time.Minute))
	s := h.State()
	if want := (s.Energies.Import - first.Import) / 900; s.LastQuarterPower[0] != want || s.QuarterEnergy != [2]int64{} {
		t.Errorf("at the end of the quarter: got LastQuarterPower %v and QuarterEnergy %v, want %d W and zeros", s.LastQuarterPower, s.QuarterEnergy, want)
	}
}

// TestHourlyTelegram checks that Kamstrup's list 2 is sent five seconds past the hour, between two telegrams of list 1.
func TestHourlyTelegram(t *testing.T) {
	f, _ := simulate.Named("kamstrup-no")
	m := simulate.NewMeter(f, 1, midsummer.Add(-20*time.Second))
	for i, want := range []struct {
		second, bytes int
	}{{-20, 228}, {-10, 228}, {0, 228}, {5, 302}, {10, 228}, {20, 228}} {
		at, b := m.Next()
		if got := int(at.Sub(midsummer) / time.Second); got != want.second || len(b) != want.bytes {
			t.Errorf("telegram %d: got %d bytes at %d s, want %d at %d", i, len(b), got, want.bytes, want.second)
		}
	}
}
