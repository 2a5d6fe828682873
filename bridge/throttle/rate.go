package throttle

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A Rate says how often a quantity is published. The zero Rate is every telegram.
type Rate struct {
	// MinInterval is the shortest time from one published value to the next; 0 for none.
	MinInterval time.Duration
	// Deadband is the smallest change that is worth publishing at once; the zero Deadband for any.
	Deadband Deadband
	// MaxSilence is how long a smaller change may be withheld; half of it where the change makes up for what was withheld before.
	MaxSilence time.Duration
}

// A Deadband is a size of change: the larger of two.
type Deadband struct {
	// Least is in the published unit of the quantity.
	Least obis.Decimal
	// Percent is a part of the magnitude that was published last.
	Percent obis.Decimal
}

// UnmarshalText reads "10", "1%" or "10 1%". What is not there is zero.
func (d *Deadband) UnmarshalText(text []byte) error {
	parts := strings.Fields(string(text))
	if len(parts) == 0 {
		return errors.New(`has no value: write a number (10), a share ("1%") or both ("10 1%")`)
	}
	var read Deadband
	for _, part := range parts {
		number, percent := strings.CutSuffix(part, "%")
		to := &read.Least
		if percent {
			to = &read.Percent
		}
		n, err := obis.ParseDecimal([]byte(number))
		switch {
		case err != nil && strings.Contains(number, ","):
			return fmt.Errorf("%q is not a number: write it with a point, as in 0.5", part)
		case err != nil:
			return fmt.Errorf(`%q is not a number: write one in the unit that is published (10), a share ("1%%") or both ("10 1%%")`, part)
		case n.Sign() < 0 || percent && n.Cmp(obis.Decimal{Coef: 100}) > 0:
			return fmt.Errorf("%q is out of range: it is 0 or more, and a share at most 100%%", part)
		case to.Sign() != 0:
			return fmt.Errorf("%q is one too many: one number and one share at most", part)
		}
		*to = n
	}
	*d = read
	return nil
}

// String returns the deadband as UnmarshalText reads it.
func (d Deadband) String() string {
	switch {
	case d.Percent.Sign() == 0:
		return d.Least.String()
	case d.Least.Sign() == 0:
		return d.Percent.String() + "%"
	}
	return d.Least.String() + " " + d.Percent.String() + "%"
}

// ParseInterval reads a MinInterval or a MaxSilence such as "5s" or "2m", of a day at most.
func ParseInterval(text string) (time.Duration, error) {
	if _, err := obis.ParseDecimal([]byte(text)); err == nil && strings.Trim(text, "+-0.") != "" {
		return 0, fmt.Errorf("%q has no unit: write %ss for seconds, %sm for minutes", text, text, text)
	}
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%q is not a time: write a number and its unit, as in 5s, 2m or 1h", text)
	case d < 0 || d > 24*time.Hour:
		return 0, fmt.Errorf("%q is out of range: write from 0s to 24h", text)
	}
	return d, nil
}

// threshold returns the deadband around a published value, both in units of its last decimal.
func (d Deadband) threshold(published int64, decimals uint8) int64 {
	least := digits(d.Least, decimals)
	part, ok := obis.Decimal{Coef: max(published, -published)}.Mul(d.Percent)
	if !ok {
		return most
	}
	return max(least, digits(part.Shift(-2), 0))
}

// most is more than any meter counts to, and so little that the difference of two still fits.
const most = 1<<62 - 1

// digits returns a number in units of its last decimal, rounded as obis.Decimal.AppendFixed does: two numbers that give the
// same are published as the same string. Beyond 18 digits all are alike.
func digits(d obis.Decimal, decimals uint8) int64 {
	c, exp := d.Coef, int(d.Exp)+int(decimals)
	last := int64(0)
	for ; exp < 0; exp++ {
		c, last = c/10, c%10
	}
	if last >= 5 {
		c++
	} else if last <= -5 {
		c--
	}
	for ; exp > 0 && c != 0; exp-- {
		if c > most/10 || c < -most/10 {
			c = max(min(c, 1), -1) * most
			break
		}
		c *= 10
	}
	return max(min(c, most), -most)
}

func (r *Rate) everyTelegram() bool { return r.MaxSilence == 0 && *r == Rate{} }
