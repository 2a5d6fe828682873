package obis

import (
	"cmp"
	"errors"
	"math"
	"math/bits"
	"slices"
	"strconv"
)

// A Decimal is the exact number Coef × 10^Exp. The prefix of a unit is part of the number: 1.5 kW is {15, 2} in W. The parsers keep the
// decimals that the meter sent: 230.0 is {2300, -1}, and 230 is {230, 0}. Compare Decimals with Cmp, not with ==. The zero Decimal is 0.
type Decimal struct {
	Coef int64
	Exp  int8
}

var errDecimal = errors.New("obis: not a decimal number of at most 18 digits")

// ParseDecimal reads digits with an optional sign and an optional point, such as "-000.6". It returns an error for other text, for digits
// that overflow an int64, and for more than 100 digits. A number of up to 18 significant digits never overflows.
func ParseDecimal(b []byte) (Decimal, error) {
	i, negative := 0, false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		i, negative = 1, b[0] == '-'
	}
	var d Decimal
	digits, point := 0, -1 // number of digits, and number of digits before the point
	for ; i < len(b); i++ {
		x := b[i] - '0'
		switch {
		case x <= 9:
			if d.Coef > (math.MaxInt64-9)/10 { // another digit possibly overflows
				return Decimal{}, errDecimal
			}
			d.Coef = d.Coef*10 + int64(x)
			digits++
		case b[i] == '.' && point < 0:
			point = digits
		default:
			return Decimal{}, errDecimal
		}
	}
	if digits == 0 || digits > 100 {
		return Decimal{}, errDecimal
	}
	if point >= 0 {
		d.Exp = int8(point - digits)
	}
	if negative {
		d.Coef = -d.Coef
	}
	return d, nil
}

// Shift returns d × 10^n. Use it to change the prefix of a unit. The exponent of the result is limited to ±100.
func (d Decimal) Shift(n int8) Decimal {
	d.Exp = int8(min(max(int(d.Exp)+int(n), -100), 100))
	return d
}

// Neg returns -d.
func (d Decimal) Neg() Decimal { d.Coef = -d.Coef; return d }

// Sign returns -1 for a negative number, 0 for zero and +1 for a positive number.
func (d Decimal) Sign() int { return cmp.Compare(d.Coef, 0) }

// Add returns d + e, with the smaller exponent of the two. ok is false if the coefficient of the sum would overflow.
func (d Decimal) Add(e Decimal) (sum Decimal, ok bool) {
	exp := min(d.Exp, e.Exp)
	a, okA := d.coefAt(exp)
	b, okB := e.coefAt(exp)
	s := a + b
	overflows := a > 0 && b > 0 && s < 0 || a < 0 && b < 0 && s >= 0
	if !okA || !okB || overflows {
		return Decimal{}, false
	}
	return Decimal{Coef: s, Exp: exp}, true
}

// Mul returns d × e, exact. ok is false if the coefficient of the product would overflow, or its exponent would exceed ±100.
func (d Decimal) Mul(e Decimal) (product Decimal, ok bool) {
	hi, lo := bits.Mul64(abs(d.Coef), abs(e.Coef))
	exp := int(d.Exp) + int(e.Exp)
	if hi != 0 || lo > math.MaxInt64 || exp < -100 || exp > 100 {
		return Decimal{}, false
	}
	product = Decimal{Coef: int64(lo), Exp: int8(exp)}
	if (d.Coef < 0) != (e.Coef < 0) {
		product = product.Neg()
	}
	return product, true
}

// Cmp returns -1 if d < e, 0 if they are the same number, and +1 if d > e. 230.0 and 230 are the same number.
func (d Decimal) Cmp(e Decimal) int {
	if d.Sign() != e.Sign() || d.Coef == 0 {
		return cmp.Compare(d.Sign(), e.Sign())
	}
	exp := min(d.Exp, e.Exp)
	a, okA := d.coefAt(exp)
	b, okB := e.coefAt(exp)
	switch {
	case okA && okB:
		return cmp.Compare(a, b)
	case okA: // only e overflows an int64 at this exponent, so the magnitude of e is larger
		return -e.Sign()
	default:
		return d.Sign()
	}
}

// coefAt returns the coefficient of d for exponent exp, which must not be larger than d.Exp. ok is false if the coefficient overflows.
func (d Decimal) coefAt(exp int8) (coef int64, ok bool) {
	c := d.Coef
	for n := int(d.Exp) - int(exp); n > 0 && c != 0; n-- {
		hi, _ := bits.Mul64(abs(c), 10)
		if hi != 0 || abs(c) > math.MaxInt64/10 {
			return 0, false
		}
		c *= 10
	}
	return c, true
}

func abs(c int64) uint64 {
	if c < 0 {
		return -uint64(c)
	}
	return uint64(c)
}

// String returns the number without an exponent, and without zeros at the end of its decimals: "230.7", "109552250", "-0.6".
func (d Decimal) String() string { return string(d.Append(nil)) }

// Append appends the number to dst in the form of String, and returns the result.
func (d Decimal) Append(dst []byte) []byte {
	if d.Coef == 0 {
		return append(dst, '0')
	}
	for d.Exp < 0 && d.Coef%10 == 0 {
		d.Coef /= 10
		d.Exp++
	}
	return d.AppendFixed(dst, max(0, -int(d.Exp)))
}

// AppendFixed appends the number to dst with exactly this number of decimals, and returns the result. It rounds to the nearest number, and
// halves away from zero. A number that rounds to zero has no sign.
func (d Decimal) AppendFixed(dst []byte, decimals int) []byte {
	c, exp := abs(d.Coef), int(d.Exp)
	roundsUp := false // whether the first dropped digit is 5 or more
	for ; exp < -decimals; exp++ {
		roundsUp = c%10 >= 5
		c /= 10
	}
	if roundsUp {
		c++
	}
	if d.Coef < 0 && c != 0 {
		dst = append(dst, '-')
	}
	start := len(dst)
	dst = strconv.AppendUint(dst, c, 10)
	for ; exp > -decimals && c != 0; exp-- {
		dst = append(dst, '0')
	}
	for len(dst)-start <= decimals {
		dst = slices.Insert(dst, start, '0')
	}
	if point := len(dst) - decimals; decimals > 0 {
		dst = append(dst, 0)
		copy(dst[point+1:], dst[point:])
		dst[point] = '.'
	}
	return dst
}
