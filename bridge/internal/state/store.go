// Package state keeps what must survive a restart, in one file with a checksum over all of it: what is found at the start is what
// was kept, or the file is set aside. It is the only package that knows bbolt.
package state

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"go.etcd.io/bbolt"

	"github.com/hanbridge/hanbridge/bridge/internal/progress"
)

// A Store is an open state file. A nil Store remembers nothing, and all its methods work. Value, Keys, Keep, Forget, Changed and Urgent are
// safe for concurrent use, also while Run commits; neither waits for the disk.
type Store struct {
	dir, path string

	changed chan struct{}
	urgent  chan struct{}
	disk    map[string][]byte // what was there at Open, never written to

	mu        sync.Mutex
	encoders  map[string]func() []byte
	forgotten map[string]bool
	waiting   []chan struct{} // closed when the next commit is done; see Sync

	// What follows belongs to Open, then to Run, then to Close.
	db       *bbolt.DB         // nil while the file is not open
	file     *os.File          // of db
	info     os.FileInfo       // of file, after the last commit
	began    bool              // this Store has had the file open at least once
	closed   bool              // Close was called
	emptied  bool              // the file existed and was empty
	onDisk   map[string][]byte // the values in the file when it was last opened
	aside    string            // the name that a damaged file was given when it was last opened; "" for none
	cause    error             // what was damaged in it
	base     map[string][]byte // the values that the next commit starts from: those of the last commit, or of Open
	kept     map[string][]byte // the values known to be on disk
	unsure   bool              // the last commit failed; whether it is on disk is not known
	trouble  error
	progress *progress.Reporter
	tell     func(error)
	tellNew  func(cause error, aside string)
}

// Aside tells what Open found damaged, and why it thinks so. It is not for use beside Run. The file is where the damaged one lies, so that its owner can look at it;
// an older one there has been replaced. It is empty where the last commit alone was damaged and the one before it is in use. Without
// damage the cause is nil.
func (s *Store) Aside() (file string, cause error) {
	if s == nil {
		return "", nil
	}
	return s.aside, s.cause
}

// Value returns a copy of what was on disk for the key at Open, whatever was kept since, or nil.
func (s *Store) Value(key string) []byte {
	if s == nil {
		return nil
	}
	return slices.Clone(s.disk[key])
}

// Keys returns, in order, the keys with the prefix that were on disk at Open: also those that nobody keeps any more.
func (s *Store) Keys(prefix string) []string {
	if s == nil {
		return nil
	}
	keys := slices.Sorted(maps.Keys(s.disk))
	return slices.DeleteFunc(keys, func(key string) bool { return !strings.HasPrefix(key, prefix) })
}

// Keep has Run keep what encode returns under the key, which must not be empty. Run calls encode in its own goroutine when something
// may have changed. It returns the whole value, which is copied before the next call, or nil to leave what is on disk.
func (s *Store) Keep(key string, encode func() []byte) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.encoders[key] = encode
	delete(s.forgotten, key)
}

// Forget has the next commit delete the key. What nobody keeps stays on disk until it is forgotten.
func (s *Store) Forget(key string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.encoders, key)
	s.forgotten[key] = true
	s.Changed()
}

// Changed says that a value may have changed. It never blocks and never allocates.
func (s *Store) Changed() {
	if s == nil {
		return
	}
	select {
	case s.changed <- struct{}{}:
	default: // Run has been told already.
	}
}

// Urgent is Changed for what Run is to commit without its pause. It is for what changes once in a while: memory cards wear out.
func (s *Store) Urgent() {
	if s == nil {
		return
	}
	s.Changed()
	select {
	case s.urgent <- struct{}{}:
	default:
	}
}

// Sync waits until what is kept was brought on disk, or could not be, which Run tells; no longer than ctx. It is for what must be on disk
// before something is done that cannot be undone.
func (s *Store) Sync(ctx context.Context) {
	if s == nil {
		return
	}
	done := make(chan struct{})
	s.mu.Lock()
	s.waiting = append(s.waiting, done)
	s.mu.Unlock()
	s.Urgent()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// Close lets another program use the file. Run must have returned.
func (s *Store) Close() error {
	if s == nil {
		return nil
	}
	s.closed = true
	return s.leave()
}

// KeepNow keeps a value that does not change under the key, and tells if it is on disk when it returns. Where it is not, Run brings it
// there when it can; but what is in a file that Open could not read stays in it. Call it before Run.
func (s *Store) KeepNow(key string, value []byte) bool {
	if s == nil {
		return false
	}
	value = slices.Clone(value)
	s.Keep(key, func() []byte { return value })
	s.commit()
	if s.db == nil {
		s.mu.Lock()
		delete(s.encoders, key)
		s.mu.Unlock()
	}
	return !s.unsure && has(s.kept, key, value)
}

// Peek returns what is on disk for the key in the state file of dir, or nil. It does not wait for a program that has the file open,
// and changes nothing: a commit that is under way leaves the one before it as it was.
func Peek(dir, key string) ([]byte, error) {
	file, err := os.ReadFile(filepath.Join(dir, fileName))
	if err != nil {
		return nil, err
	}
	values, _, err := lastCommit(file)
	return slices.Clone(values[key]), err
}
