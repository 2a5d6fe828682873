package bridge

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/guard"
	"github.com/hanbridge/hanbridge/bridge/internal/state"
	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// memory is what is kept of one meter over restarts: what it is, where it was found, what it sends, what was found of it that it
// does not send, and the last good value of each counter. The meter's goroutine writes it, that of the state file reads it.
type memory struct {
	store *state.Store // nil: nothing is kept
	key   string
	scale *quantity.Scale

	mu          sync.Mutex
	about       Description
	descriptors []Descriptor
	scaling     meter.CurrentScaling
	counters    guard.Snapshot
}

// remembered is the form in which it is kept. Names, not numbers, since a later program has other rows.
type remembered struct {
	About      Description          `json:"about"`
	Quantities []rememberedQuantity `json:"quantities"`
	Scaling    meter.CurrentScaling `json:"scaling,omitzero"`
	Guard      guard.Snapshot       `json:"guard"`
}

type rememberedQuantity struct {
	Name     string        `json:"name"`
	Unit     string        `json:"unit"`
	Decimals uint8         `json:"decimals"`
	Every    time.Duration `json:"every"`
	// Scale is what its numbers were multiplied by, "" for 1, as memory.factor says it. A counter under another factor is another.
	Scale string `json:"scale,omitempty"`
}

// newMemory returns what an earlier run kept of a meter.
func newMemory(store *state.Store, meter string, scale *quantity.Scale) *memory {
	m := &memory{store: store, key: "meter/" + meter, scale: scale}
	m.recall(store.Value(m.key))
	return m
}

// recall reads what an earlier run kept. What it does not understand it leaves out.
func (m *memory) recall(text []byte) {
	var kept remembered
	if json.Unmarshal(text, &kept) != nil {
		return
	}
	m.about, m.scaling, m.counters = kept.About, kept.Scaling, kept.Guard
	for _, q := range kept.Quantities {
		id, ok := quantity.ByName(q.Name)
		if !ok {
			continue
		}
		as, ok := unitNamed(id, q.Unit)
		if ok {
			m.descriptors = append(m.descriptors, Descriptor{id, as, q.Decimals, q.Every})
		}
		if !ok || q.Scale != m.factor(id) {
			m.counters.Counters = slices.DeleteFunc(m.counters.Counters, func(c guard.Counter) bool { return c.Quantity == q.Name })
		}
	}
}

// unitNamed returns the index of a unit of a row; a text has none.
func unitNamed(id quantity.ID, unit string) (uint8, bool) {
	row := id.Row()
	for i := range row.Units {
		if row.Units[i].Symbol == unit {
			return uint8(i), true
		}
	}
	return 0, !row.Numeric()
}

// factor returns what the numbers of a quantity are multiplied by, and those of the tariffs that it may be the sum of.
func (m *memory) factor(id quantity.ID) string {
	if m.scale == nil {
		return ""
	}
	var all []string
	for _, suffix := range []string{"", "_t1", "_t2", "_t3", "_t4"} {
		if part, ok := quantity.ByName(id.String() + suffix); ok && m.scale[part].Coef != 0 {
			all = append(all, strings.TrimSpace(suffix+" "+m.scale[part].String()))
		}
	}
	return strings.Join(all, " ")
}

// encode is for the goroutine of the state file.
func (m *memory) encode() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.about.Protocol == "" {
		return nil // it has not spoken yet
	}
	kept := remembered{About: m.about, Scaling: m.scaling, Guard: m.counters}
	for _, k := range m.descriptors {
		q := rememberedQuantity{Name: k.ID.String(), Decimals: k.Decimals, Every: k.Every, Scale: m.factor(k.ID)}
		if row := k.ID.Row(); row.Numeric() {
			q.Unit = row.Units[k.UnitIndex].Symbol
		}
		kept.Quantities = append(kept.Quantities, q)
	}
	text, _ := json.Marshal(kept) // nothing in it makes it fail
	return text
}

// note takes the state of a meter after a telegram, where it is worth a write: descriptors is nil where it has not changed. Counted tells that
// the telegram has published a counter; seldom, that one of them comes once an hour or less often. The next run publishes the value on
// disk long before another comes, and must not step back.
func (m *memory) note(a *Description, descriptors []Descriptor, s meter.CurrentScaling, counted, seldom bool, g *guard.Guard) {
	if descriptors == nil && !counted && m.about == *a && m.scaling == s {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.about, m.scaling = *a, s
	if descriptors != nil {
		m.descriptors = descriptors
	}
	g.Snapshot(&m.counters)
	if seldom {
		m.store.MarkUrgent()
	} else {
		m.store.MarkChanged()
	}
}

// last returns the last good values of the counters of an earlier run, as they are published.
func (m *memory) last() (values []Value) {
	for _, c := range m.counters.Counters {
		id, _ := quantity.ByName(c.Quantity)
		if i := slices.IndexFunc(m.descriptors, func(d Descriptor) bool { return d.ID == id }); i >= 0 && id.String() == c.Quantity {
			values = append(values, Value{ID: id, UnitIndex: m.descriptors[i].UnitIndex, Decimals: m.descriptors[i].Decimals, Number: c.Value})
		}
	}
	return values
}

// remember begins with what an earlier run knew of the meter. Nothing of it is published before its first verified telegram. A recording
// goes on with no counter, and nothing is kept of it: it may be played twice, and the meter itself goes on.
func (p *pipeline) remember(store *state.Store) {
	m := newMemory(store, p.meter.ID, p.source.Options.Scale)
	p.memory = m
	if p.source.Recorded {
		m.store, m.counters = nil, guard.Snapshot{}
	} else {
		store.Register(m.key, m.encode)
	}
	if m.about.Protocol == "" {
		return
	}
	p.liveness.about = m.about
	p.worked = probe.Endpoint{Port: m.about.Port, Line: m.about.Line}
	p.decoder.SetCurrentScaling(m.scaling)
	p.guard.Restore(&m.counters)
	p.reminder = m.last()
	often := probe.LongestInterval
	for _, k := range m.descriptors {
		p.descriptors.remember(k)
		often = min(often, k.Every)
	}
	if len(m.descriptors) > 0 && often > cadences[0] {
		p.every.before = often
	}
	p.hand(update{descriptors: p.descriptors.taken()}, true)
}
