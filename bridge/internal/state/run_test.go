package state_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/progress"
)

// openAndRun opens the store in dir and calls its Run, which ends when stop is called.
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

// TestRunCommitInterval checks when Run commits. The first change is committed at once, further changes are committed together 10 s later.
// If a change is urgent or ctx ends, Run commits at once.
func TestRunCommitInterval(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s, stop := openAndRun(t, dir)
		change := func(value string) { set(s, map[string]string{"a": value}) }
		wantAfter := func(wait time.Duration, value string) {
			t.Helper()
			<-time.After(wait)
			synctest.Wait()
			if got := onDisk(t, dir)["a"]; got != value {
				t.Errorf("got %q on disk, want %q", got, value)
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

// TestSync checks that the documents are on disk when Sync returns, also within 10 s after a commit. Without Run, Sync returns when its context ends.
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
			t.Error("Sync did not wait for a commit")
		}
		closeStore(t, s)
	})
}

// TestRunDoesNotBlock checks that the other methods do not wait while Run waits for a slow encoder.
func TestRunDoesNotBlock(t *testing.T) {
	s := openCleanly(t, t.TempDir())
	called, release := make(chan struct{}), make(chan struct{})
	first := sync.OnceFunc(func() { close(called) })
	s.Register("slow", func() []byte {
		first()
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

// TestRunReportsProgress checks that Run reports that it works during a commit, and that it waits before and after.
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
		t.Error("Run reports that it waits during a commit")
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
		t.Error("Run reports that it works after it has ended")
	}
}
