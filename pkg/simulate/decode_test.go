package simulate_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// A shape is what a family's telegrams must hold.
type shape struct {
	family string
	// bytes is the length on the wire while no current is negative; 0 where lists of several lengths take turns.
	bytes int
	// samples counts the quantities with those that follow from them; 0 where it changes with the list.
	samples int
	// energy is the exponent of the last digit of counters, in kWh.
	energy int8
	// signed is for currents that are negative towards the grid.
	signed bool
	clock  func(*simulate.State) obis.Time
	meter  meter.Meter
}

var shapes = []shape{
	{"aidon-se", 581, 30, -3, true, normalTime, meter.Meter{Make: "Aidon"}},
	{"aidon-se-1p", 337, 16, -3, true, normalTime, meter.Meter{Make: "Aidon"}},
	{"aidon-no", 0, 0, -2, true, nil, meter.Meter{}},
	{"aidon-no1", 44, 1, 0, true, noTime, meter.Meter{Make: "Aidon"}},
	{"aidon-no2", 288, 11, 0, true, noTime, norwegian("6534")},
	{"aidon-no3", 396, 15, -2, true, hourOnTheWall, norwegian("6534")},
	{"aidon-no2-1p", 212, 7, 0, true, noTime, norwegian("6515")},
	{"aidon-no3-3w", 377, 14, -2, true, hourOnTheWall, norwegian("6525")},
	{"p1-se-aidon", 705, 30, -3, false, normalTime, meter.Meter{Make: "Aidon", Model: "6534"}},
	{"p1-se-aidon-1p", 413, 16, -3, false, normalTime, meter.Meter{Make: "Aidon", Model: "6515"}},
	{"p1-se-aidon-6560", 719, 30, -6, false, normalTime, meter.Meter{Make: "Aidon", Model: "6560"}},
	{"p1-se-kamstrup", 700, 30, -3, false, summerTime, meter.Meter{Make: "Kamstrup"}},
	{"p1-se-kaifa", 711, 30, -3, false, normalTime, meter.Meter{Make: "Kaifa", Model: "KAIFA-METER"}},
	{"p1-se-landisgyr", 704, 30, -3, false, normalTime, meter.Meter{Make: "Landis+Gyr", Model: "E360"}},
	{"p1-se-sagemcom", 712, 30, -3, false, normalTime, meter.Meter{Make: "Sagemcom", Model: "00000001_A"}},
	{"p1-fi-aidon", 705, 30, -3, true, finnishSummer, meter.Meter{Make: "Aidon", Model: "7534"}},
}

func norwegian(model string) meter.Meter {
	return meter.Meter{Make: "Aidon", Model: model, Serial: "7359990000000001", List: "AIDON_V0001"}
}

func wall(t time.Time, hours int) obis.Time {
	return obis.FromTime(t.In(time.FixedZone("", hours*60*60)))
}

func normalTime(s *simulate.State) obis.Time { return wall(s.Time, 1) }
func summerTime(s *simulate.State) obis.Time { return wall(s.Time, 2) }
func noTime(*simulate.State) obis.Time       { return obis.Time{} }

// finnishSummer has the letter of summer time, which is read as that of Central Europe.
func finnishSummer(s *simulate.State) obis.Time {
	c := wall(s.Time, 3)
	c.Offset = 120
	return c
}

func hourOnTheWall(s *simulate.State) obis.Time {
	c := wall(s.Hour, 2)
	c.Zone, c.Offset = false, 0
	return c
}

// TestDecoded sends some hours through the decoder and compares every sample, whatever the chunks in which they come.
func TestDecoded(t *testing.T) {
	for _, sh := range shapes {
		t.Run(sh.family, func(t *testing.T) {
			f, ok := simulate.Named(sh.family)
			if !ok {
				t.Fatal("no such family")
			}
			states, stream := record(f, 80)
			for name, r := range map[string]io.Reader{
				"whole":  bytes.NewReader(stream),
				"bytes":  iotest.OneByteReader(bytes.NewReader(stream)),
				"chunks": &chunks{r: bytes.NewReader(stream), random: rand.New(rand.NewPCG(3, 4))},
			} {
				d := meter.NewDecoder(r)
				for i := range states {
					reading, err := d.Next()
					if err != nil {
						t.Fatalf("%s: telegram %d: %v", name, i, err)
					}
					sh.check(t, f, &states[i], reading)
				}
				if _, err := d.Next(); !errors.Is(err, io.EOF) {
					t.Errorf("%s: got %v at the end, want EOF", name, err)
				}
			}
		})
	}
}

func TestEveryFamilyIsDecoded(t *testing.T) {
	for i, f := range simulate.Families() {
		if i >= len(shapes) || shapes[i].family != f.Name {
			t.Errorf("%s has no shape in its place in this test", f.Name)
		}
		if f.Title == "" || f.Line == "" || f.Interval <= 0 || f.Phases < 1 || f.Ratio < 1 {
			t.Errorf("%s says too little about itself: %+v", f.Name, f)
		}
	}
	if _, ok := simulate.Named("p1-se"); ok {
		t.Error("part of a name is taken for a family")
	}
}

