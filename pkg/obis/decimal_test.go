package obis_test

import (
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

func TestParseDecimal(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want obis.Decimal
		ok   bool
	}{
		{"0", obis.Decimal{}, true},
		{"00006619.795", obis.Decimal{Coef: 6619795, Exp: -3}, true},
		{"230.0", obis.Decimal{Coef: 2300, Exp: -1}, true},
		{"-000.6", obis.Decimal{Coef: -6, Exp: -1}, true},
		{"+12", obis.Decimal{Coef: 12}, true},
		{"-0", obis.Decimal{}, true},
		{"000.000", obis.Decimal{Exp: -3}, true},
		{"011", obis.Decimal{Coef: 11}, true},
		{".5", obis.Decimal{Coef: 5, Exp: -1}, true},
		{"123456789012345678", obis.Decimal{Coef: 123456789012345678}, true},
		{"999999999999999999", obis.Decimal{Coef: 999999999999999999}, true},
		{"-99999999999999999.9", obis.Decimal{Coef: -999999999999999999, Exp: -1}, true},
		{strings.Repeat("0", 80) + "7", obis.Decimal{Coef: 7}, true},
		{"0." + strings.Repeat("0", 80) + "7", obis.Decimal{Coef: 7, Exp: -81}, true},
		{in: ""},
		{in: "-"},
		{in: "+"},
		{in: "."},
		{in: "-."},
		{in: "--1"},
		{in: "1-"},
		{in: "1.2.3"},
		{in: "1,2"},
		{in: "1e3"},
		{in: " 1"},
		{in: "1 "},
		{in: "0x10"},
		{in: "---"},
		{in: "1000000000000000000000"},
		{in: "99999999999999999999"},
		{in: strings.Repeat("0", 1000)},
	} {
		got, err := obis.ParseDecimal([]byte(tt.in))
		if got != tt.want || (err == nil) != tt.ok {
			t.Errorf("ParseDecimal(%q) = %v, %v; want %v, ok %v", tt.in, got, err, tt.want, tt.ok)
		}
	}
}

func TestDecimalString(t *testing.T) {
	for _, tt := range []struct {
		in   obis.Decimal
		want string
	}{
		{obis.Decimal{}, "0"},
		{obis.Decimal{Exp: -3}, "0"},
		{obis.Decimal{Exp: 5}, "0"},
		{obis.Decimal{Coef: 2300, Exp: -1}, "230"},
		{obis.Decimal{Coef: 2307, Exp: -1}, "230.7"},
		{obis.Decimal{Coef: -6, Exp: -1}, "-0.6"},
		{obis.Decimal{Coef: 10955225, Exp: 1}, "109552250"},
		{obis.Decimal{Coef: 100, Exp: -2}, "1"},
		{obis.Decimal{Coef: 1, Exp: -5}, "0.00001"},
		{obis.Decimal{Coef: 10, Exp: -5}, "0.0001"},
		{obis.Decimal{Coef: math.MaxInt64}, "9223372036854775807"},
		{obis.Decimal{Coef: math.MinInt64}, "-9223372036854775808"},
		{obis.Decimal{Coef: math.MinInt64, Exp: -18}, "-9.223372036854775808"},
		{obis.Decimal{Coef: math.MaxInt64, Exp: 3}, "9223372036854775807000"},
		{obis.Decimal{Coef: 7, Exp: -128}, "0." + strings.Repeat("0", 127) + "7"},
		{obis.Decimal{Coef: 7, Exp: 127}, "7" + strings.Repeat("0", 127)},
	} {
		if got := tt.in.String(); got != tt.want {
			t.Errorf("String of {%d, %d} = %q, want %q", tt.in.Coef, tt.in.Exp, got, tt.want)
		}
		if got := string(tt.in.Append([]byte("x"))); got != "x"+tt.want {
			t.Errorf("Append of {%d, %d} = %q, want %q", tt.in.Coef, tt.in.Exp, got, "x"+tt.want)
		}
	}
}

