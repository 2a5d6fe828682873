package throttle

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A Preset is a Rate for every quantity.
type Preset uint8

const (
	// Realtime publishes every telegram.
	Realtime Preset = iota
	// Balanced shows a load that is switched within seconds, and gives about a twenty-fifth of the states of a telegram a second.
	Balanced
	// Frugal gives about a third of that: for small machines and long histories.
	Frugal
)

var presets = [...]string{"realtime", "balanced", "frugal"}

// String returns the preset's name, as UnmarshalText reads it.
func (p Preset) String() string { return presets[p] }

// UnmarshalText reads a name.
func (p *Preset) UnmarshalText(text []byte) error {
	i := slices.Index(presets[:], string(text))
	if i < 0 {
		return fmt.Errorf("%q is not a way to publish: write balanced, realtime or frugal", text)
	}
	*p = Preset(i)
	return nil
}

// rates of the presets, by how a quantity moves. Standby flickers by 15 W on each phase of a house: below a deadband of twice
// that, noise alone would be published at each MinInterval. 30 W and 2 % let every appliance through. A short MinInterval is
// cheap where changes are rare, and what shows a kettle within five seconds also shows a surplus.
var rates = [...][quantity.Counter + 1]Rate{
	Balanced: {
		quantity.Status:  {MaxSilence: RepeatAfter},
		quantity.Power:   {5 * time.Second, deadband("30 2%"), time.Minute},
		quantity.Voltage: {10 * time.Second, deadband("0.5"), 2 * time.Minute},
		quantity.Current: {10 * time.Second, deadband("0.2 2%"), 2 * time.Minute},
		quantity.Ratio:   {10 * time.Second, deadband("0.02"), 2 * time.Minute},
		quantity.Counter: {time.Minute, Deadband{}, time.Minute},
	},
	Frugal: {
		quantity.Status:  {MaxSilence: RepeatAfter},
		quantity.Power:   {15 * time.Second, deadband("100 5%"), 3 * time.Minute},
		quantity.Voltage: {30 * time.Second, deadband("1.5"), 5 * time.Minute},
		quantity.Current: {30 * time.Second, deadband("0.5 5%"), 5 * time.Minute},
		quantity.Ratio:   {30 * time.Second, deadband("0.05"), 5 * time.Minute},
		quantity.Counter: {5 * time.Minute, Deadband{}, 5 * time.Minute},
	},
}

func deadband(text string) (d Deadband) {
	if err := d.UnmarshalText([]byte(text)); err != nil {
		panic("throttle: " + err.Error())
	}
	return d
}

// A Plan is what the configuration says of all quantities. The zero Plan is realtime. One serves all meters: once it is in
// use, do not change it.
type Plan struct {
	preset Preset
	rates  [256]Rate
}

// NewPlan returns the plan of a preset.
func NewPlan(p Preset) *Plan {
	plan := &Plan{preset: p}
	for i := range quantity.Rows() {
		if p != Realtime {
			plan.rates[i] = rates[p][quantity.Rows()[i].Kind]
		}
	}
	return plan
}

// Diagnostics is how often what the bridge itself counts is published.
func (p *Plan) Diagnostics() time.Duration {
	return [...]time.Duration{Realtime: time.Minute, Balanced: RepeatAfter, Frugal: 3 * RepeatAfter}[p.preset]
}

// Rate returns how often a quantity is published.
func (p *Plan) Rate(id quantity.ID) Rate { return p.rates[id] }

// A Change is what a person sets of a Rate; nil is what they leave as it is. No Duration is negative.
type Change struct {
	MinInterval *time.Duration `mapstructure:"min_interval"`
	Deadband    *Deadband      `mapstructure:"deadband"`
	MaxSilence  *time.Duration `mapstructure:"max_silence"`
}

// Overrides say what differs from a preset: by the name of a quantity, or by the beginning of several with a * behind it.
type Overrides map[string]Change

// Set changes the Rate of a quantity. One that was published with every telegram is so no longer, unless all three are set to
// zero. MaxSilence is never below MinInterval: where only one of the two is set, the other follows it, else MaxSilence does.
func (p *Plan) Set(id quantity.ID, c Change) {
	r := p.rates[id]
	if r == (Rate{}) {
		r.MaxSilence = time.Minute
	}
	if c.MinInterval != nil {
		r.MinInterval = *c.MinInterval
	}
	if c.Deadband != nil {
		r.Deadband = *c.Deadband
	}
	if c.MaxSilence != nil {
		r.MaxSilence = *c.MaxSilence
	}
	if c.MinInterval == nil {
		r.MinInterval = min(r.MinInterval, r.MaxSilence)
	}
	r.MaxSilence = max(r.MinInterval, r.MaxSilence)
	p.rates[id] = r
}

// Override sets what differs from the preset. Of several names that fit a quantity the longest counts, field by field.
func (p *Plan) Override(o Overrides) {
	for id := range quantity.Count() {
		id := quantity.ID(id)
		if c := o.of(id); c != (Change{}) {
			p.Set(id, c)
		}
	}
}

func (o Overrides) of(id quantity.ID) Change {
	name := id.String()
	c := o[name]
	for end := len(name); end >= 0; end-- {
		from := o[name[:end]+"*"]
		c.MinInterval = cmp.Or(c.MinInterval, from.MinInterval)
		c.Deadband = cmp.Or(c.Deadband, from.Deadband)
		c.MaxSilence = cmp.Or(c.MaxSilence, from.MaxSilence)
	}
	return c
}

// covers reports whether name, with or without a * at its end, means a quantity.
func covers(name string, id quantity.ID) bool {
	if begin, ok := strings.CutSuffix(name, "*"); ok {
		return strings.HasPrefix(id.String(), begin)
	}
	return name == id.String()
}

// Validate returns what of the Change under a name cannot be.
func (o Overrides) Validate(name string) error {
	c := o[name]
	numeric := false
	for id := range quantity.Count() {
		id := quantity.ID(id)
		numeric = numeric || covers(name, id) && id.Row().Numeric()
	}
	switch {
	case c.MinInterval != nil && c.MaxSilence != nil && *c.MaxSilence < *c.MinInterval:
		return errors.New("max_silence is shorter than min_interval: no value would come in time")
	case !numeric && (c.Deadband != nil || c.MaxSilence != nil):
		return errors.New("is text: only min_interval can be set")
	}
	return nil
}
