package state_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge/internal/state"
)

// A store is the Store under test, together with its log.
type store struct {
	*state.Store
	mu    sync.Mutex
	lines []string
}

// Write adds a line of the log, in the form "level: message; error; source".
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

// logged returns the lines that were logged since the last call.
func (s *store) logged() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines := s.lines
	s.lines = nil
	return lines
}

// open opens the store in dir. It is closed when the test ends.
func open(t *testing.T, dir string) *store {
	t.Helper()
	s := new(store)
	s.Store = state.Open(dir, zerolog.New(s))
	t.Cleanup(func() { closeStore(t, s) })
	return s
}

// openCleanly opens the store in dir, and checks that nothing is logged.
func openCleanly(t *testing.T, dir string) *store {
	t.Helper()
	s := open(t, dir)
	if lines := s.logged(); len(lines) > 0 {
		t.Errorf("logged at Open: %q", lines)
	}
	return s
}

// closeStore closes the store. Closing it twice is allowed.
func closeStore(t *testing.T, s *store) {
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

// set registers documents, which are JSON, and marks them as changed.
func set(s *store, values map[string]string) {
	for key, value := range values {
		s.Register(key, func() []byte { return []byte(value) })
	}
	s.MarkChanged()
}

// writtenState creates a folder with a state. It makes one commit for each of the sets of documents.
func writtenState(t *testing.T, commits ...map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	s := openCleanly(t, dir)
	for _, values := range commits {
		set(s, values)
		s.Commit()
	}
	closeStore(t, s)
	return dir
}

// onDisk returns the documents in the file; nil if there is no file.
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

// wantOnDisk checks the documents in the file.
func wantOnDisk(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, onDisk(t, dir)); diff != "" {
		t.Errorf("on disk (-want +got):\n%s", diff)
	}
}

// wantLogged checks the lines that were logged since the last call. There must be one line for each text in want, in this order, and the
// line must contain the text. A line must not contain a message of the Go runtime.
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

// TestReopen checks that a second Store reads the documents that the first Store has written, except for JSON escapes. It also checks the
// permissions of the folder and the file.
func TestReopen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "var", "hanbridge")
	want := map[string]string{"guard/house": `{"value":"12345"}`, "guard/garage": "null", "announced": `"<å> \u0000"`}
	s := openCleanly(t, dir)
	if got := s.Documents(); len(got) != 0 {
		t.Errorf("got %v in a new store, want nothing", got)
	}
	set(s, want)
	s.Register("nothing", func() []byte { return nil })
	s.Commit()
	closeStore(t, s)

	s = openCleanly(t, dir)
	want["announced"] = `"\u003cå\u003e \u0000"` // json.Marshal escapes < and >
	if diff := cmp.Diff(want, s.Documents()); diff != "" {
		t.Errorf("documents at the second Open (-want +got):\n%s", diff)
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

// TestFileIsJSON checks that other programs can read the file as JSON.
func TestFileIsJSON(t *testing.T) {
	dir := writtenState(t, map[string]string{"meter/house": `{"power":5}`})
	text, err := os.ReadFile(filepath.Join(dir, state.FileName))
	must(t, err)
	var f struct {
		Checksum  string
		Format    int
		Documents map[string]struct{ Power int }
	}
	must(t, json.Unmarshal(text, &f))
	if len(f.Checksum) != 64 || f.Format != 1 || f.Documents["meter/house"].Power != 5 {
		t.Errorf("got %+v of %s, want a checksum of 64 digits, format 1 and power 5", f, text)
	}
}

// TestCommitKeepsOtherDocuments checks that a commit does not change a document without a registered encoder.
func TestCommitKeepsOtherDocuments(t *testing.T) {
	dir := writtenState(t, map[string]string{"a": "1", "b": "2"})
	s := openCleanly(t, dir)
	set(s, map[string]string{"a": "4"})
	s.Commit()
	if diff := cmp.Diff(map[string]string{"a": "1", "b": "2"}, s.Documents()); diff != "" {
		t.Errorf("documents at Open have changed (-want +got):\n%s", diff)
	}
	wantOnDisk(t, dir, map[string]string{"a": "4", "b": "2"})
}

// TestPreviousFile checks that the previous file has the documents of the commit before the last commit. The folder must have the state file,
// the previous file and the lock file, and no other files.
func TestPreviousFile(t *testing.T) {
	dir := writtenState(t, map[string]string{"a": "1"}, map[string]string{"a": "2"}, map[string]string{"a": "3"})
	text, err := os.ReadFile(filepath.Join(dir, state.PreviousName))
	must(t, err)
	found, err := state.Decode(text)
	if err != nil || string(found["a"]) != "2" {
		t.Errorf("previous file: got document a = %s and error %v, want 2", found["a"], err)
	}
	want := []string{"hanbridge.json", "hanbridge.json.previous", "hanbridge.lock"}
	if got := fileNames(t, dir); !slices.Equal(got, want) {
		t.Errorf("got files %q, want %q", got, want)
	}
}

// fileNames returns the names of the files in a folder.
func fileNames(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// TestNilStore checks that all methods of a nil Store can be called.
func TestNilStore(t *testing.T) {
	var s *state.Store
	s.Register("a", func() []byte { return []byte("1") })
	s.MarkChanged()
	s.MarkUrgent()
	s.SetReporter(nil)
	s.Sync(t.Context())
	must(t, s.Run(t.Context()), s.Close())
	if s.Value("a") != nil || s.Save("a", []byte("1")) {
		t.Error("a nil Store has stored a document, want none")
	}
}

// TestMarkChangedAllocations checks that MarkChanged, which is called for each telegram, allocates no memory.
func TestMarkChangedAllocations(t *testing.T) {
	s := openCleanly(t, t.TempDir())
	if got := testing.AllocsPerRun(100, s.MarkChanged); got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
}

// TestCommitWithoutChange checks that the file is not written again if no document has changed.
func TestCommitWithoutChange(t *testing.T) {
	dir := t.TempDir()
	s := openCleanly(t, dir)
	set(s, map[string]string{"a": "1"})
	s.Commit()
	before, err := os.Stat(filepath.Join(dir, state.FileName))
	must(t, err)
	set(s, map[string]string{"a": "1"})
	s.Commit()
	if after, err := os.Stat(filepath.Join(dir, state.FileName)); err != nil || !os.SameFile(before, after) {
		t.Errorf("the file was written again, or Stat failed: %v", err)
	}
}
