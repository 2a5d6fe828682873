package bridge

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge/internal/guard"
	"github.com/hanbridge/hanbridge/bridge/internal/state"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// TestStoredCounterOtherScale checks that a stored counter is dropped if its scale factor, or that of one of its tariffs, has changed.
func TestStoredCounterOtherScale(t *testing.T) {
	total, tariff, export := quantity.ImportEnergy, quantity.ImportEnergyT1, quantity.ExportEnergy
	m := newStoredMeter(nil, "house", nil)
	m.description.Protocol = "p1"
	for _, id := range []quantity.ID{total, tariff, export} {
		m.descriptors = append(m.descriptors, Descriptor{ID: id, Decimals: 3})
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
		{"no change", nil, []string{"import_energy", "import_energy_t1", "export_energy"}},
		{"a factor for one of the tariffs", scale, []string{"export_energy"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newStoredMeter(nil, "house", tt.scale)
			m.decode(text)
			var got []string
			for _, v := range m.counterValues() {
				got = append(got, v.ID.String())
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("stored counters: got %v, want %v", got, tt.want)
			}
			if got := len(m.counters.Counters); got != len(tt.want) {
				t.Errorf("counters for the guard: got %d, want %d", got, len(tt.want))
			}
			if len(m.descriptors) != 3 {
				t.Errorf("descriptors: got %v, want all three", m.descriptors)
			}
		})
	}
}

// TestStoredCounterOtherUnit checks that a stored counter with an unknown unit is dropped.
func TestStoredCounterOtherUnit(t *testing.T) {
	m := newStoredMeter(nil, "house", nil)
	m.decode([]byte(`{"about":{"Protocol":"p1"},"quantities":[{"name":"gas","unit":"ft³","decimals":3,"every":0}],
		"guard":{"wall":1,"counters":[{"quantity":"gas","value":{"Coef":7,"Exp":0},"since":0,"seen":0}]}}`))
	if m.description.Protocol != "p1" || len(m.descriptors) != 0 || len(m.counters.Counters) != 0 {
		t.Errorf("got descriptors %v and counters %v, want none", m.descriptors, m.counters.Counters)
	}
}

// TestStateOfEarlierVersion checks that the documents of an earlier version are read and encoded without a change, and that the id of the bridge
// stays the same.
func TestStateOfEarlierVersion(t *testing.T) {
	dir := t.TempDir()
	unpack(t, "internal/state/testdata/hanbridge.db.gz", filepath.Join(dir, "hanbridge.db"))
	store := state.Open(dir, zerolog.Nop())
	defer store.Close()
	for _, meter := range []string{"house", "garage"} {
		stored := string(store.Value("meter/" + meter))
		m := newStoredMeter(store, meter, nil)
		if diff := cmp.Diff(stored, string(m.encode())); diff != "" || len(m.counterValues()) == 0 {
			t.Errorf("%s: the encoded document differs from the stored one (-stored +encoded):\n%s", meter, diff)
		}
	}
	stored := decodeInstance(store.Value(instanceKey))
	if i := newInstance(store); i == nil || stored.ID == "" || !i.Owns(stored.ID+"."+stored.Runs[0]) {
		t.Errorf("got instance %+v, want the id and the runs of %+v", i, stored)
	}
}

// unpack writes the content of a gzip file to path.
func unpack(t *testing.T, gzipPath, path string) {
	t.Helper()
	from, err := os.Open(gzipPath)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	unpacked, err := gzip.NewReader(from)
	if err != nil {
		t.Fatal(err)
	}
	file, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
}
