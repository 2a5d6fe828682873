package source_test

import (
	"testing"

	"github.com/hanbridge/hanbridge/bridge"
)

func candidates(t *testing.T, s bridge.Source) []bridge.Candidate {
	t.Helper()
	all, err := s.Candidates()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// only returns the candidate of a source that has one.
func only(t *testing.T, s bridge.Source) bridge.Candidate {
	t.Helper()
	all := candidates(t, s)
	if len(all) != 1 {
		t.Fatalf("got %d candidates, want 1", len(all))
	}
	return all[0]
}
