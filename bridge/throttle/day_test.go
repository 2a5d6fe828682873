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
	// Local midnights of a day with clouds before a high sun, of a dark one, and of one between.
	summer = time.Date(2026, time.June, 11, 22, 0, 0, 0, time.UTC)
	winter = time.Date(2026, time.December, 11, 23, 0, 0, 0, time.UTC)
	spring = time.Date(2026, time.March, 11, 23, 0, 0, 0, time.UTC)
)

// TestADayOfAMeter reads a day of telegrams, one each second, as the bridge does.
func TestADayOfAMeter(t *testing.T) {
	tests := []struct {
		family string
		start  time.Time
		every  time.Duration
		most   int // % of the changes
	}{
		{"aidon-se", summer, time.Second, 5},
		{"p1-se-aidon", winter, time.Second, 5},
		{"p1-nl-5", summer, time.Second, 5},
		{"aidon-se", spring, 10 * time.Second, 40},
		{"kamstrup-se", summer, 5 * time.Second, 25},
	}
	for _, tt := range tests {
		if raced && tt.every < 10*time.Second {
			continue
		}
		t.Run(tt.family+" "+tt.start.Month().String()+" "+tt.every.String(), func(t *testing.T) {
			t.Parallel()
			c := readDay(t, throttle.NewPlan(throttle.Balanced), tt.family, tt.start, tt.every)
			c.judge(tt.most)
			if q := c.all[quantity.ImportPower]; q.telegrams != int(24*time.Hour/tt.every) {
				t.Errorf("got %d telegrams", q.telegrams)
			}
			if q := c.all[quantity.ImportEnergy]; q.hours != 23 {
				t.Errorf("got %d hours that began, want 23", q.hours)
			}
		})
	}
}

// readDay follows a day of telegrams of a family, sent so often.
func readDay(t *testing.T, plan *throttle.Plan, family string, start time.Time, every time.Duration) *courses {
	t.Helper()
	f, ok := simulate.Named(family)
	if !ok {
		t.Fatalf("no family %s", family)
	}
	f.Interval = every
	m, c := simulate.NewMeter(f, 1, start), newCourses(t, plan, every)
	var wire bytes.Reader
	d := meter.NewDecoder(nil, meter.Options{})
	decimals := map[quantity.ID]uint8{}
	for range 24 * time.Hour / every {
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
			c.take(at, s.ID, s.Value, decimals[s.ID], string(s.Text))
		}
	}
	return c
}

// TestTheMeanOfAnyHousehold tries many households, among them some whose net power cancels out to a watt over the day.
func TestTheMeanOfAnyHousehold(t *testing.T) {
	seeds := uint64(20)
	if raced {
		seeds = 2
	}
	for seed := range seeds {
		start := []time.Time{summer, winter, spring}[seed%3]
		t.Run(start.Month().String(), func(t *testing.T) {
			t.Parallel()
			liveDay(t, throttle.NewPlan(throttle.Balanced), seed, start).judge(5)
		})
	}
}

// liveDay follows the powers of a household, second by second.
func liveDay(t *testing.T, plan *throttle.Plan, seed uint64, start time.Time) *courses {
	c, house := newCourses(t, plan, time.Second), simulate.NewHousehold(seed, start, 3)
	shown := registers(t)
	for second := range 24 * 60 * 60 {
		now := start.Add(time.Duration(second) * time.Second)
		house.Advance(now)
		s := house.State()
		for _, r := range shown {
			v, ok := s.Value(r.code)
			if !ok {
				t.Fatalf("%v: the household does not know it", r.id)
			}
			c.take(now, r.id, v, 0, "")
		}
	}
	return c
}

type register struct {
	id   quantity.ID
	code obis.Code
}

// registers are active and reactive power, of all and of each phase. A power of one quadrant alone may be there for some
// seconds of a day: nobody can make up for it on that day.
func registers(t *testing.T) []register {
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

func named(t interface{ Fatalf(string, ...any) }, name string) quantity.ID {
	id, ok := quantity.ByName(name)
	if !ok {
		t.Fatalf("no quantity %s", name)
	}
	return id
}
