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

// A Preset names a set of Rates, one for every quantity.
type Preset uint8

const (
	// Realtime publishes every value of every telegram.
	Realtime Preset = iota
	// Balanced shows within seconds that a load was switched. For a meter with a telegram a second it publishes about a twenty-fifth of the
	// states of Realtime.
	Balanced
	// Frugal publishes about a third of the states of Balanced. It is for small machines and long histories.
	Frugal
)

var presets = [...]string{"realtime", "balanced", "frugal"}

// String returns the preset's name, as UnmarshalText reads it.
func (p Preset) String() string { return presets[p] }

// UnmarshalText reads a preset's name. After an error p is unchanged.
func (p *Preset) UnmarshalText(text []byte) error {
	i := slices.Index(presets[:], string(text))
	if i < 0 {
		return fmt.Errorf("%q is not a way to publish: write balanced, realtime or frugal", text)
	}
	*p = Preset(i)
	return nil
}

// rates are the rates of the presets by the kind of quantity. The standby power of a house varies by 15 W on each phase. With a deadband
// below 30 W, this noise would be published at each MinInterval. A deadband of 30 W and 2 % shows every appliance. A short MinInterval
// costs little if changes are rare. With 5 s it shows a kettle, or a surplus of solar power, soon enough to react.
var rates = [...][quantity.Counter + 1]Rate{
	Balanced: {
		quantity.Status:  {MaxSilence: RepeatAfter},
		quantity.Power:   {5 * time.Second, mustDeadband("30 2%"), time.Minute},
		quantity.Voltage: {10 * time.Second, mustDeadband("0.5"), 2 * time.Minute},
		quantity.Current: {10 * time.Second, mustDeadband("0.2 2%"), 2 * time.Minute},
		quantity.Ratio:   {10 * time.Second, mustDeadband("0.02"), 2 * time.Minute},
		quantity.Counter: {time.Minute, Deadband{}, time.Minute},
	},
	Frugal: {
		quantity.Status:  {MaxSilence: RepeatAfter},
		quantity.Power:   {15 * time.Second, mustDeadband("100 5%"), 3 * time.Minute},
		quantity.Voltage: {30 * time.Second, mustDeadband("1.5"), 5 * time.Minute},
		quantity.Current: {30 * time.Second, mustDeadband("0.5 5%"), 5 * time.Minute},
		quantity.Ratio:   {30 * time.Second, mustDeadband("0.05"), 5 * time.Minute},
		quantity.Counter: {5 * time.Minute, Deadband{}, 5 * time.Minute},
	},
}

// mustDeadband returns the Deadband of a text of this package. It panics if the text is invalid.
func mustDeadband(text string) (d Deadband) {
	if err := d.UnmarshalText([]byte(text)); err != nil {
		panic("throttle: " + err.Error())
	}
	return d
}

// A Plan has the Rate of every quantity. The zero Plan is the Plan of Realtime. All meters use the same Plan. Do not change it while a
// Throttle uses it.
type Plan struct {
	preset Preset
	rates  [256]Rate
}

// NewPlan returns the Plan of a preset.
func NewPlan(p Preset) *Plan {
	plan := &Plan{preset: p}
	for i := range quantity.Rows() {
		if p != Realtime {
			plan.rates[i] = rates[p][quantity.Rows()[i].Kind]
		}
	}
	return plan
}

// DiagnosticsInterval returns how often the bridge publishes its own counts, such as those of telegrams and errors.
func (p *Plan) DiagnosticsInterval() time.Duration {
	return [...]time.Duration{Realtime: time.Minute, Balanced: RepeatAfter, Frugal: 3 * RepeatAfter}[p.preset]
}

// Rate returns how often a quantity is published.
func (p *Plan) Rate(id quantity.ID) Rate { return p.rates[id] }

// An Override has the fields of a Rate that the configuration sets. A field that is nil leaves the Rate as it is. No duration is negative.
type Override struct {
	MinInterval *time.Duration `mapstructure:"min_interval"`
	Deadband    *Deadband      `mapstructure:"deadband"`
	MaxSilence  *time.Duration `mapstructure:"max_silence"`
}

// Overrides have an Override for each name of a quantity. A name that ends in * means all quantities whose names begin with the text before
// the *.
type Overrides map[string]Override

// Set changes the Rate of a quantity. A quantity that was published with every telegram gets a MaxSilence of a minute, unless o sets
// another. MaxSilence is never below MinInterval: if o sets only MaxSilence, MinInterval is lowered to MaxSilence. Otherwise MaxSilence is
// raised.
func (p *Plan) Set(id quantity.ID, o Override) {
	r := p.rates[id]
	if r == (Rate{}) {
		r.MaxSilence = time.Minute
	}
	if o.MinInterval != nil {
		r.MinInterval = *o.MinInterval
	}
	if o.Deadband != nil {
		r.Deadband = *o.Deadband
	}
	if o.MaxSilence != nil {
		r.MaxSilence = *o.MaxSilence
	}
	if o.MinInterval == nil {
		r.MinInterval = min(r.MinInterval, r.MaxSilence)
	}
	r.MaxSilence = max(r.MinInterval, r.MaxSilence)
	p.rates[id] = r
}

// Override changes the Rates of all quantities that o names. If several names match a quantity, the longest one that sets a field counts.
func (p *Plan) Override(o Overrides) {
	for id := range quantity.Count() {
		id := quantity.ID(id)
		if merged := o.merge(id); merged != (Override{}) {
			p.Set(id, merged)
		}
	}
}

// merge returns the fields that all names together set for a quantity.
func (o Overrides) merge(id quantity.ID) Override {
	name := id.String()
	merged := o[name]
	for end := len(name); end >= 0; end-- {
		shorter := o[name[:end]+"*"]
		merged.MinInterval = cmp.Or(merged.MinInterval, shorter.MinInterval)
		merged.Deadband = cmp.Or(merged.Deadband, shorter.Deadband)
		merged.MaxSilence = cmp.Or(merged.MaxSilence, shorter.MaxSilence)
	}
	return merged
}

// matches reports whether name, with or without a * at its end, means the quantity.
func matches(name string, id quantity.ID) bool {
	if prefix, ok := strings.CutSuffix(name, "*"); ok {
		return strings.HasPrefix(id.String(), prefix)
	}
	return name == id.String()
}

// Validate returns an error if the Override of a name is not possible: MaxSilence below MinInterval, or a field that a quantity that is
// text cannot have.
func (o Overrides) Validate(name string) error {
	c := o[name]
	numeric := false
	for id := range quantity.Count() {
		id := quantity.ID(id)
		numeric = numeric || matches(name, id) && id.Row().Numeric()
	}
	switch {
	case c.MinInterval != nil && c.MaxSilence != nil && *c.MaxSilence < *c.MinInterval:
		return errors.New("max_silence is shorter than min_interval: no value would come in time")
	case !numeric && (c.Deadband != nil || c.MaxSilence != nil):
		return errors.New("is text: only min_interval can be set")
	}
	return nil
}
