package progress_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/bridge/internal/progress"
)

// TestStuck checks that a goroutine is reported as stuck only while it works without progress.
func TestStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := progress.NewGroup()
		a, b := g.Add("output a"), g.Add("output b")
		stuck := func() string { return strings.Join(progress.Stuck(g.Statuses(), time.Minute), ", ") }
		a.Working() // no time has passed since NewGroup, so the Reporter stores 1 ns, because 0 would mean that the goroutine waits
		b.Waiting()
		start := time.Now().Local() // Stuck prints local times
		at := func(after time.Duration) string { return start.Add(after).Format(time.TimeOnly) }
		for _, step := range []struct {
			wait   time.Duration
			report func() // after wait; nil for none
			want   string // the stuck goroutines after report
		}{
			{59 * time.Second, nil, ""},
			{time.Second + time.Nanosecond, nil, "output a is stuck: no progress since " + at(0) + " (1m0s)"},
			{time.Hour, b.Working, "output a is stuck: no progress since " + at(0) + " (1h1m0s)"},
			{time.Minute, a.Working, "output b is stuck: no progress since " + at(61*time.Minute) + " (1m0s)"},
			{time.Minute, b.Waiting, "output a is stuck: no progress since " + at(62*time.Minute) + " (1m0s)"},
			{time.Minute, a.Waiting, ""},
			{time.Hour, nil, ""},
		} {
			<-time.After(step.wait)
			if step.report != nil {
				step.report()
			}
			if got := stuck(); got != step.want {
				t.Errorf("%v after the start: got %q, want %q", time.Since(start), got, step.want)
			}
		}
	})
}

// TestNote checks that a note is in the status until it is removed.
func TestNote(t *testing.T) {
	g := progress.NewGroup()
	a := g.Add("a")
	g.Add("b")
	a.Note("the broker is away")
	want := []progress.Status{{Name: "a", Note: "the broker is away"}, {Name: "b"}}
	if diff := cmp.Diff(want, g.Statuses()); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	a.Note("")
	if got := g.Statuses()[0].Note; got != "" {
		t.Errorf("got note %q, want none", got)
	}
}

// TestNil checks that a nil Reporter and a nil Group can be used.
func TestNil(t *testing.T) {
	var r *progress.Reporter
	r.Working()
	r.Waiting()
	r.Note("x")
	if statuses := (*progress.Group)(nil).Statuses(); !slices.Equal(statuses, nil) {
		t.Errorf("got statuses %v, want none", statuses)
	}
}

// TestReporterAllocations tests that the methods of a Reporter allocate no memory, except Note with a text.
func TestReporterAllocations(t *testing.T) {
	r := progress.NewGroup().Add("a")
	if n := testing.AllocsPerRun(100, func() { r.Working(); r.Note(""); r.Waiting() }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}
