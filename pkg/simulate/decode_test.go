package simulate_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// TestDecodedSamples decodes telegrams of every family, with reads of several sizes, and compares every sample with the state.
func TestDecodedSamples(t *testing.T) {
	for _, f := range simulate.Families() {
		t.Run(f.Name, func(t *testing.T) {
			states, stream := encodeDay(f, 80)
			for name, r := range map[string]io.Reader{
				"large reads":         bytes.NewReader(stream),
				"one byte at a time":  iotest.OneByteReader(bytes.NewReader(stream)),
				"reads of any length": &randomReader{r: bytes.NewReader(stream), random: rand.New(rand.NewPCG(3, 4))},
			} {
				d := meter.NewDecoder(r, options(f))
				for i := range states {
					reading, err := d.Next()
					if err != nil {
						t.Fatalf("%s: telegram %d: %v", name, i, err)
					}
					checkReading(t, f, &states[i], reading)
				}
				if _, err := d.Next(); !errors.Is(err, io.EOF) {
					t.Errorf("%s: got %v at the end, want EOF", name, err)
				}
			}
		})
	}
}

// options returns the decoder's options for a family. kamstrup-se needs a scale, because it sends energies in Wh. Other Kamstrup meters send
// energies in 10 Wh.
func options(f simulate.Family) meter.Options {
	o := meter.Options{Keys: []*dlms.Key{simulate.Key()}, AcceptUnverified: true}
	if f.Name != "kamstrup-se" {
		return o
	}
	o.Scale = new(quantity.Scale)
	for _, id := range []quantity.ID{quantity.ImportEnergy, quantity.ExportEnergy, quantity.ImportReactiveEnergy, quantity.ExportReactiveEnergy} {
		o.Scale[id] = obis.Decimal{Coef: 1, Exp: -1} // 0.1
	}
	return o
}

// TestFamilies tests that the descriptions of families are complete, and that names are unique and listed in the order of shapes.
func TestFamilies(t *testing.T) {
	names := map[string]bool{}
	for i, f := range simulate.Families() {
		if i < len(shapes) && shapes[i].family != f.Name {
			t.Errorf("family %d: got %s, want %s", i, f.Name, shapes[i].family)
		}
		if f.Title == "" || f.Make == "" || len(f.Country) != 2 || f.Connector == "" || f.Interval <= 0 || f.Phases < 1 || f.Ratio < 1 {
			t.Errorf("%s: a field of the description is missing: %+v", f.Name, f)
		}
		setting := f.LineSetting()
		if got := fmt.Sprintf("%d %d%c%d", setting.Baud, setting.DataBits, setting.Parity, setting.StopBits); got != f.Line {
			t.Errorf("%s: LineSetting: got %s, want %s", f.Name, got, f.Line)
		}
		if got, ok := simulate.Named(f.Name); !ok || got.Title != f.Title || names[f.Name] {
			t.Errorf("%s: the name is not unique, or Named returns another family", f.Name)
		}
		// A family with several lists has a row without bytes and samples.
		if sh := shapeOf(f.Name); sh == nil || sh.samples == 0 && sh.bytes != 0 {
			t.Errorf("%s: shapes has no row with a number of samples", f.Name)
		}
		names[f.Name] = true
	}
	if _, ok := simulate.Named("p1-se"); ok {
		t.Error("Named returns a family for a part of a name")
	}
}

// encodeDay returns n telegrams of a sunny day, with a random time between two telegrams, and their states.
func encodeDay(f simulate.Family, n int) (states []simulate.State, stream []byte) {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	at := midsummer.Add(3*time.Hour + 1234*time.Millisecond)
	h := simulate.NewHousehold(11, at, f.Phases)
	for range n {
		at = at.Add(time.Duration(r.Int64N(int64(25 * time.Minute))))
		h.Advance(at)
		s := h.State()
		states = append(states, s)
		stream = f.Append(stream, &s)
	}
	return states, stream
}

// A randomReader reads from r. Each read has a random length.
type randomReader struct {
	r      io.Reader
	random *rand.Rand
}

func (c *randomReader) Read(p []byte) (int, error) {
	return c.r.Read(p[:min(len(p), 1+c.random.IntN(300))])
}

// checkReading checks that a reading has the values of the state s.
func checkReading(t *testing.T, f simulate.Family, s *simulate.State, got *meter.Reading) {
	t.Helper()
	sh := shapeOf(f.Name)
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
	if got.Meter.Make != "" && got.Meter.Make != f.Make && got.Bytes != 44 { // 44 bytes: list 1 of Landis+Gyr, which the decoder cannot distinguish from Aidon's
		t.Errorf("got make %q, want %q", got.Meter.Make, f.Make)
	}
	if !plausible(got.Time, s) {
		t.Errorf("%v: got clock %v, want a European time", s.Time, got.Time)
	}
	if want := sh.length(s); want > 0 && got.Bytes != want {
		t.Errorf("%v: got %d bytes, want %d", s.Time, got.Bytes, want)
	}
	if got.Cipher.Security != f.Cipher {
		t.Errorf("%v: got security %02x, want %02x", s.Time, got.Cipher.Security, f.Cipher)
	}
	checkSamples(t, f, s, got)
}

func checkSamples(t *testing.T, f simulate.Family, s *simulate.State, got *meter.Reading) {
	t.Helper()
	values := expectedSamples(f, s)
	for i := range got.Samples {
		sample := &got.Samples[i]
		name := sample.ID.String()
		if !sample.ID.Row().Numeric() || strings.HasSuffix(name, "_limit") {
			continue // the state has no texts and no limits
		}
		want, ok := values[name]
		if threeWires := strings.HasSuffix(f.Name, "-3w"); threeWires && name == "voltage_l2" && sample.Value.Sign() == 0 {
			continue // the meter does not measure this voltage
		}
		if !ok || !almostEqual(sample.Value, want) {
			t.Errorf("%v: %s: got %v, want %v", s.Time, name, sample.Value, want)
		}
	}
}

// plausible reports whether a clock is zero, or shows the state's time or hour in a European zone.
func plausible(c obis.Time, s *simulate.State) bool {
	if c.IsZero() {
		return true
	}
	c.Zone, c.Offset = false, 0
	at := c.Time(time.UTC)
	for _, want := range []time.Time{s.Time, s.Hour} {
		if d := at.Sub(want); d >= time.Hour && d <= 3*time.Hour && d%time.Hour == 0 {
			return true
		}
	}
	return false
}

// almostEqual reports whether two numbers differ by at most two units of the last digit of got, because a sum of rounded values can differ that
// much from the rounded sum.
func almostEqual(got, want obis.Decimal) bool {
	d, ok := got.Add(want.Neg())
	if d.Sign() < 0 {
		d = d.Neg()
	}
	return ok && d.Cmp(obis.Decimal{Coef: 2, Exp: got.Exp}) <= 0
}
