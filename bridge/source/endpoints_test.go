package source_test

import (
	"testing"

	"github.com/hanbridge/hanbridge/bridge/probe"
)

func endpoints(t *testing.T, s probe.Source) []probe.Endpoint {
	t.Helper()
	all, err := s.Endpoints()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// only returns the endpoint of a source that has one.
func only(t *testing.T, s probe.Source) probe.Endpoint {
	t.Helper()
	all := endpoints(t, s)
	if len(all) != 1 {
		t.Fatalf("got %d endpoints, want 1", len(all))
	}
	return all[0]
}
