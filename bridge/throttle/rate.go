package throttle

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A Rate says how often a quantity is published. The zero Rate publishes with every telegram.
type Rate struct {
	// MinInterval is the shortest time from one published value to the next; 0 for no limit.
	MinInterval time.Duration
	// Deadband is the smallest change that is published without waiting for MaxSilence. With the zero Deadband it is any change.
	Deadband Deadband
	// MaxSilence is how long a change below the deadband is withheld. If withholding the change increases the error of the mean, the time
	// is half as long.
	MaxSilence time.Duration
}

// A Deadband is the size that a change must have: the larger of Absolute and Percent.
type Deadband struct {
	// Absolute is in the published unit of the quantity.
	Absolute obis.Decimal
	// Percent is relative to the magnitude of the last published value.
	Percent obis.Decimal
}

// UnmarshalText reads "10", "1%" or "10 1%". A part that is missing is zero. After an error d is unchanged.
func (d *Deadband) UnmarshalText(text []byte) error {
	parts := strings.Fields(string(text))
	if len(parts) == 0 {
		return errors.New(`has no value: write a number (10), a share ("1%") or both ("10 1%")`)
	}
	var parsed Deadband
	for _, part := range parts {
		number, percent := strings.CutSuffix(part, "%")
		field := &parsed.Absolute
		if percent {
			field = &parsed.Percent
		}
		n, err := obis.ParseDecimal([]byte(number))
		switch {
		case err != nil && strings.Contains(number, ","):
			return fmt.Errorf("%q is not a number: write it with a point, as in 0.5", part)
		case err != nil:
			return fmt.Errorf(`%q is not a number: write one in the unit that is published (10), a share ("1%%") or both ("10 1%%")`, part)
		case n.Sign() < 0 || percent && n.Cmp(obis.Decimal{Coef: 100}) > 0:
			return fmt.Errorf("%q is out of range: it is 0 or more, and a share at most 100%%", part)
		case field.Sign() != 0:
			return fmt.Errorf("%q is one too many: one number and one share at most", part)
		}
		*field = n
	}
	*d = parsed
	return nil
}

// String returns the deadband as UnmarshalText reads it.
func (d Deadband) String() string {
	switch {
	case d.Percent.Sign() == 0:
		return d.Absolute.String()
	case d.Absolute.Sign() == 0:
		return d.Percent.String() + "%"
	}
	return d.Absolute.String() + " " + d.Percent.String() + "%"
}

// ParseInterval reads a MinInterval or a MaxSilence such as "5s" or "2m". It accepts 0 to 24 h.
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

// threshold returns the smallest change of a published value that reaches the deadband. Both are in units of the last decimal.
func (d Deadband) threshold(published int64, decimals uint8) int64 {
	absolute := scaled(d.Absolute, decimals)
	relative, ok := obis.Decimal{Coef: max(published, -published)}.Mul(d.Percent)
	if !ok {
		return maxValue
	}
	return max(absolute, scaled(relative.Shift(-2), 0))
}

// maxValue is the limit of scaled values. No meter reaches it, and the difference of two values fits into an int64.
const maxValue = 1<<62 - 1

// scaled returns a number in units of its last decimal, rounded as obis.Decimal.AppendFixed does. So two numbers with the same result are
// published as the same string. A larger number than maxValue gives maxValue.
func scaled(d obis.Decimal, decimals uint8) int64 {
	c, exp := d.Coef, int(d.Exp)+int(decimals)
	dropped := int64(0) // the last digit that was cut off
	for ; exp < 0; exp++ {
		c, dropped = c/10, c%10
	}
	if dropped >= 5 {
		c++
	} else if dropped <= -5 {
		c--
	}
	for ; exp > 0 && c != 0; exp-- {
		if c > maxValue/10 || c < -maxValue/10 {
			c = max(min(c, 1), -1) * maxValue
			break
		}
		c *= 10
	}
	return max(min(c, maxValue), -maxValue)
}

// everyTelegram reports whether r is the zero Rate.
func (r *Rate) everyTelegram() bool { return r.MaxSilence == 0 && *r == Rate{} }
