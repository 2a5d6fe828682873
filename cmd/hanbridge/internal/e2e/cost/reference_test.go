//go:build linux

package cost_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// buildReference builds the program in testdata/reference as for a release, and returns its path. It publishes with a bare MQTT client what the
// bridge publishes. A ratio to it can be compared between machines.
func buildReference(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "reference")
	build := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "./testdata/reference")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// startReference starts the reference, which publishes a telegram each second until it is killed.
func startReference(b *testing.B, reference, address string) *testbed.Process {
	b.Helper()
	return testbed.Launch(b, nil, reference, address, "second")
}

// referenceTime returns the time from the reference's first Publish of its next telegram until the subscriber has the last message.
func referenceTime(b *testing.B, received <-chan message) time.Duration {
	b.Helper()
	m := next(b, received)
	var telegram struct{ Started int64 }
	if err := json.Unmarshal([]byte(m.payload), &telegram); err != nil {
		b.Fatal(err)
	}
	return m.at.Sub(time.Unix(0, telegram.Started))
}

// reportRatio reports the medians of the reference's times, and the ratio of the median of times to it.
func reportRatio(b *testing.B, times, reference []time.Duration) {
	b.Helper()
	reportTimes(b, "reference", reference) // sorts
	slices.Sort(times)
	b.ReportMetric(float64(times[(len(times)-1)/2])/float64(reference[(len(reference)-1)/2]), "ratio")
}
