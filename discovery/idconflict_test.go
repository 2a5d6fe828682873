package discovery

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// TestIDConflicts tests which meter ids conflict, and which unique id or entity id they share.
func TestIDConflicts(t *testing.T) {
	tests := []struct {
		name string
		ids  []string
		want []IDConflict
	}{
		{"different ids", []string{"house", "houses", "barn"}, nil},
		{"equal ids are one meter", []string{"house", "house"}, nil},
		{"ids that share the unique id of one quantity", []string{"house", "house_long"}, []IDConflict{{1, 0, "hanbridge_house_long_power_failures"}}},
		{"the longer id is first", []string{"house_long", "house"}, []IDConflict{{1, 0, "hanbridge_house_long_power_failures"}}},
		{"the first of three ids has no conflict", []string{"house_x", "house_long", "house"}, []IDConflict{{2, 1, "hanbridge_house_long_power_failures"}}},
		{"ids with the same slug", []string{"a-b", "a_b"}, []IDConflict{{1, 0, "sensor.a_b_import_power"}}},
		{"ids that share the entity id of one quantity", []string{"house", "house-long"}, []IDConflict{{1, 0, "sensor.house_long_power_failures"}}},
		{"no quantity has a name that consists of \"last_\" and the name of another quantity", []string{"house", "house_last"}, nil},
		{"conflict with the bridge", []string{"hanbridge-"}, []IDConflict{{0, -1, "binary_sensor.hanbridge_connection"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, IDConflicts(tt.ids)); diff != "" {
				t.Errorf("conflicts (-want +got):\n%s", diff)
			}
		})
	}
}

// TestIDConflictsMatchAnnouncements tests that two ids conflict exactly if two announcements have the same unique id or entity id.
func TestIDConflictsMatchAnnouncements(t *testing.T) {
	parts := []string{"a", "hanbridge", "long", "import", "power", "last", "average", "voltage", "l1", "reactive", "total"}
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.Custom(func(t *rapid.T) string {
			text := ""
			for _, part := range rapid.SliceOfN(rapid.SampledFrom(parts), 1, 3).Draw(t, "parts") {
				text += part + rapid.SampledFrom([]string{"_", "-", ""}).Draw(t, "gap")
			}
			return text
		})
		idA, idB := "a"+id.Draw(t, "id A"), "a"+id.Draw(t, "id B")
		if rapid.Bool().Draw(t, "id B begins with id A") {
			idB = idA + rapid.SampledFrom([]string{"_", "-", "__"}).Draw(t, "gap") + idB[1:] // without the letter a
		}
		names := announcedNames(Config.Bridge)
		isUsed := func(name string) bool { return slices.Contains(names, name) }
		conflicts := slices.ContainsFunc(meterNames(idA), isUsed)
		names = append(names, meterNames(idA)...)
		conflicts = conflicts || idA != idB && slices.ContainsFunc(meterNames(idB), isUsed) // equal ids are one meter
		if got := IDConflicts([]string{idA, idB}); len(got) > 0 != conflicts {
			t.Errorf("%q and %q: got conflicts %v, but the announcements conflict: %v", idA, idB, got, conflicts)
		}
	})
}

// meterNames returns the unique ids and entity ids of a meter with all quantities.
func meterNames(id string) []string {
	m := Meter{ID: id}
	for q := range quantity.Count() {
		m.Quantities = append(m.Quantities, Quantity{ID: quantity.ID(q)})
	}
	return announcedNames(func(c Config) []Message { return c.Meter(m) })
}

// announcedNames returns the unique ids and entity ids in the messages that announce returns.
func announcedNames(announce func(Config) []Message) (names []string) {
	for _, m := range announce(Config{Style: Component}) {
		var entity struct {
			UniqueID string `json:"unique_id"`
			EntityID string `json:"default_entity_id"`
		}
		if json.Unmarshal(m.Payload, &entity) == nil {
			names = append(names, entity.UniqueID, entity.EntityID)
		}
	}
	return names
}
