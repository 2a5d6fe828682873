package meter_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/pkg/meter"
)

// TestCurrentExponentsLearned tests that the Decoder learns the exponent of currents from one telegram, and uses it for later telegrams of the same
// meter. want has the currents of each telegram, and "-" for a telegram without currents.
func TestCurrentExponentsLearned(t *testing.T) {
	const (
		volts = "32.7.0=231 52.7.0=230 72.7.0=232 "
		// Landis+Gyr: the E570 sends currents in A, the E450 in 0.01 A. noLoad and zero fit both.
		e570     = landisgyr + volts + "1.7.0=181250 31.7.0=310 51.7.0=255 71.7.0=240"
		noLoad   = landisgyr + volts + "1.7.0=0 31.7.0=4 51.7.0=0 71.7.0=0"
		zero     = landisgyr + volts + "1.7.0=0 31.7.0=0 51.7.0=0 71.7.0=0"
		e450     = landisgyr + volts + "1.7.0=1830 31.7.0=310 51.7.0=255 71.7.0=240"
		e450High = landisgyr + volts + "1.7.0=9150 31.7.0=1550 51.7.0=1275 71.7.0=1200"
		// Kamstrup without a type number, with serial number 20000001 or 20000002. load is from a meter with current transformers, in mA. direct is
		// from a direct meter, in 0.01 A. standby and cancel fit both.
		meter1  = kamstrupList + "1-1:0.0.5=20000001 "
		meter2  = kamstrupList + "1-1:0.0.5=20000002 "
		load    = "1.7.0=41200 3.7.0=9100 " + volts + "31.7.0=61120 51.7.0=72930 71.7.0=47470"
		direct  = "1.7.0=4120 3.7.0=910 " + volts + "31.7.0=612 51.7.0=730 71.7.0=475"
		standby = "1.7.0=2 3.7.0=4 " + volts + "31.7.0=71 51.7.0=30 71.7.0=0"
		cancel  = "1.7.0=437 3.7.0=120 " + volts + "31.7.0=1090 51.7.0=900 71.7.0=10"
	)
	for _, tt := range []struct {
		name      string
		telegrams []string
		want      string
	}{
		{"no load before and after", []string{noLoad, e570, noLoad, zero}, "- | 310 255 240 | 4 0 0 | 0 0 0"},
		{"zero before", []string{zero, e450, zero}, "0.00 0.00 0.00 | 3.10 2.55 2.40 | 0.00 0.00 0.00"},
		{"meter with current transformers, standby before and after", []string{meter1 + standby, meter1 + load, meter1 + standby}, "- | 61.120 72.930 47.470 | 0.071 0.030 0.000"},
		{"import and export cancel before and after", []string{meter1 + cancel, meter1 + direct, meter1 + cancel}, "- | 6.12 7.30 4.75 | 10.90 9.00 0.10"},
		{"two contradicting telegrams in a row change nothing", []string{meter1 + load, meter1 + direct, meter1 + direct, meter1 + load, meter1 + direct, meter1 + standby},
			"61.120 72.930 47.470 | - | - | 61.120 72.930 47.470 | - | 0.071 0.030 0.000"},
		{"three contradicting telegrams replace the exponent", []string{meter1 + load, meter1 + direct, meter1 + standby, meter1 + direct, meter1 + direct, meter1 + standby},
			"61.120 72.930 47.470 | - | 0.071 0.030 0.000 | - | 6.12 7.30 4.75 | 0.71 0.30 0.00"},
		{"after another serial number, the exponent is learned again", []string{meter1 + load, meter2 + standby, meter2 + direct}, "61.120 72.930 47.470 | - | 6.12 7.30 4.75"},
		{"a list without a serial number is of the same meter", []string{meter1 + load, kamstrupList + standby}, "61.120 72.930 47.470 | 0.071 0.030 0.000"},
		{"after another make, the exponent is learned again", []string{e450, meter1 + standby}, "3.10 2.55 2.40 | -"},
		{"after another type number, the exponent of the type is used", []string{meter1 + "1-1:96.1.1=6851 " + load, meter1 + "1-1:96.1.1=6841 " + standby}, "61.120 72.930 47.470 | 0.71 0.30 0.00"},
		{"a power that fits no exponent gives no currents, and the Decoder learns nothing", append(slices.Repeat([]string{landisgyr + volts + "1.7.0=181250 31.7.0=31 51.7.0=25 71.7.0=24"}, 5), e450, e450High),
			"- | - | - | - | - | 3.10 2.55 2.40 | 15.50 12.75 12.00"},
		{"after learning A, a power for 0.01 A is no contradiction, because the phases possibly cancel", []string{e570, e450, e450, e450, e450},
			"310 255 240 | 310 255 240 | 310 255 240 | 310 255 240 | 310 255 240"},
	} {
		if got := decodeCurrents(t, meter.NewDecoder(nil, meter.Options{AcceptUnverified: true}), tt.telegrams...); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

// TestSetCurrentScaling tests that a Decoder uses the exponent that another Decoder has learned, but only for telegrams of the same meter.
func TestSetCurrentScaling(t *testing.T) {
	const (
		load    = "1.7.0=41200 3.7.0=9100 32.7.0=231 31.7.0=61120 51.7.0=72930 71.7.0=47470"
		standby = "1.7.0=2 3.7.0=4 32.7.0=231 31.7.0=71 51.7.0=30 71.7.0=0"
		id      = kamstrupList + "1-1:0.0.5=20000001 "
	)
	learner := meter.NewDecoder(nil, meter.Options{AcceptUnverified: true})
	if got := learner.CurrentScaling(); got != (meter.CurrentScaling{}) {
		t.Errorf("new Decoder: got %+v, want the zero value", got)
	}
	decodeCurrents(t, learner, id+standby)
	if got := learner.CurrentScaling(); got != (meter.CurrentScaling{}) {
		t.Errorf("after a telegram at standby: got %+v, want the zero value", got)
	}
	decodeCurrents(t, learner, id+load)
	learned := learner.CurrentScaling()
	if want := (meter.CurrentScaling{Family: "kamstrup", Serial: "20000001", List: "Kamstrup_V0001", Exponent: -3, Found: true}); learned != want {
		t.Errorf("after a telegram with a load: got %+v, want %+v", learned, want)
	}
	for _, tt := range []struct{ name, items, want string }{
		{"the same meter", id + standby, "0.071 0.030 0.000"},
		{"another serial number", kamstrupList + "1-1:0.0.5=20000002 " + standby, "-"},
		{"another make", landisgyr + standby, "-"},
	} {
		d := meter.NewDecoder(nil, meter.Options{AcceptUnverified: true})
		d.SetCurrentScaling(learned)
		if got := decodeCurrents(t, d, tt.items); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestCurrentExponentsNeverWrong tests, with random loads, that a reading has the right currents or no currents. Each phase imports or exports with a
// power factor of at least 0.92. The meter rounds its values. In some runs it does not send the powers of the phases or the reactive power.
func TestCurrentExponentsNeverWrong(t *testing.T) {
	published := 0
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.SampledFrom([]randomMeter{
			// identification, exponent, number of phases, maximum current in A
			{kamstrupList, -3, 3, 400}, {kamstrupList, -2, 3, 100}, {kamstrupList, -3, 1, 400}, {kamstrupList, -2, 1, 100},
			{landisgyr, 0, 3, 1000}, {landisgyr, -2, 3, 100}, {landisgyr, 0, 1, 1000}, {landisgyr, -2, 1, 100},
		}).Draw(t, "meter")
		phasePowers, reactive := rapid.Bool().Draw(t, "power of each phase"), rapid.Bool().Draw(t, "reactive power")
		d := meter.NewDecoder(nil, meter.Options{AcceptUnverified: true})
		for range rapid.IntRange(1, 6).Draw(t, "telegrams") {
			load := rapid.Custom(func(t *rapid.T) randomLoad { return m.load(t, phasePowers, reactive) }).Filter(m.isDecidable).Draw(t, "load")
			items, want := load.items, load.currents
			d.Reset(strings.NewReader(pairTelegram(t, m.identification+items)))
			r, err := d.Next()
			if err != nil {
				t.Fatal(err)
			}
			got := currentsOf(r)
			noCurrents, onlyZeros := got == "-", strings.Trim(got, "0. ") == "" // currents of 0 are right with any exponent
			switch {
			case got == want:
				published++
			case !noCurrents && !onlyZeros:
				t.Fatalf("%s: got %s, want %s", items, got, want)
			}
		}
	})
	if published < 100 {
		t.Errorf("got %d readings with currents, want at least 100", published)
	}
}

// A randomMeter is a meter whose lists do not show the exponent of its currents.
type randomMeter struct {
	identification string // items from which the Decoder knows the make
	exp, phases    int    // exponent of the currents, number of phases
	maxAmps        float64
}

// A randomLoad is the content of a list.
type randomLoad struct {
	items    string  // the items, for pairTelegram
	currents string  // the right currents as they are published
	netRatio float64 // total power divided by the sum of the apparent powers of the phases
}

// isDecidable reports whether a wrong exponent cannot fit better than the right exponent. Meters of Landis+Gyr send A or 0.01 A. If the total power
// is less than 2 % of the apparent powers, a load in A looks like a load in 0.01 A.
func (m *randomMeter) isDecidable(l randomLoad) bool {
	return m.identification != landisgyr || l.netRatio >= 0.02
}

// load draws a load. If phasePowers is true, the list has the power of each phase. If reactive is true, it has the reactive power.
func (m *randomMeter) load(t *rapid.T, phasePowers, reactive bool) randomLoad {
	var watts, vars, sum float64
	var items, currents []string
	cancels := rapid.Bool().Draw(t, "cancels")
	for i := range m.phases {
		group := 20 * (i + 1) // of L1: 21 is import, 22 export, 31 current, 32 voltage
		volts := rapid.IntRange(215, 245).Draw(t, "V")
		a := math.Pow(10, rapid.Float64Range(-2, math.Log10(m.maxAmps)).Draw(t, "log A"))
		angle := rapid.Float64Range(-0.4, 0.4).Draw(t, "angle")
		p, q := float64(volts)*a*math.Cos(angle), float64(volts)*a*math.Sin(angle)
		if rapid.Bool().Draw(t, "exports") {
			p = -p
		}
		opposite := -watts * rapid.Float64Range(0.5, 1.5).Draw(t, "part of the power of L1 and L2")
		oppositeAmps := math.Hypot(opposite, opposite*math.Tan(angle)) / float64(volts)
		if isL3 := i == 2; isL3 && cancels && oppositeAmps < m.maxAmps { // L3 cancels most of the power of L1 and L2
			a, p, q = oppositeAmps, opposite, opposite*math.Tan(angle)
		}
		watts, vars, sum = watts+p, vars+q, sum+float64(volts)*a
		raw := math.Round(a * math.Pow10(-m.exp))
		items = append(items, fmt.Sprintf("%d.7.0=%d %d.7.0=%.0f", group+12, volts, group+11, raw))
		if phasePowers {
			items = append(items, fmt.Sprintf("%d.7.0=%.0f %d.7.0=%.0f", group+1, max(p, 0), group+2, max(-p, 0)))
		}
		currents = append(currents, fmt.Sprintf("%.*f", -m.exp, raw*math.Pow10(m.exp)))
	}
	items = append(items, fmt.Sprintf("1.7.0=%.0f 2.7.0=%.0f", max(watts, 0), max(-watts, 0)))
	if reactive {
		items = append(items, fmt.Sprintf("3.7.0=%.0f 4.7.0=%.0f", max(vars, 0), max(-vars, 0)))
	}
	return randomLoad{strings.Join(items, " "), strings.Join(currents, " "), math.Abs(watts) / sum}
}
