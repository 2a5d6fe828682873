package state_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"encoding/json"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge/internal/state"
)

// A store is one under test, with what it has logged.
type store struct {
	*state.Store
	mu    sync.Mutex
	lines []string
}

// Write takes a line of the log.
func (s *store) Write(line []byte) (int, error) {
	var l struct{ Level, Message, Source, Error string }
	if err := json.Unmarshal(line, &l); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, fmt.Sprintf("%s: %s; %s; %s", l.Level, l.Message, l.Error, l.Source))
	return len(line), nil
}

// logged returns what was logged since it was called last.
func (s *store) logged() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines := s.lines
	s.lines = nil
	return lines
}

// open opens the store in dir and closes it when the test is over.
func open(t *testing.T, dir string) *store {
	t.Helper()
	s := new(store)
	s.Store = state.Open(dir, zerolog.New(s))
	t.Cleanup(func() { end(t, s) })
	return s
}

// begin opens a store that has nothing to complain about.
func begin(t *testing.T, dir string) *store {
	t.Helper()
	s := open(t, dir)
	if lines := s.logged(); len(lines) > 0 {
		t.Errorf("logged at Open: %q", lines)
	}
	return s
}

func end(t *testing.T, s *store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// must fails the test on the first error.
func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// keep has s keep the values, which are JSON.
func keep(s *store, values map[string]string) {
	for key, value := range values {
		s.Register(key, func() []byte { return []byte(value) })
	}
	s.MarkChanged()
}

// wrote makes a state with the values, in a new folder, by one commit for each of them.
func wrote(t *testing.T, commits ...map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	s := begin(t, dir)
	for _, values := range commits {
		keep(s, values)
		s.Commit()
	}
	end(t, s)
	return dir
}

// onDisk returns what the file holds, nil while there is none.
func onDisk(t *testing.T, dir string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, state.FileName))
	if os.IsNotExist(err) {
		return nil
	}
	must(t, err)
	found, err := state.Decode(text)
	must(t, err)
	values := make(map[string]string)
	for key, value := range found {
		values[key] = string(value)
	}
	return values
}

// wantOnDisk wants these values in the file.
func wantOnDisk(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, onDisk(t, dir)); diff != "" {
		t.Errorf("on disk (-want +got):\n%s", diff)
	}
}

// wantLogged wants as many lines as texts, each with its text, and no words of the Go runtime.
func wantLogged(t *testing.T, s *store, want ...string) {
	t.Helper()
	lines := s.logged()
	ok := len(lines) == len(want)
	for i := range min(len(lines), len(want)) {
		ok = ok && strings.Contains(lines[i], want[i])
	}
	if !ok {
		t.Errorf("logged %q, want %q", lines, want)
	}
	for _, word := range []string{"nil pointer", "runtime error", "panic", "goroutine", "0x"} {
		if strings.Contains(strings.Join(lines, " "), word) {
			t.Errorf("logged %q with %q in it", lines, word)
		}
	}
}

func TestStoreFindsWhatWasKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "var", "hanbridge")
	want := map[string]string{"guard/house": `{"value":"12345"}`, "guard/garage": "null", "announced": `"<å> \u0000"`}
	s := begin(t, dir)
	if got := s.Documents(); len(got) != 0 {
		t.Errorf("got %v in a new store, want nothing", got)
	}
	keep(s, want)
	s.Register("nothing", func() []byte { return nil })
	s.Commit()
	end(t, s)

	s = begin(t, dir)
	want["announced"] = `"\u003cå\u003e \u0000"` // as json.Marshal writes it
	if diff := cmp.Diff(want, s.Documents()); diff != "" {
		t.Errorf("found another than was kept (-want +got):\n%s", diff)
	}
	s.Value("guard/garage")[0] = 'x'
	if got := string(s.Value("guard/garage")); got != "null" {
		t.Errorf("got %q after a change to the copy, want null", got)
	}
	for path, want := range map[string]fs.FileMode{dir: 0o700 | fs.ModeDir, filepath.Join(dir, state.FileName): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: got %v, %v, want %v", path, info.Mode(), err, want)
		}
	}
}

// TestFileIsJSON: people and programs may look into it.
func TestFileIsJSON(t *testing.T) {
	dir := wrote(t, map[string]string{"meter/house": `{"power":5}`})
	text, err := os.ReadFile(filepath.Join(dir, state.FileName))
	must(t, err)
	var f struct {
		Checksum  string
		Format    int
		Documents map[string]struct{ Power int }
	}
	must(t, json.Unmarshal(text, &f))
	if len(f.Checksum) != 64 || f.Format != 1 || f.Documents["meter/house"].Power != 5 {
		t.Errorf("got %+v of %s", f, text)
	}
}

