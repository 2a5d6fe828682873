package bridge

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/guard"
	"github.com/hanbridge/hanbridge/bridge/internal/state"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// storedMeter is the state of one meter that survives a restart: its description, the quantities that it sends, the scaling of its currents,
// and the last accepted value of each counter. The goroutine of the meter calls update, and the goroutine of the state file
// calls encode.
type storedMeter struct {
	store *state.Store // nil if nothing is stored
	key   string
	scale *quantity.Scale

	mu          sync.Mutex
	description Description
	descriptors []Descriptor
	scaling     meter.CurrentScaling
	counters    guard.Snapshot
}

// storedDocument is the JSON document of a storedMeter. It has the names of quantities and not their IDs, because a later version can have another
// table of quantities.
// The names in the JSON, and those of the fields of Description, must never change.
type storedDocument struct {
	About      Description          `json:"about"`
	Quantities []storedQuantity     `json:"quantities"`
	Scaling    meter.CurrentScaling `json:"scaling,omitzero"`
	Guard      guard.Snapshot       `json:"guard"`
}

type storedQuantity struct {
	Name     string        `json:"name"`
	Unit     string        `json:"unit"`
	Decimals uint8         `json:"decimals"`
	Every    time.Duration `json:"every"`
	// Scale is the result of storedMeter.factor. If it differs in the next run, the counter does not continue from its stored value.
	Scale string `json:"scale,omitempty"`
}

// newStoredMeter returns the state of a meter in an earlier run.
func newStoredMeter(store *state.Store, meter string, scale *quantity.Scale) *storedMeter {
	m := &storedMeter{store: store, key: "meter/" + meter, scale: scale}
	m.decode(store.Value(m.key))
	return m
}

// decode reads a document. It leaves out quantities with an unknown name or unit, and counters whose scale has changed since.
func (m *storedMeter) decode(text []byte) {
	var document storedDocument
	if json.Unmarshal(text, &document) != nil {
		return
	}
	m.description, m.scaling, m.counters = document.About, document.Scaling, document.Guard
	for _, q := range document.Quantities {
		id, ok := quantity.ByName(q.Name)
		if !ok {
			continue
		}
		unit, ok := unitNamed(id, q.Unit)
		if ok {
			m.descriptors = append(m.descriptors, Descriptor{id, unit, q.Decimals, q.Every})
		}
		if !ok || q.Scale != m.factor(id) {
			m.counters.Counters = slices.DeleteFunc(m.counters.Counters, func(c guard.Counter) bool { return c.Quantity == q.Name })
		}
	}
}

// unitNamed returns the index of a unit in the row of a quantity. A text has no unit; its index is 0.
func unitNamed(id quantity.ID, unit string) (uint8, bool) {
	row := id.Row()
	for i := range row.Units {
		if row.Units[i].Symbol == unit {
			return uint8(i), true
		}
	}
	return 0, !row.Numeric()
}

// factor returns as text the scale factors of a quantity, and of its tariffs if the quantity can be their sum; "" if there are none.
func (m *storedMeter) factor(id quantity.ID) string {
	if m.scale == nil {
		return ""
	}
	var factors []string
	for _, suffix := range []string{"", "_t1", "_t2", "_t3", "_t4"} {
		if id, ok := quantity.ByName(id.String() + suffix); ok && m.scale[id].Coef != 0 {
			factors = append(factors, strings.TrimSpace(suffix+" "+m.scale[id].String()))
		}
	}
	return strings.Join(factors, " ")
}

// encode returns the document; nil before the first telegram. The goroutine of the state file calls it.
func (m *storedMeter) encode() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.description.Protocol == "" {
		return nil // the meter has sent no telegram yet
	}
	document := storedDocument{About: m.description, Scaling: m.scaling, Guard: m.counters}
	for _, d := range m.descriptors {
		q := storedQuantity{Name: d.ID.String(), Decimals: d.Decimals, Every: d.Every, Scale: m.factor(d.ID)}
		if row := d.ID.Row(); row.Numeric() {
			q.Unit = row.Units[d.UnitIndex].Symbol
		}
		document.Quantities = append(document.Quantities, q)
	}
	text, _ := json.Marshal(document) // cannot fail
	return text
}

// update stores the state of a meter after a telegram, if something has changed. Descriptors is nil if they have not changed.
//
// If an output has published a counter that the meter seldom sends, the state is written to disk at once. After a crash, the next run publishes the
// stored value long before the meter sends another one. A stored value that is too old would be below the value that was published before the crash.
func (m *storedMeter) update(now *Snapshot, descriptors []Descriptor, s meter.CurrentScaling, published publishedCounters, c *chain) {
	if descriptors == nil && !published.any && m.description == now.Description && m.scaling == s {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.description, m.scaling = now.Description, s
	if descriptors != nil {
		m.descriptors = descriptors
	}
	c.snapshot(&m.counters)
	if published.rare {
		m.store.MarkUrgent()
	} else {
		m.store.MarkChanged()
	}
}

// forgetCounters drops the counters of the earlier run, and makes update store nothing.
func (m *storedMeter) forgetCounters() {
	m.store, m.counters = nil, guard.Snapshot{}
}

// keep makes the state file keep the last state of a meter that was removed.
func (m *storedMeter) keep() {
	if text := m.encode(); text != nil {
		m.store.Set(m.key, text)
	}
}

// counterValues returns the last accepted values of the counters, as they are published.
func (m *storedMeter) counterValues() (values []Value) {
	for _, c := range m.counters.Counters {
		id, _ := quantity.ByName(c.Quantity)
		if i := slices.IndexFunc(m.descriptors, func(d Descriptor) bool { return d.ID == id }); i >= 0 && id.String() == c.Quantity {
			values = append(values, Value{ID: id, UnitIndex: m.descriptors[i].UnitIndex, Decimals: m.descriptors[i].Decimals, Number: c.Value})
		}
	}
	return values
}