func TestAppendFixed(t *testing.T) {
	for _, tt := range []struct {
		in       obis.Decimal
		decimals int
		want     string
	}{
		{obis.Decimal{}, 0, "0"},
		{obis.Decimal{}, 3, "0.000"},
		{obis.Decimal{Exp: 4}, 2, "0.00"},
		{obis.Decimal{Coef: 230}, 1, "230.0"},
		{obis.Decimal{Coef: 23, Exp: 1}, 1, "230.0"},
		{obis.Decimal{Coef: 5, Exp: -2}, 2, "0.05"},
		{obis.Decimal{Coef: 5, Exp: -2}, 4, "0.0500"},
		{obis.Decimal{Coef: 5, Exp: -2}, 1, "0.1"},
		{obis.Decimal{Coef: 4, Exp: -2}, 1, "0.0"},
		{obis.Decimal{Coef: -4, Exp: -2}, 1, "0.0"},
		{obis.Decimal{Coef: -5, Exp: -2}, 1, "-0.1"},
		{obis.Decimal{Coef: 5, Exp: -1}, 0, "1"},
		{obis.Decimal{Coef: -5, Exp: -1}, 0, "-1"},
		{obis.Decimal{Coef: 15, Exp: -1}, 0, "2"},
		{obis.Decimal{Coef: 25, Exp: -1}, 0, "3"},
		{obis.Decimal{Coef: -25, Exp: -1}, 0, "-3"},
		{obis.Decimal{Coef: 49, Exp: -2}, 0, "0"},
		{obis.Decimal{Coef: 449, Exp: -2}, 1, "4.5"},
		{obis.Decimal{Coef: 445, Exp: -2}, 1, "4.5"},
		{obis.Decimal{Coef: 999, Exp: -1}, 0, "100"},
		{obis.Decimal{Coef: 9995, Exp: -3}, 2, "10.00"},
		{obis.Decimal{Coef: 6619795, Exp: -3}, 3, "6619.795"},
		{obis.Decimal{Coef: 9, Exp: -1}, 0, "1"},
		{obis.Decimal{Coef: 9, Exp: -2}, 0, "0"},
		{obis.Decimal{Coef: math.MinInt64, Exp: -1}, 0, "-922337203685477581"},
		{obis.Decimal{Coef: math.MaxInt64, Exp: -19}, 0, "1"},
		{obis.Decimal{Coef: math.MaxInt64, Exp: -20}, 0, "0"},
		{obis.Decimal{Coef: 1, Exp: -128}, 2, "0.00"},
		{obis.Decimal{Coef: 12, Exp: 3}, 2, "12000.00"},
	} {
		if got := string(tt.in.AppendFixed([]byte("x"), tt.decimals)); got != "x"+tt.want {
			t.Errorf("{%d, %d} with %d decimals = %q, want %q", tt.in.Coef, tt.in.Exp, tt.decimals, got[1:], tt.want)
		}
	}
}

// fraction returns d as a fraction. The tests compare the arithmetic of Decimal with the arithmetic of big.Rat.
func fraction(d obis.Decimal) *big.Rat {
	n := int64(d.Exp)
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(max(n, -n)), nil)
	r := new(big.Rat).SetInt64(d.Coef)
	if d.Exp < 0 {
		return r.Quo(r, new(big.Rat).SetInt(power))
	}
	return r.Mul(r, new(big.Rat).SetInt(power))
}

// decimals returns a generator of Decimals, whose coefficients include the limits of int64.
func decimals() *rapid.Generator[obis.Decimal] {
	return rapid.Custom(func(t *rapid.T) obis.Decimal {
		coef := rapid.OneOf(
			rapid.Int64(), rapid.Int64Range(-1000, 1000),
			rapid.SampledFrom([]int64{math.MaxInt64, math.MinInt64, math.MaxInt64 / 10, math.MinInt64 / 10, math.MinInt64/10 - 1}),
		).Draw(t, "coef")
		exp := rapid.OneOf(rapid.Int8Range(-4, 4), rapid.Int8()).Draw(t, "exp")
		return obis.Decimal{Coef: coef, Exp: exp}
	})
}