func TestStoreKeepsWhatNobodyKeeps(t *testing.T) {
	dir := wrote(t, map[string]string{"a": "1", "b": "2"})
	s := begin(t, dir)
	keep(s, map[string]string{"a": "4"})
	s.Commit()
	if diff := cmp.Diff(map[string]string{"a": "1", "b": "2"}, s.Documents()); diff != "" {
		t.Errorf("values at Open have changed (-want +got):\n%s", diff)
	}
	wantOnDisk(t, dir, map[string]string{"a": "4", "b": "2"})
}

// TestPreviousIsKept: beside the file lies the one before it, and nothing else but the lock.
func TestPreviousIsKept(t *testing.T) {
	dir := wrote(t, map[string]string{"a": "1"}, map[string]string{"a": "2"}, map[string]string{"a": "3"})
	text, err := os.ReadFile(filepath.Join(dir, state.PreviousName))
	must(t, err)
	found, err := state.Decode(text)
	if err != nil || string(found["a"]) != "2" {
		t.Errorf("got %s, %v in the previous file, want 2", found["a"], err)
	}
	want := []string{"hanbridge.json", "hanbridge.json.previous", "hanbridge.lock"}
	if got := names(t, dir); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// names returns the names of the files in a folder.
func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestNilStoreRemembersNothing(t *testing.T) {
	var s *state.Store
	s.Register("a", func() []byte { return []byte("1") })
	s.MarkChanged()
	s.MarkUrgent()
	s.Sync(t.Context())
	must(t, s.Run(t.Context()), s.Close())
	if s.Value("a") != nil || s.Save("a", []byte("1")) {
		t.Error("it remembers")
	}
}

func TestChangedDoesNotAllocate(t *testing.T) {
	s := begin(t, t.TempDir())
	if got := testing.AllocsPerRun(100, s.MarkChanged); got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
}

// running runs a store in dir until stop is called.
func running(t *testing.T, dir string) (s *store, stop func()) {
	t.Helper()
	s = begin(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	return s, func() {
		t.Helper()
		cancel()
		must(t, <-ended)
	}
}

// TestRunCommitsInGroups: the first change at once, those that follow together 10 s later, and what is urgent or left at the end at once.
func TestRunCommitsInGroups(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s, stop := running(t, dir)
		change := func(value string) { keep(s, map[string]string{"a": value}) }
		want := func(wait time.Duration, value string) {
			t.Helper()
			<-time.After(wait)
			synctest.Wait()
			if got := onDisk(t, dir)["a"]; got != value {
				t.Errorf("got %q on disk, want %q", got, value)
			}
		}
		want(time.Minute, "")
		change("1")
		want(0, "1")
		change("2")
		want(time.Second, "1")
		change("3")
		want(8*time.Second, "1")
		want(time.Second, "3")
		want(time.Minute, "3")
		change("4")
		want(0, "4")
		change("5")
		want(0, "4")
		s.MarkUrgent()
		want(0, "5")
		change("6")
		want(time.Second, "5")
		stop()
		want(0, "6")
		end(t, s)
	})
}

// TestNothingChanged: a file is not written again where nothing has changed.
func TestNothingChanged(t *testing.T) {
	dir := t.TempDir()
	s := begin(t, dir)
	keep(s, map[string]string{"a": "1"})
	s.Commit()
	before, err := os.Stat(filepath.Join(dir, state.FileName))
	must(t, err)
	keep(s, map[string]string{"a": "1"})
	s.Commit()
	if after, err := os.Stat(filepath.Join(dir, state.FileName)); err != nil || !os.SameFile(before, after) {
		t.Errorf("it was written again: %v", err)
	}
}

// TestSync: what is kept is on disk when it returns, also within the pause of Run; without a Run it ends with its context.
func TestSync(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s, stop := running(t, dir)
		start := time.Now()
		for _, value := range []string{"1", "2", "3", "3"} {
			keep(s, map[string]string{"a": value})
			s.Sync(t.Context())
			wantOnDisk(t, dir, map[string]string{"a": value})
		}
		if waited := time.Since(start); waited > time.Second {
			t.Errorf("waited %v, want no pause", waited)
		}
		stop()
		late, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		s.Sync(late)
		if late.Err() == nil {
			t.Error("it did not wait for a commit")
		}
		end(t, s)
	})
}

// TestRunBlocksNobody: while Run waits for a value, others go on.
func TestRunBlocksNobody(t *testing.T) {
	s := begin(t, t.TempDir())
	asked, answer := make(chan struct{}), make(chan struct{})
	first := sync.OnceFunc(func() { close(asked) })
	s.Register("slow", func() []byte {
		first()
		<-answer
		return []byte("1")
	})
	s.MarkChanged()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	<-asked
	s.MarkChanged()
	s.Register("other", func() []byte { return nil })
	_ = s.Value("slow")
	stop()
	close(answer)
	must(t, <-ended)
}
