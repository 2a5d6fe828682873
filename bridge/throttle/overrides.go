package throttle

import (
	"cmp"
	"errors"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A Change is what a person sets of a Rate; nil is what they leave as it is. No Duration is negative.
type Change struct {
	MinInterval *time.Duration `mapstructure:"min_interval"`
	Deadband    *Deadband      `mapstructure:"deadband"`
	MaxSilence  *time.Duration `mapstructure:"max_silence"`
}

// Overrides say what differs from a preset: by the name of a quantity, or by the beginning of several with a * behind it.
type Overrides map[string]Change

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

// Covers reports whether name, with or without a * at its end, means a quantity.
func Covers(name string, id quantity.ID) bool {
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
		numeric = numeric || Covers(name, id) && id.Row().Numeric()
	}
	switch {
	case c.MinInterval != nil && c.MaxSilence != nil && *c.MaxSilence < *c.MinInterval:
		return errors.New("max_silence is shorter than min_interval: no value would come in time")
	case !numeric && (c.Deadband != nil || c.MaxSilence != nil):
		return errors.New("is text: only min_interval can be set")
	}
	return nil
}