// TestDecimalAgainstFractions tests that Cmp, Sign and Add give the same results as big.Rat, and that Add fails only if a coefficient overflows.
func TestDecimalAgainstFractions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := decimals().Draw(t, "a"), decimals().Draw(t, "b")
		if got, want := a.Cmp(b), fraction(a).Cmp(fraction(b)); got != want {
			t.Fatalf("{%d, %d} compared with {%d, %d} = %d, want %d", a.Coef, a.Exp, b.Coef, b.Exp, got, want)
		}
		if got, want := a.Sign(), fraction(a).Sign(); got != want {
			t.Fatalf("Sign of {%d, %d} = %d, want %d", a.Coef, a.Exp, got, want)
		}
		want := new(big.Rat).Add(fraction(a), fraction(b))
		got, ok := a.Add(b)
		if ok && (fraction(got).Cmp(want) != 0 || got.Exp != min(a.Exp, b.Exp)) {
			t.Fatalf("{%d, %d} + {%d, %d} = {%d, %d}, want %v", a.Coef, a.Exp, b.Coef, b.Exp, got.Coef, got.Exp, want)
		}
		exp := min(a.Exp, b.Exp)
		if possible := fits(fraction(a), exp) && fits(fraction(b), exp) && fits(want, exp); !ok && possible {
			t.Fatalf("{%d, %d} + {%d, %d} overflows, want %v", a.Coef, a.Exp, b.Coef, b.Exp, want)
		}
	})
}

// fits reports whether a Decimal with the exponent exp can be r: whether r × 10^-exp is an int64.
func fits(r *big.Rat, exp int8) bool {
	q := new(big.Rat).Quo(r, fraction(obis.Decimal{Coef: 1, Exp: exp}))
	return q.IsInt() && q.Num().IsInt64()
}

// TestDecimalText tests that the text of String is the same number, and that AppendFixed rounds as big.Rat does.
func TestDecimalText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := decimals().Draw(t, "d")
		if got, ok := new(big.Rat).SetString(d.String()); !ok || got.Cmp(fraction(d)) != 0 {
			t.Fatalf("String of {%d, %d} = %q", d.Coef, d.Exp, d)
		}
		n := rapid.IntRange(0, 6).Draw(t, "decimals")
		want := fraction(d).FloatString(n)
		if isZero := strings.Trim(want, "-0.") == ""; isZero {
			want = strings.TrimPrefix(want, "-") // FloatString writes -0
		}
		if got := string(d.AppendFixed(nil, n)); got != want {
			t.Fatalf("{%d, %d} with %d decimals = %q, want %q", d.Coef, d.Exp, n, got, want)
		}
	})
}

// TestParseDecimalExact tests that ParseDecimal returns exactly the number in the text, with as many decimals as the text has.
func TestParseDecimalExact(t *testing.T) {
	pattern := rapid.StringMatching(`[+-]?[0-9]{0,11}\.?[0-9]{0,6}`)
	rapid.Check(t, func(t *rapid.T) {
		text := pattern.Draw(t, "text")
		d, err := obis.ParseDecimal([]byte(text))
		if hasDigits := strings.Trim(text, "+-.") != ""; !hasDigits {
			if err == nil {
				t.Fatalf("%q is read as %v, want an error", text, d)
			}
			return
		}
		integer, decimals, _ := strings.Cut(strings.TrimLeft(text, "+-"), ".")
		want, _ := new(big.Rat).SetString("0" + integer + "." + decimals + "0") // SetString needs a digit before and after the point
		if text[0] == '-' {
			want.Neg(want)
		}
		if got := -int(d.Exp); got != len(decimals) {
			t.Fatalf("%q is read with %d decimals, want %d", text, got, len(decimals))
		}
		if err != nil || fraction(d).Cmp(want) != 0 {
			t.Fatalf("%q is read as %v, %v; want %v", text, d, err, want)
		}
	})
}

