// Package state stores small JSON documents that must survive a restart. All documents are in one file with a checksum. Each commit
// replaces the file and keeps the previous file. If one of the two files is damaged, the other is used.
package state

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"sync"

	"github.com/gofrs/flock"
	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge/internal/progress"
)

// documents are JSON texts by their keys.
type documents = map[string]json.RawMessage

// A Store holds the documents of one folder. A nil Store stores nothing; all methods can be called on it. Value, Register, MarkChanged,
// MarkUrgent, Set and Sync are safe for concurrent use, also while Run commits. None of them except Sync waits for the disk.
type Store struct {
	dir    string
	log    zerolog.Logger
	atOpen documents // the documents at Open; never changed

	changed chan struct{} // has a signal if a document has possibly changed
	urgent  chan struct{} // has a signal if Run must not wait for commitInterval

	mu          sync.Mutex
	encoders    map[string]func() []byte
	fixed       map[string][]byte // see Set
	syncWaiters []chan struct{}   // closed after the next commit; see Sync

	// The following fields are used by Open, then by Run, then by Close, one after the other.
	lock        *flock.Flock // nil while the folder is not locked
	loaded      bool         // the documents were read while the folder was locked
	writtenInfo os.FileInfo  // of the file after the last commit; nil if the next commit must write even if no document has changed
	onDisk      documents    // the documents on disk, as far as is known
	lastErr     error        // why the last commit failed; nil if it succeeded

	reporter *progress.Reporter
}

// Open locks the folder and reads its documents. Open logs errors. It renames a damaged file and uses the previous file. If another
// hanbridge uses the folder, Open waits at most half a second. If the folder is still in use, or is not writable, Run tries
// again. If a newer version has written the file, Open returns nil and does not change the file. Call Close after Run.
func Open(dir string, log zerolog.Logger) *Store {
	s := &Store{
		dir: dir, log: log,
		changed: make(chan struct{}, 1), urgent: make(chan struct{}, 1),
		encoders: make(map[string]func() []byte), fixed: make(map[string][]byte),
	}
	if s.lastErr = s.lockAndLoad(); s.lastErr != nil {
		// What this warning says is true until a commit succeeds. After errNewer it is true as long as the program runs.
		log.Warn().Err(s.lastErr).Msg("nothing is remembered over a restart: counters are not compared with their last values, and hourly values are missing until the meter sends them")
	}
	switch {
	case errors.Is(s.lastErr, errNewer):
		_ = s.Close() // nothing was written
		return nil
	case s.lastErr != nil && !errors.Is(s.lastErr, errInUse):
		if c, err := readFolder(dir); err == nil { // a folder that is not writable can be readable
			s.onDisk = c.documents
		}
	}
	s.atOpen = s.onDisk
	return s
}

// Value returns a copy of the document with this key that was passed to Set. If there is none, it is the document that the file had at Open; nil if
// there was none either.
func (s *Store) Value(key string) []byte {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if text, ok := s.fixed[key]; ok {
		return slices.Clone(text)
	}
	return slices.Clone(s.atOpen[key])
}

// Register sets the function that returns the document with this key as JSON. Run calls encode before each commit, in the goroutine of Run.
// The function can reuse the memory of its result in the next call. If encode returns nil, the document on disk stays unchanged.
func (s *Store) Register(key string, encode func() []byte) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.encoders[key] = encode
}

// Set replaces the function of a document by its last text, because the document does not change until Register is called again.
func (s *Store) Set(key string, text []byte) {
	if s == nil {
		return
	}
	text = slices.Clone(text)
	s.Register(key, func() []byte { return text })
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fixed[key] = text
}

// Save writes a document that does not change any more, and reports whether the document is on disk. If the write failed, Run writes the
// document later. But if the folder was not locked and read until now, Save drops the value, and the document on disk stays unchanged. Call
// Save before Run.
func (s *Store) Save(key string, value []byte) bool {
	if s == nil {
		return false
	}
	value = slices.Clone(value)
	s.Register(key, func() []byte { return value })
	s.commit()
	if !s.loaded {
		s.mu.Lock()
		delete(s.encoders, key)
		s.mu.Unlock()
	}
	return s.lastErr == nil
}

// MarkChanged tells Run that a document has possibly changed. Run then commits the documents if a document has changed. MarkChanged never
// blocks and never allocates memory.
func (s *Store) MarkChanged() {
	if s != nil {
		signal(s.changed)
	}
}

// MarkUrgent is like MarkChanged, but Run commits immediately. Use it for rare changes only, because each commit wears out a memory card.
func (s *Store) MarkUrgent() {
	if s != nil {
		signal(s.changed)
		signal(s.urgent)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // c already has a signal
	}
}

// Sync asks Run for a commit, and waits until the commit is done or ctx ends. Sync does not report whether the commit succeeded. Use Sync
// before an action that cannot be undone and that needs the documents on disk.
func (s *Store) Sync(ctx context.Context) {
	if s == nil {
		return
	}
	done := make(chan struct{})
	s.mu.Lock()
	s.syncWaiters = append(s.syncWaiters, done)
	s.mu.Unlock()
	s.MarkUrgent()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// Close unlocks the folder, so that another program can use it. Run must have returned.
func (s *Store) Close() error {
	if s == nil {
		return nil
	}
	return s.unlock()
}

// Peek returns the document with this key in the folder dir; nil if there is none. Peek changes nothing, and works while a bridge of this
// version uses the folder. The error is fs.ErrNotExist if there is no state file.
func Peek(dir, key string) ([]byte, error) {
	c, err := readFolder(dir)
	switch {
	case err != nil:
		return nil, err
	case c.from == "" && c.damage != nil:
		return nil, c.damage
	case c.from == "":
		return nil, os.ErrNotExist
	}
	return c.documents[key], nil
}
