package config

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// set reads the value of a field. A deadband may come in two parts.
func (r *rateConfig) set(field, value string) error {
	switch field {
	case "min_interval":
		return setTime(&r.MinInterval, field, value)
	case "max_silence":
		return setTime(&r.MaxSilence, field, value)
	case "deadband":
		parts := strings.Fields(value)
		if len(parts) == 0 {
			return errNoDeadband
		}
		for _, part := range parts {
			if err := r.setDeadband(part); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("%s: no such key%s", field, nearField(field))
}

func nearField(field string) string {
	if hint := cli.DidYouMean(field, rateFields); hint != "" {
		return hint
	}
	return " (known here: " + strings.Join(rateFields, ", ") + ")"
}

// longestRate bounds times: what is silent for longer looks like a fault to everybody.
const longestRate = 24 * time.Hour

func setTime(to **time.Duration, field, value string) error {
	if *to != nil {
		return fmt.Errorf("%s stands there twice: keep one of them", field)
	}
	if _, err := obis.ParseDecimal([]byte(value)); err == nil && strings.Trim(value, "+-0.") != "" {
		return fmt.Errorf("%s: %q has no unit: write %ss for seconds, %sm for minutes", field, value, value, value)
	}
	d, err := time.ParseDuration(value)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %q is not a time: write a number and its unit, as in 5s, 2m or 1h", field, value)
	case d < 0 || d > longestRate:
		return fmt.Errorf("%s: %q is out of range: write from 0s to 24h", field, value)
	}
	*to = &d
	return nil
}

var errNoDeadband = errors.New(`deadband: has no value: write a number (10), a share ("1%") or both ("10 1%")`)

func (r *rateConfig) setDeadband(part string) error {
	if r.Deadband == nil {
		r.Deadband = new(throttle.Deadband)
	}
	number, percent := strings.CutSuffix(part, "%")
	to := &r.Deadband.Least
	if percent {
		to = &r.Deadband.Percent
	}
	d, err := obis.ParseDecimal([]byte(number))
	switch {
	case err != nil && strings.Contains(number, ","):
		return fmt.Errorf("deadband: %q is not a number: write it with a point, as in 0.5", part)
	case err != nil:
		return fmt.Errorf(`deadband: %q is not a number: write one in the unit that is published (10), a share ("1%%") or both ("10 1%%")`, part)
	case d.Sign() < 0 || percent && d.Cmp(obis.Decimal{Coef: 100}) > 0:
		return fmt.Errorf("deadband: %q is out of range: it is 0 or more, and a share at most 100%%", part)
	case to.Sign() != 0:
		return fmt.Errorf("deadband: %q is one too many: one number and one share at most", part)
	}
	*to = d
	return nil
}

// pairs are the fields that are set, as they are written in a file.
func (r rateConfig) pairs() (all [][2]string) {
	if r.MinInterval != nil {
		all = append(all, [2]string{"min_interval", briefTime(*r.MinInterval)})
	}
	if r.Deadband != nil {
		all = append(all, [2]string{"deadband", r.Deadband.String()})
	}
	if r.MaxSilence != nil {
		all = append(all, [2]string{"max_silence", briefTime(*r.MaxSilence)})
	}
	return all
}

// briefTime writes 1m instead of 1m0s.
func briefTime(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}
