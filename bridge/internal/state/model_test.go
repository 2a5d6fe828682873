package state_test

import (
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/bridge/internal/state"
)

// TestStoreIsAMapThatSurvives: whatever is kept and forgotten, values of any length, the next Open finds it, and no damage.
func TestStoreIsAMapThatSurvives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "hanbridge-test-")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		model := make(map[string]string)
		var s *state.Store
		reopen := func(t *rapid.T) {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if s, err = state.Open(dir); err != nil {
				t.Fatal(err)
			}
			if _, cause := s.Aside(); cause != nil || !maps.Equal(values(s), model) {
				t.Fatalf("%v; on disk (-want +got):\n%s", cause, cmp.Diff(model, values(s)))
			}
		}
		reopen(t)
		keys := rapid.SampledFrom([]string{"a", "guard/", "discovery/"})
		lengths := rapid.SampledFrom([]int{0, 1, 50, 400, 4096, 20000})
		t.Repeat(map[string]func(*rapid.T){
			"commit": func(*rapid.T) { s.Commit() },
			"reopen": func(t *rapid.T) { s.Commit(); reopen(t) },
			"keep": func(t *rapid.T) {
				prefix, length := keys.Draw(t, "prefix"), lengths.Draw(t, "length")
				for i := range rapid.IntRange(1, 40).Draw(t, "keys") {
					key := fmt.Sprint(prefix, i)
					model[key] = strings.Repeat(fmt.Sprint(len(model)%10), length)
					value := model[key]
					s.Keep(key, func() []byte { return []byte(value) })
				}
			},
			"forget": func(t *rapid.T) {
				prefix := keys.Draw(t, "prefix")
				for i := range rapid.IntRange(1, 40).Draw(t, "keys") {
					s.Forget(fmt.Sprint(prefix, i))
					delete(model, fmt.Sprint(prefix, i))
				}
			},
		})
		s.Commit()
		reopen(t)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
