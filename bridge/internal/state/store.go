// Package state keeps small JSON documents that must survive a restart. They lie in one file with a checksum, which is replaced whole; the
// file before it is kept, so that damage to one of them loses next to nothing.
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

// A Store holds the documents of one folder. A nil Store remembers nothing, and all its methods work. Value, Register, MarkChanged, MarkUrgent and Sync
// are safe for concurrent use, also while Run commits; none but Sync waits for the disk.
type Store struct {
	dir   string
	log   zerolog.Logger
	found documents // what was on disk at Open, never written to

	changed chan struct{}
	urgent  chan struct{}

	mu       sync.Mutex
	encoders map[string]func() []byte
	waiting  []chan struct{} // closed when the next commit is done; see Sync

	// What follows belongs to Open, then to Run, then to Close.
	lock    *flock.Flock // nil while the folder is not locked
	loaded  bool         // the documents were read from the locked folder
	written os.FileInfo  // the file after the last commit; nil where the next commit must write
	kept    documents    // what the next commit starts from: the documents on disk
	trouble error        // why the last commit failed

	progress *progress.Reporter
}

// Open reads the documents in dir and locks the folder. It logs what is wrong: with a damaged file, which is set aside; with a folder that
// another hanbridge uses, for which it waits half a second; with one that cannot be written. In the last two cases Run tries again. Open
// returns nil where the file is of a later version, and leaves it as it is. Close the Store after Run.
func Open(dir string, log zerolog.Logger) *Store {
	s := &Store{
		dir: dir, log: log,
		changed: make(chan struct{}, 1), urgent: make(chan struct{}, 1),
		encoders: make(map[string]func() []byte),
	}
	if s.trouble = s.acquire(); s.trouble != nil {
		log.Warn().Err(s.trouble).Msg("nothing is remembered over a restart: counters are not compared with their last values, and hourly ones are missing until they come")
	}
	switch {
	case errors.Is(s.trouble, errNewer):
		_ = s.Close() // Nothing was written.
		return nil
	case s.trouble != nil && !errors.Is(s.trouble, errInUse):
		if c, err := inspect(dir); err == nil { // What cannot be written may be readable.
			s.kept = c.documents
		}
	}
	s.found = s.kept
	return s
}

// Value returns a copy of the document that was on disk under the key at Open, or nil.
func (s *Store) Value(key string) []byte {
	if s == nil {
		return nil
	}
	return slices.Clone(s.found[key])
}

// Register has Run keep the JSON text that encode returns under the key. Run calls encode in its own goroutine when something may have
// changed, and copies the text before it calls encode again. With nil, what is on disk stays.
func (s *Store) Register(key string, encode func() []byte) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.encoders[key] = encode
}

// Save keeps a document that does not change under the key, and reports whether it is on disk when it returns. If it is not, Run writes
// it when it can; but if Open could not read the file, what the file has under the key stays. Call it before Run.
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
	return s.trouble == nil
}

// MarkChanged says that a document may have changed. It never blocks and never allocates.
func (s *Store) MarkChanged() {
	if s != nil {
		signal(s.changed)
	}
}

// MarkUrgent is MarkChanged for what Run is to commit without its pause. Use it for what changes once in a while: memory cards wear out.
func (s *Store) MarkUrgent() {
	if s != nil {
		signal(s.changed)
		signal(s.urgent)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // Run has been told already.
	}
}

// Sync waits until what is kept is on disk, or could not be written, which Run logs; no longer than ctx. It is for what must be on disk
// before something is done that cannot be undone.
func (s *Store) Sync(ctx context.Context) {
	if s == nil {
		return
	}
	done := make(chan struct{})
	s.mu.Lock()
	s.waiting = append(s.waiting, done)
	s.mu.Unlock()
	s.MarkUrgent()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// Close lets another program use the folder. Run must have returned.
func (s *Store) Close() error {
	if s == nil {
		return nil
	}
	return s.unlock()
}

// Peek returns the document under the key in dir, or nil. It changes nothing, and does not wait for a bridge that uses the folder. The
// error is fs.ErrNotExist where there is no state.
func Peek(dir, key string) ([]byte, error) {
	c, err := inspect(dir)
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