// record returns n telegrams at uneven times over some hours of a day with sun, and what they tell.
func record(f simulate.Family, n int) (states []simulate.State, stream []byte) {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	at := midsummer.Add(3*time.Hour + 1234*time.Millisecond)
	h := simulate.New(11, at, f.Phases)
	for range n {
		at = at.Add(time.Duration(r.Int64N(int64(25 * time.Minute))))
		h.Advance(at)
		s := h.State()
		states = append(states, s)
		stream = f.Append(stream, &s)
	}
	return states, stream
}

// chunks reads from r in pieces of random length.
type chunks struct {
	r      io.Reader
	random *rand.Rand
}

func (c *chunks) Read(p []byte) (int, error) {
	return c.r.Read(p[:min(len(p), 1+c.random.IntN(300))])
}

func (sh *shape) check(t *testing.T, f simulate.Family, s *simulate.State, got *meter.Reading) {
	t.Helper()
	if want := sh.samples; want > 0 && len(got.Samples) != want {
		t.Errorf("%v: got %d samples, want %d", s.Time, len(got.Samples), want)
	}
	if sh.clock != nil {
		if want := sh.clock(s); got.Time != want {
			t.Errorf("%v: got clock %+v, want %+v", s.Time, got.Time, want)
		}
		if got.Meter != sh.meter {
			t.Errorf("got meter %+v, want %+v", got.Meter, sh.meter)
		}
	}
	if want := sh.length(s); want > 0 && got.Bytes != want {
		t.Errorf("%v: got %d bytes, want %d", s.Time, got.Bytes, want)
	}
	values := sh.values(s, f.Ratio)
	for i := range got.Samples {
		sample := &got.Samples[i]
		if want, ok := values[sample.ID.String()]; !ok || sample.Value.Cmp(want) != 0 {
			t.Errorf("%v: %s: got %v, want %v", s.Time, sample.ID, sample.Value, want)
		}
	}
}

// length returns that of a telegram. A minus sign is one byte more.
func (sh *shape) length(s *simulate.State) int {
	if sh.bytes == 0 || !strings.HasPrefix(sh.family, "p1-") {
		return sh.bytes
	}
	n := sh.bytes
	for _, mA := range s.Current {
		if sh.current(mA, 1).Sign() < 0 {
			n++
		}
	}
	return n
}

// values returns all that a state says, by the names of quantities, as a meter of this shape rounds it.
func (sh *shape) values(s *simulate.State, ratio int64) map[string]obis.Decimal {
	v := map[string]obis.Decimal{}
	power := func(kind, phase string, net int64) {
		v["import_"+kind+phase] = obis.Decimal{Coef: max(net, 0) * 1000 / ratio, Exp: -3}
		v["export_"+kind+phase] = obis.Decimal{Coef: max(-net, 0) * 1000 / ratio, Exp: -3}
		v["net_"+kind+phase] = obis.Decimal{Coef: net * 1000 / ratio, Exp: -3}
	}
	power("power", "", s.Power[0]+s.Power[1]+s.Power[2])
	power("reactive_power", "", s.Reactive[0]+s.Reactive[1]+s.Reactive[2])
	for i := range 3 {
		phase := "_l" + strconv.Itoa(i+1)
		power("power", phase, s.Power[i])
		power("reactive_power", phase, s.Reactive[i])
		v["voltage"+phase] = obis.Decimal{Coef: s.Voltage[i], Exp: -1}
		v["current"+phase] = sh.current(s.Current[i], ratio)
	}
	e := s.Energies
	if sh.energy == -2 {
		e = s.HourEnergies
	}
	v["import_energy"] = sh.counter(e.Import, ratio)
	v["export_energy"] = sh.counter(e.Export, ratio)
	v["import_reactive_energy"] = sh.counter(e.ImportReactive, ratio)
	v["export_reactive_energy"] = sh.counter(e.ExportReactive, ratio)
	return v
}

func (sh *shape) current(mA, ratio int64) obis.Decimal {
	tenths := (max(mA, -mA) + 50*ratio) / (100 * ratio)
	if mA < 0 && sh.signed {
		tenths = -tenths
	}
	return obis.Decimal{Coef: tenths, Exp: -1}
}

func (sh *shape) counter(ws, ratio int64) obis.Decimal {
	perDigit := map[int8]int64{-2: 36_000_000, -3: 3_600_000, -6: 3600}[sh.energy] // mWs
	if perDigit == 0 {
		return obis.Decimal{Coef: -1} // this list has no counters
	}
	return obis.Decimal{Coef: ws * 1000 / (perDigit * ratio), Exp: sh.energy}
}
