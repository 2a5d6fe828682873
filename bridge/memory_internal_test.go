package bridge

import (
	"slices"
	"testing"

	"github.com/hanbridge/hanbridge/bridge/internal/guard"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// TestMemoryUnderAnotherScale: a counter that is multiplied by something else is another counter, and so is what sums it.
func TestMemoryUnderAnotherScale(t *testing.T) {
	total, tariff, other := rowNamed("import_energy"), rowNamed("import_energy_t1"), rowNamed("export_energy")
	m := newMemory(nil, "house", nil)
	m.about.Protocol = "p1"
	for _, id := range []quantity.ID{total, tariff, other} {
		m.known = append(m.known, Known{ID: id, Decimals: 3})
		m.counters.Counters = append(m.counters.Counters, guard.Counter{Quantity: id.String(), Value: obis.Decimal{Coef: 7}})
	}
	text := m.encode()
	scale := new(quantity.Scale)
	scale[tariff] = obis.Decimal{Coef: 1, Exp: -1}
	for _, tt := range []struct {
		name  string
		scale *quantity.Scale
		want  []string
	}{
		{"the same", nil, []string{"import_energy", "import_energy_t1", "export_energy"}},
		{"one of the tariffs", scale, []string{"export_energy"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMemory(nil, "house", tt.scale)
			m.recall(text)
			var got []string
			for _, v := range m.last() {
				got = append(got, v.ID.String())
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			if n := len(m.counters.Counters); n != len(tt.want) {
				t.Errorf("the guard is given %d counters, want %d", n, len(tt.want))
			}
			if len(m.known) != 3 {
				t.Errorf("known: got %v, want all three", m.known)
			}
		})
	}
}

// TestMemoryOfAnotherUnit: a number without its unit says nothing.
func TestMemoryOfAnotherUnit(t *testing.T) {
	m := newMemory(nil, "house", nil)
	m.recall([]byte(`{"about":{"Protocol":"p1"},"quantities":[{"name":"gas","unit":"ft³","decimals":3,"every":0}],
		"guard":{"wall":1,"counters":[{"quantity":"gas","value":{"Coef":7,"Exp":0},"since":0,"seen":0}]}}`))
	if m.about.Protocol != "p1" || len(m.known) != 0 || len(m.counters.Counters) != 0 {
		t.Errorf("got %v, and counters %v", m.known, m.counters.Counters)
	}
}
