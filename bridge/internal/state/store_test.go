package state_test

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/bridge/internal/state"
)

// begin opens the store in dir and closes it when the test is over.
func begin(t *testing.T, dir string) *state.Store {
	t.Helper()
	s, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(t, s) })
	return s
}

func end(t *testing.T, s *state.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// keep has s keep the values.
func keep(s *state.Store, values map[string]string) {
	for key, value := range values {
		s.Keep(key, func() []byte { return []byte(value) })
	}
	s.Changed()
}

// values returns all that s found on disk.
func values(s *state.Store) map[string]string {
	found := make(map[string]string)
	for _, key := range s.Keys("") {
		found[key] = string(s.Value(key))
	}
	return found
}

// wrote makes a state file with the values, in a new folder.
func wrote(t *testing.T, values map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	s := begin(t, dir)
	keep(s, values)
	s.Commit()
	end(t, s)
	return dir
}

// commits returns how many there were, from the first pages of the file.
func commits(t *testing.T, dir string) int {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "hanbridge.db"))
	if err != nil {
		t.Fatal(err)
	}
	const at = 64 // of the number
	return int(max(binary.NativeEndian.Uint64(b[at:]), binary.NativeEndian.Uint64(b[4096+at:]))) - 1
}

func TestStoreFindsWhatWasKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "var", "hanbridge")
	want := map[string]string{"guard/house": "12345", "guard/garage": "", "announced": "\x00\xff"}
	s := begin(t, dir)
	if got := values(s); len(got) != 0 {
		t.Errorf("got %v in a new store, want nothing", got)
	}
	keep(s, want)
	s.Keep("nothing", func() []byte { return nil })
	s.Commit()
	end(t, s)

	s = begin(t, dir)
	if diff := cmp.Diff(want, values(s)); diff != "" {
		t.Errorf("found another than was kept (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"guard/garage", "guard/house"}, s.Keys("guard/")); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	if file, cause := s.Aside(); file != "" || cause != nil {
		t.Errorf("got %q, %v, want nothing set aside", file, cause)
	}
	s.Value("guard/house")[0] = 'x'
	if got := string(s.Value("guard/house")); got != "12345" {
		t.Errorf("got %q after a change to the copy, want 12345", got)
	}
	for path, want := range map[string]os.FileMode{dir: 0o700 | os.ModeDir, filepath.Join(dir, "hanbridge.db"): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: got %v, %v, want %v", path, info.Mode(), err, want)
		}
	}
}

func TestStoreKeepsWhatNobodyKeepsUntilItIsForgotten(t *testing.T) {
	dir := wrote(t, map[string]string{"a": "1", "b": "2", "c": "3"})
	s := begin(t, dir)
	s.Keep("a", func() []byte { return []byte("4") })
	s.Keep("c", func() []byte { return []byte("5") })
	s.Forget("b")
	s.Forget("c")
	s.Commit()
	if diff := cmp.Diff(map[string]string{"a": "1", "b": "2", "c": "3"}, values(s)); diff != "" {
		t.Errorf("values at Open have changed (-want +got):\n%s", diff)
	}
	s.Keep("c", func() []byte { return []byte("6") })
	s.Commit()
	end(t, s)
	if diff := cmp.Diff(map[string]string{"a": "4", "c": "6"}, values(begin(t, dir))); diff != "" {
		t.Errorf("on disk (-want +got):\n%s", diff)
	}
}

func TestNilStoreRemembersNothing(t *testing.T) {
	var s *state.Store
	s.OnTrouble(func(err error) { t.Error(err) }, nil)
	keep(s, map[string]string{"a": "1"})
	s.Forget("a")
	file, cause := s.Aside()
	err := errors.Join(cause, s.Run(t.Context()), s.Close())
	if got := values(s); len(got) != 0 || s.Value("a") != nil || file != "" || err != nil {
		t.Errorf("got %v, %q, %v, want nothing", got, file, err)
	}
}

func TestChangedDoesNotAllocate(t *testing.T) {
	s := begin(t, t.TempDir())
	if got := testing.AllocsPerRun(100, s.Changed); got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
}

// TestRunCommitsInGroups: the first change at once, those that follow together 10 s later, and what is urgent or left at the end at once.
func TestRunCommitsInGroups(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, dir)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.Run(ctx) }()
		count := func(wait time.Duration, want int) {
			t.Helper()
			<-time.After(wait)
			synctest.Wait()
			if got := commits(t, dir); got != want {
				t.Errorf("got %d commits, want %d", got, want)
			}
		}
		change := func(value string) { keep(s, map[string]string{"a": value, "b": value}) }
		count(time.Minute, 0)
		change("1")
		count(0, 1)
		change("2")
		count(time.Second, 1)
		change("3")
		count(8*time.Second, 1)
		count(time.Second, 2)
		change("3")
		count(time.Minute, 2) // nothing has changed
		change("4")
		count(0, 3)
		change("5")
		s.Urgent()
		count(0, 4)
		change("6")
		count(time.Second, 4)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		count(0, 5)
		end(t, s)
		if diff := cmp.Diff(map[string]string{"a": "6", "b": "6"}, values(begin(t, dir))); diff != "" {
			t.Errorf("on disk (-want +got):\n%s", diff)
		}
	})
}

// TestSync: what is kept is on disk when it returns, also within the pause of Run; without a Run it ends with its context.
func TestSync(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, dir)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.Run(ctx) }()
		start := time.Now()
		for i, value := range []string{"1", "2", "3", "3"} {
			keep(s, map[string]string{"a": value})
			s.Sync(t.Context())
			if got, want := commits(t, dir), min(i+1, 3); got != want {
				t.Errorf("%s: %d commits, want %d", value, got, want)
			}
		}
		if waited := time.Since(start); waited > time.Second {
			t.Errorf("waited %v, want no pause", waited)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		late, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		s.Sync(late)
		if late.Err() == nil {
			t.Error("it did not wait for a commit")
		}
		end(t, s)
	})
	var none *state.Store
	none.Sync(t.Context())
}

// TestRunBlocksNobody: while Run waits for a value, others go on.
func TestRunBlocksNobody(t *testing.T) {
	s := begin(t, t.TempDir())
	asked, answer := make(chan struct{}), make(chan struct{})
	first := sync.OnceFunc(func() { close(asked) })
	s.Keep("slow", func() []byte {
		first()
		<-answer
		return []byte("1")
	})
	s.Changed()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	<-asked
	s.Changed()
	s.Keep("other", func() []byte { return nil })
	s.Forget("another")
	_ = s.Value("slow")
	stop()
	close(answer)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
