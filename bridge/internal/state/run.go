package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/hanbridge/hanbridge/bridge/internal/progress"
)

// pause is the least time between two commits that are not urgent: memory cards wear out.
const pause = 10 * time.Second

// OnTrouble sets two callbacks of Run; call it before Run. Run calls tell with the error of the first commit that fails, and with nil when
// a later one succeeds; a failed Open counts as a failed commit. Run calls tellNew when somebody else has removed, replaced or changed the
// file and Run has written it again: cause is what has happened, aside the name of the damaged file, "" if there is none.
func (s *Store) OnTrouble(tell func(error), tellNew func(cause error, aside string)) {
	if s != nil {
		s.tell, s.tellNew = tell, tellNew
	}
}

// Report has Run tell r whether it commits or waits. Call it before Run.
func (s *Store) Report(r *progress.Reporter) {
	if s != nil {
		s.progress = r
		s.note(s.trouble)
	}
}

// note says why nothing is kept; nil if all is.
func (s *Store) note(trouble error) {
	if trouble == nil {
		s.progress.Note("")
		return
	}
	s.progress.Note("cannot be written: " + trouble.Error())
}

// Run commits what is kept until ctx ends, and then once more: at once after a change, and no sooner than 10 s after the last commit
// where it is not urgent. A commit is on disk whole or not at all, whatever ends the program. One that fails is tried again at the next
// change. Only one Run may be under way.
func (s *Store) Run(ctx context.Context) error {
	if s == nil {
		return nil
	}
	defer s.progress.Waiting()
	for {
		s.progress.Waiting()
		select {
		case <-ctx.Done():
			if s.commit(); s.trouble != nil {
				s.commit() // there is no later one
			}
			return nil
		case <-s.changed:
		}
		select {
		case <-s.urgent: // it is about to be done
		default:
		}
		s.commit()
		s.rest(ctx)
	}
}

func (s *Store) rest(ctx context.Context) {
	s.progress.Waiting()
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-s.urgent:
	case <-t.C:
	}
}

// commit brings on disk what has changed, if anything has. A file that somebody has changed is left, and opened or begun again.
func (s *Store) commit() {
	s.progress.Working()
	defer s.synced()()
	if s.closed {
		return
	}
	cause := s.changedOutside()
	if cause != nil {
		_ = s.leave() // nothing is lost with it
	}
	err := s.beginAgain()
	if err == nil {
		err = s.bring(s.next())
	}
	switch {
	case cause == nil:
	case err != nil:
		err = fmt.Errorf("%s: %w; and then: %w", s.path, cause, err)
	case s.tellNew != nil:
		s.tellNew(cause, s.aside)
	}
	s.report(err)
}

// bring writes next to disk if it differs from what is there.
func (s *Store) bring(next map[string][]byte) error {
	if !s.unsure && maps.EqualFunc(s.kept, next, bytes.Equal) {
		return nil
	}
	err := s.write(next)
	if info, statErr := s.file.Stat(); statErr == nil {
		s.info = info
	}
	s.unsure = err != nil
	if err == nil {
		s.base, s.kept = next, next
	}
	return err
}

// synced returns what tells those who wait for the commit that begins now that it is done.
func (s *Store) synced() func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	waiting := s.waiting
	s.waiting = nil
	return func() {
		for _, done := range waiting {
			close(done)
		}
	}
}

// next returns what is to be on disk. Values that have not changed are shared with the last commit.
func (s *Store) next() map[string][]byte {
	s.mu.Lock()
	encoders, forgotten := maps.Clone(s.encoders), maps.Clone(s.forgotten)
	s.mu.Unlock()
	next := maps.Clone(s.base)
	if next == nil {
		next = make(map[string][]byte)
	}
	for key := range forgotten {
		delete(next, key)
	}
	for key, encode := range encoders {
		if value := encode(); value != nil && !has(next, key, value) {
			next[key] = slices.Clone(value)
		}
	}
	return next
}

// write commits. Of a panic in bbolt, which also a disk that can no longer be read brings about since the file is mapped into memory,
// nothing but an error remains; bbolt, which may hold its own locks, is not touched again, and the mapped memory stays.
func (s *Store) write(next map[string][]byte) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			s.db = nil
			drop(s.file)
			err = fmt.Errorf("%s cannot be read any more (it was changed while it was written, or the disk fails)", s.path)
		}
	}()
	if err := s.db.Update(func(tx *bbolt.Tx) error { return s.put(tx, next) }); err != nil {
		return fmt.Errorf("%s cannot be written (is the disk full?): %w", s.path, err)
	}
	return nil
}

// put writes what differs from the last commit, or everything where that one is not known.
func (s *Store) put(tx *bbolt.Tx, next map[string][]byte) error {
	kept := s.kept
	if s.unsure {
		kept = nil
		if err := tx.DeleteBucket(bucketName); err != nil && !errors.Is(err, berrors.ErrBucketNotFound) {
			return err
		}
	}
	bucket, err := tx.CreateBucketIfNotExists(bucketName)
	if err != nil {
		return err
	}
	for key := range kept {
		if _, ok := next[key]; !ok {
			err = errors.Join(err, bucket.Delete([]byte(key)))
		}
	}
	for key, value := range next {
		if !has(kept, key, value) {
			err = errors.Join(err, bucket.Put([]byte(key), value))
		}
	}
	return errors.Join(err, bucket.Put([]byte(contentsKey), contents(next)))
}

func has(values map[string][]byte, key string, value []byte) bool {
	old, ok := values[key]
	return ok && bytes.Equal(old, value)
}

// report tells of trouble when it begins and when it ends.
func (s *Store) report(err error) {
	began, ended := err != nil && s.trouble == nil, err == nil && s.trouble != nil
	s.trouble = err
	s.note(err)
	if (began || ended) && s.tell != nil {
		s.tell(err)
	}
}
