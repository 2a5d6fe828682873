package state_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/progress"
)

// openAndRun opens the store in dir and starts its Run in a goroutine. The function stop ends Run.
func openAndRun(t *testing.T, dir string) (s *store, stop func()) {
	t.Helper()
	s = openCleanly(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	return s, func() {
		t.Helper()
		cancel()
		must(t, <-ended)
	}
}

// TestRunCommitInterval checks that Run commits the first change immediately, and further changes together 10 s later. If a change is
// urgent or ctx ends, Run commits immediately.
func TestRunCommitInterval(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s, stop := openAndRun(t, dir)
		change := func(value string) { set(s, map[string]string{"a": value}) }
		wantAfter := func(wait time.Duration, want string) { // checks the document on disk after the wait
			t.Helper()
			<-time.After(wait)
			synctest.Wait()
			if got := onDisk(t, dir)["a"]; got != want {
				t.Errorf("got %q on disk, want %q", got, want)
			}
		}
		wantAfter(time.Minute, "")
		change("1")
		wantAfter(0, "1")
		change("2")
		wantAfter(time.Second, "1")
		change("3")
		wantAfter(8*time.Second, "1")
		wantAfter(time.Second, "3")
		wantAfter(time.Minute, "3")
		change("4")
		wantAfter(0, "4")
		change("5")
		wantAfter(0, "4")
		s.MarkUrgent()
		wantAfter(0, "5")
		change("6")
		wantAfter(time.Second, "5")
		stop()
		wantAfter(0, "6")
		closeStore(t, s)
	})
}

// TestSync checks that the documents are on disk when Sync returns, also within 10 s after a commit. After Run has ended, Sync must return
// when its context ends.
func TestSync(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s, stop := openAndRun(t, dir)
		start := time.Now()
		for _, value := range []string{"1", "2", "3", "3"} {
			set(s, map[string]string{"a": value})
			s.Sync(t.Context())
			wantOnDisk(t, dir, map[string]string{"a": value})
		}
		if waited := time.Since(start); waited > time.Second {
			t.Errorf("Sync waited %v in all, want no pause between commits", waited)
		}
		stop()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		s.Sync(ctx)
		if ctx.Err() == nil {
			t.Error("after Run has ended: Sync returned before its context ended")
		}
		closeStore(t, s)
	})
}

// TestRunDoesNotBlock checks that MarkChanged, Register and Value do not wait while Run waits for a slow encoder.
func TestRunDoesNotBlock(t *testing.T) {
	s := openCleanly(t, t.TempDir())
	called, release := make(chan struct{}), make(chan struct{})
	signalCalled := sync.OnceFunc(func() { close(called) })
	s.Register("slow", func() []byte {
		signalCalled()
		<-release
		return []byte("1")
	})
	s.MarkChanged()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	<-called
	s.MarkChanged()
	s.Register("other", func() []byte { return nil })
	_ = s.Value("slow")
	stop()
	close(release)
	must(t, <-ended)
}

// TestRunReportsProgress checks that Run reports that it works during a commit, and that it waits after the commit.
func TestRunReportsProgress(t *testing.T) {
	s, g := openCleanly(t, t.TempDir()), progress.NewGroup()
	s.SetReporter(g.Add("state file"))
	called, release := make(chan struct{}), make(chan struct{})
	s.Register("a", func() []byte { close(called); <-release; return nil })
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { _ = s.Run(ctx); close(ended) }()
	working := func() bool { return g.Statuses()[0].Working > 0 }
	s.MarkChanged()
	<-called
	if !working() {
		t.Error("during a commit: Run reports that it waits, want that it works")
	}
	s.Register("a", func() []byte { return nil })
	close(release)
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for working() { // until the commit is done
		<-ticker.C
	}
	stop()
	<-ended
	if working() {
		t.Error("after Run has ended: Run reports that it works, want that it waits")
	}
}