func TestShift(t *testing.T) {
	for _, tt := range []struct {
		in   obis.Decimal
		n    int8
		want obis.Decimal
	}{
		{obis.Decimal{Coef: 345, Exp: -3}, 3, obis.Decimal{Coef: 345}},
		{obis.Decimal{Coef: 345}, -3, obis.Decimal{Coef: 345, Exp: -3}},
		{obis.Decimal{Coef: 1, Exp: -99}, -1, obis.Decimal{Coef: 1, Exp: -100}},
		{obis.Decimal{Coef: 1, Exp: -100}, -3, obis.Decimal{Coef: 1, Exp: -100}},
		{obis.Decimal{Coef: 1, Exp: 100}, 100, obis.Decimal{Coef: 1, Exp: 100}},
	} {
		if got := tt.in.Shift(tt.n); got != tt.want {
			t.Errorf("%v shifted by %d = %v, want %v", tt.in, tt.n, got, tt.want)
		}
	}
	if got, want := (obis.Decimal{Coef: 5, Exp: 2}).Neg(), (obis.Decimal{Coef: -5, Exp: 2}); got != want {
		t.Errorf("Neg = %v, want %v", got, want)
	}
}

func TestMul(t *testing.T) {
	for _, tt := range []struct {
		d, e, want obis.Decimal
		ok         bool
	}{
		{obis.Decimal{Coef: 2307, Exp: -1}, obis.Decimal{Coef: 60}, obis.Decimal{Coef: 138420, Exp: -1}, true},
		{obis.Decimal{Coef: -6, Exp: -1}, obis.Decimal{Coef: 5, Exp: -1}, obis.Decimal{Coef: -30, Exp: -2}, true},
		{obis.Decimal{Coef: -6}, obis.Decimal{Coef: -5, Exp: 3}, obis.Decimal{Coef: 30, Exp: 3}, true},
		{obis.Decimal{Exp: -3}, obis.Decimal{Coef: -5}, obis.Decimal{Exp: -3}, true},
		{obis.Decimal{Coef: math.MaxInt64}, obis.Decimal{Coef: -1}, obis.Decimal{Coef: -math.MaxInt64}, true},
		{d: obis.Decimal{Coef: math.MaxInt64}, e: obis.Decimal{Coef: 2}},
		{d: obis.Decimal{Coef: math.MinInt64}, e: obis.Decimal{Coef: 1}},
		{d: obis.Decimal{Coef: 1 << 40}, e: obis.Decimal{Coef: 1 << 40}},
		{d: obis.Decimal{Coef: 1, Exp: 90}, e: obis.Decimal{Coef: 1, Exp: 90}},
		{d: obis.Decimal{Coef: 1, Exp: -90}, e: obis.Decimal{Coef: 1, Exp: -90}},
	} {
		got, ok := tt.d.Mul(tt.e)
		if got != tt.want || ok != tt.ok {
			t.Errorf("%v × %v = %v, %v; want %v, %v", tt.d, tt.e, got, ok, tt.want, tt.ok)
		}
		if exchanged, okExchanged := tt.e.Mul(tt.d); exchanged != got || okExchanged != ok {
			t.Errorf("%v × %v = %v, with the factors exchanged %v", tt.d, tt.e, got, exchanged)
		}
	}
}

// TestMulAgainstFractions tests that Mul is exact, and fails only if the coefficient or the exponent of the product is out of range.
func TestMulAgainstFractions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := decimals().Draw(t, "a"), decimals().Draw(t, "b")
		want := new(big.Rat).Mul(fraction(a), fraction(b))
		got, ok := a.Mul(b)
		exp := int(a.Exp) + int(b.Exp)
		if ok && (fraction(got).Cmp(want) != 0 || int(got.Exp) != exp) {
			t.Fatalf("%v × %v = %v, want %v", a, b, got, want)
		}
		coef := new(big.Int).Mul(big.NewInt(a.Coef), big.NewInt(b.Coef))
		if possible := coef.CmpAbs(big.NewInt(math.MaxInt64)) <= 0 && exp >= -100 && exp <= 100; ok != possible {
			t.Fatalf("{%d, %d} × {%d, %d}: ok is %v, want %v", a.Coef, a.Exp, b.Coef, b.Exp, ok, possible)
		}
	})
}
