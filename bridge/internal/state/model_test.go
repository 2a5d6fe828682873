package state_test

import (
	"encoding/json"
	"maps"
	"testing"

	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/bridge/internal/state"
)

// TestFileHoldsAnyDocuments: whatever the keys and documents, a file gives them back.
func TestFileHoldsAnyDocuments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := make(map[string]json.RawMessage)
		for key, value := range rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "documents") {
			want[key], _ = json.Marshal(map[string]any{"text": value, "number": len(value)})
		}
		text, err := state.Encode(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := state.Decode(text)
		if err != nil || !maps.EqualFunc(got, want, func(x, y json.RawMessage) bool { return string(x) == string(y) }) {
			t.Fatalf("got %s, %v of %s, want %s", got, err, text, want)
		}
	})
}
