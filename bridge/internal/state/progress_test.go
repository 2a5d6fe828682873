package state_test

import (
	"context"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/progress"
)

// TestRunReports: a Run that is held up in a commit works, one that has nothing to do waits.
func TestRunReports(t *testing.T) {
	s, g := begin(t, t.TempDir()), progress.NewGroup()
	s.SetReporter(g.Add("state file"))
	asked, release := make(chan struct{}), make(chan struct{})
	s.Register("a", func() []byte { close(asked); <-release; return nil })
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { _ = s.Run(ctx); close(ended) }()
	working := func() bool { return g.Statuses()[0].Working > 0 }
	s.MarkChanged()
	<-asked
	if !working() {
		t.Error("it says that it waits, in the middle of a commit")
	}
	s.Register("a", func() []byte { return nil })
	close(release)
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for working() { // until the commit is done
		<-again.C
	}
	stop()
	<-ended
	if working() {
		t.Error("it says that it works, and has ended")
	}
}
