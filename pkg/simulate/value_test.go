package simulate_test

import (
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// TestValue checks that the register of each quantity has the value of the expected sample.
func TestValue(t *testing.T) {
	f, _ := simulate.Named("aidon-se") // a family whose currents have signs
	h := simulate.NewHousehold(3, midsummer, 3)
	compared := 0
	for hour := range 24 {
		h.Advance(midsummer.Add(time.Duration(hour) * time.Hour))
		s := h.State()
		want := expectedSamples(f, &s)
		for i := range quantity.Rows() {
			row := &quantity.Rows()[i]
			for _, c := range row.Codes {
				got, ok := s.Value(obis.Code{1, 0, c[0], c[1], c[2], obis.Any})
				if !ok || c[1] == 24 { // a demand quantity has two codes; the sample has the demand of the present period, not of the last (24)
					continue
				}
				compared++
				got = got.Shift(-row.Units[0].Prefix)
				// Counters are rounded down to 1 Wh, so want is up to one unit of the last digit of got larger than got.
				difference, _ := want[row.Name].Add(got.Neg())
				if _, expected := want[row.Name]; !expected || difference.Sign() < 0 || difference.Cmp(obis.Decimal{Coef: 1, Exp: got.Exp}) >= 0 {
					t.Errorf("%v, %s: got %v, want %v", s.Time, row.Name, got, want[row.Name])
				}
			}
		}
	}
	if compared < 24*80 { // 80 registers in each hour
		t.Errorf("compared %d registers, want at least 80", compared/24)
	}
}

// TestValueOfAnyCode checks that Value does not panic for any code, and returns false for most of them.
func TestValueOfAnyCode(t *testing.T) {
	s := simulate.NewHousehold(1, midsummer, 1).State()
	known := 0
	for c := range 256 {
		for d := range 256 {
			for e := range 7 {
				if _, ok := s.Value(obis.Code{1, 0, byte(c), byte(d), byte(e), obis.Any}); ok {
					known++
				}
			}
		}
	}
	if known == 0 || known > 1000 {
		t.Errorf("got %d registers, want 1 to 1000", known)
	}
}
