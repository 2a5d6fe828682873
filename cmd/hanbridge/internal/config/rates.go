package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A Quantities says how often quantities are published where the preset does not suit. The zero one says nothing.
type Quantities struct {
	rates []rateConfig
}

// A rateConfig is what one line says. What is nil it leaves to the preset.
type rateConfig struct {
	name string // of a quantity, or the beginning of several with a * behind it
	throttle.Change
}

// rateFields are the names of what can be said of a quantity.
var rateFields = []string{"min_interval", "deadband", "max_silence"}

// UnmarshalText reads rates such as "import_power min_interval=5s deadband=10 deadband=1%; voltage_* max_silence=60s".
func (q *Quantities) UnmarshalText(text []byte) error {
	*q = Quantities{}
	for item := range strings.SplitSeq(string(text), ";") {
		words := strings.Fields(item)
		if len(words) == 0 {
			continue
		}
		rate := rateConfig{name: words[0]}
		if err := q.checkName(rate.name); err != nil {
			return err
		}
		if len(words) == 1 {
			return fmt.Errorf("%s: nothing is said of it: write for example \"%s min_interval=5s\"", rate.name, rate.name)
		}
		for _, word := range words[1:] {
			field, value, found := strings.Cut(word, "=")
			if !found {
				return fmt.Errorf("%s: %q is not a setting and its value: write for example min_interval=5s (a ; parts quantities)", rate.name, word)
			}
			if err := rate.set(field, value); err != nil {
				return fmt.Errorf("%s: %w", rate.name, err)
			}
		}
		if err := rate.check(); err != nil {
			return fmt.Errorf("%s: %w", rate.name, err)
		}
		q.rates = append(q.rates, rate)
	}
	return nil
}

// String returns the rates as UnmarshalText reads them.
func (q Quantities) String() string {
	var items []string
	for _, r := range q.rates {
		words := []string{r.name}
		for _, pair := range r.pairs() {
			words = append(words, pair[0]+"="+strings.ReplaceAll(pair[1], " ", " "+pair[0]+"="))
		}
		items = append(items, strings.Join(words, " "))
	}
	return strings.Join(items, "; ")
}

// of returns what is said of one quantity: its own name goes before a name with a *, and a longer one of these before a shorter.
func (q Quantities) of(id quantity.ID) rateConfig {
	all := rateConfig{name: id.String()}
	var fit []rateConfig
	for _, r := range q.rates {
		if r.covers(id) {
			fit = append(fit, r)
		}
	}
	slices.SortStableFunc(fit, func(a, b rateConfig) int { return len(b.name) - len(a.name) })
	slices.SortStableFunc(fit, func(a, b rateConfig) int { return wildcards(a.name) - wildcards(b.name) })
	for _, r := range fit {
		all.complete(r)
	}
	return all
}

func wildcards(name string) int { return strings.Count(name, "*") }

// complete takes over what r does not say itself.
func (r *rateConfig) complete(from rateConfig) {
	r.MinInterval = cmp.Or(r.MinInterval, from.MinInterval)
	r.MaxSilence = cmp.Or(r.MaxSilence, from.MaxSilence)
	r.Deadband = cmp.Or(r.Deadband, from.Deadband)
}

func (r rateConfig) covers(id quantity.ID) bool {
	if begin, ok := strings.CutSuffix(r.name, "*"); ok {
		return strings.HasPrefix(id.String(), begin)
	}
	return r.name == id.String()
}

// numeric tells if one of the quantities that r is about is a number.
func (r rateConfig) numeric() bool {
	for id := range quantity.Count() {
		if id := quantity.ID(id); r.covers(id) && id.Row().Numeric() {
			return true
		}
	}
	return false
}

// checkName returns what is wrong with a name that is about to be added.
func (q *Quantities) checkName(name string) error {
	if slices.ContainsFunc(q.rates, func(r rateConfig) bool { return r.name == name }) {
		return fmt.Errorf("%s stands there twice: keep one of them", name)
	}
	begin, many := strings.CutSuffix(name, "*")
	switch {
	case strings.Contains(begin, "*"):
		return fmt.Errorf("%q: a * stands at the end of a name alone, as in voltage_*", name)
	case many && !slices.ContainsFunc(quantity.Rows(), func(r quantity.Row) bool { return strings.HasPrefix(r.Name, begin) }):
		return fmt.Errorf("%q is the beginning of no quantity%s", name, nearBeginning(begin))
	case many:
		return nil
	}
	if _, ok := quantity.Named(name); !ok {
		return fmt.Errorf("%q is not a quantity%s", name, nearQuantities(name))
	}
	return nil
}

// nearBeginning returns a hint for a beginning that no quantity has.
func nearBeginning(begin string) string {
	var all []string
	for _, row := range quantity.Rows() {
		for i, r := range row.Name {
			if r == '_' {
				all = append(all, row.Name[:i+1])
			}
		}
	}
	if best := cli.Nearest(begin, all); best != "" {
		return fmt.Sprintf(" (did you mean %s*?)", best)
	}
	return " (hanbridge quantities shows them all)"
}

// check returns what does not go together.
func (r rateConfig) check() error {
	switch {
	case r.MinInterval != nil && r.MaxSilence != nil && *r.MaxSilence < *r.MinInterval:
		return errors.New("max_silence is shorter than min_interval: no value would come in time")
	case !r.numeric() && (r.Deadband != nil || r.MaxSilence != nil):
		return errors.New("is text: only min_interval can be set")
	}
	return nil
}

// Plan returns how often each quantity is published.
func (c Config) Plan() *throttle.Plan {
	var preset throttle.Preset
	if err := preset.UnmarshalText([]byte(c.Publish)); err != nil {
		preset = throttle.Balanced // the configuration has been checked
	}
	plan := throttle.NewPlan(preset)
	for i := range quantity.Rows() {
		id := quantity.ID(i)
		if change := c.Quantities.of(id).Change; change != (throttle.Change{}) {
			plan.Set(id, change)
		}
	}
	return plan
}
