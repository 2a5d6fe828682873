package throttle_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

var (
	// Midnights in Sweden, at the beginning of a sunny day with clouds, of a dark day, and of a day between the two.
	summer = time.Date(2026, time.June, 11, 22, 0, 0, 0, time.UTC)
	winter = time.Date(2026, time.December, 11, 23, 0, 0, 0, time.UTC)
	spring = time.Date(2026, time.March, 11, 23, 0, 0, 0, time.UTC)
)

// TestDayOfTelegrams tests that the telegrams of a whole day give few states, but right means and hourly counters.
func TestDayOfTelegrams(t *testing.T) {
	tests := []struct {
		family     string
		start      time.Time
		interval   time.Duration
		maxPercent int // states in percent of the changes
	}{
		{"aidon-se", summer, time.Second, 5},
		{"p1-se-aidon", winter, time.Second, 5},
		{"p1-nl-5", summer, time.Second, 5},
		{"aidon-se", spring, 10 * time.Second, 40},
		{"kamstrup-se", summer, 5 * time.Second, 25},
	}
	for _, tt := range tests {
		if raceDetector && tt.interval < 10*time.Second {
			continue
		}
		t.Run(tt.family+" "+tt.start.Month().String()+" "+tt.interval.String(), func(t *testing.T) {
			t.Parallel()
			h := decodeDay(t, throttle.NewPlan(throttle.Balanced), tt.family, tt.start, tt.interval)
			h.check(tt.maxPercent)
			if q := h.quantities[quantity.ImportPower]; q.telegrams != int(24*time.Hour/tt.interval) {
				t.Errorf("got %d telegrams, want one each %v", q.telegrams, tt.interval)
			}
			if q := h.quantities[quantity.ImportEnergy]; q.hours != 23 {
				t.Errorf("got %d hours that began, want 23", q.hours)
			}
		})
	}
}

// decodeDay decodes a day of telegrams of a simulated family, one at each interval, and passes all values to a hub.
func decodeDay(t *testing.T, plan *throttle.Plan, family string, start time.Time, interval time.Duration) *hub {
	t.Helper()
	f, ok := simulate.Named(family)
	if !ok {
		t.Fatalf("no family %s", family)
	}
	f.Interval = interval
	m, h := simulate.NewMeter(f, 1, start), newHub(t, plan, interval)
	var wire bytes.Reader
	d := meter.NewDecoder(nil, meter.Options{})
	decimals := map[quantity.ID]uint8{}
	for range 24 * time.Hour / interval {
		at, telegram := m.Next()
		wire.Reset(telegram)
		d.Reset(&wire)
		r, err := d.Next()
		if err != nil {
			t.Fatal(err)
		}
		for i := range r.Samples {
			s := &r.Samples[i]
			if _, known := decimals[s.ID]; !known {
				decimals[s.ID] = uint8(s.Decimals())
			}
			h.add(at, s.ID, s.Value, decimals[s.ID], string(s.Text))
		}
	}
	return h
}

// TestMeansOfHouseholds tests that the means are right for many households, also if import and export of a day cancel to a watt.
func TestMeansOfHouseholds(t *testing.T) {
	seeds := uint64(20)
	if raceDetector {
		seeds = 2
	}
	for seed := range seeds {
		start := []time.Time{summer, winter, spring}[seed%3]
		t.Run(start.Month().String(), func(t *testing.T) {
			t.Parallel()
			simulateDay(t, throttle.NewPlan(throttle.Balanced), seed, start).check(5)
		})
	}
}

// simulateDay passes the powers of a household to a hub, each second of a day.
func simulateDay(t *testing.T, plan *throttle.Plan, seed uint64, start time.Time) *hub {
	h, house := newHub(t, plan, time.Second), simulate.NewHousehold(seed, start, 3)
	powers := powerRegisters(t)
	for second := range 24 * 60 * 60 {
		now := start.Add(time.Duration(second) * time.Second)
		house.Advance(now)
		s := house.State()
		for _, r := range powers {
			v, ok := s.Value(r.code)
			if !ok {
				t.Fatalf("%v: the household does not have it", r.id)
			}
			h.add(now, r.id, v, 0, "")
		}
	}
	return h
}

// A register is a quantity and its code in the simulated household.
type register struct {
	id   quantity.ID
	code obis.Code
}

// powerRegisters returns active and reactive power, of the whole meter and of each phase. It leaves out the reactive powers of one
// quadrant. Such a power can flow for only some seconds of a day, which is too short for its mean to come out right on that day.
func powerRegisters(t *testing.T) []register {
	t.Helper()
	var all []register
	for i := range quantity.Rows() {
		row := &quantity.Rows()[i]
		if row.Kind != quantity.Power || row.Codes[0][1] != 7 {
			continue
		}
		c := row.Codes[0][0]
		if group := c % 20; group <= 4 || group == 16 {
			all = append(all, register{quantity.ID(i), obis.Code{1, 0, c, 7, 0, obis.Any}})
		}
	}
	if len(all) != 4*5 {
		t.Fatalf("got %d powers, want 20", len(all))
	}
	return all
}

// named returns the ID of a quantity by its name.
func named(t interface{ Fatalf(string, ...any) }, name string) quantity.ID {
	id, ok := quantity.ByName(name)
	if !ok {
		t.Fatalf("no quantity %s", name)
	}
	return id
}
