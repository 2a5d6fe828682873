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
)

// pause is the least time between two commits that are not urgent: memory cards wear out.
const pause = 10 * time.Second

// OnTrouble has Run call tell when a commit fails, once until one succeeds, and then with nil. Call it before Run.
func (s *Store) OnTrouble(tell func(error)) {
	if s != nil {
		s.tell = tell
	}
}

// Run commits what is kept until ctx ends, and then once more: at once after a change, and no sooner than 10 s after the last commit
// where it is not urgent. A commit is on disk whole or not at all, whatever ends the program. One that fails is tried again at the next change. Only one Run may
// be under way.
func (s *Store) Run(ctx context.Context) error {
	if s == nil {
		return nil
	}
	for {
		select {
		case <-ctx.Done():
			s.commit()
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
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-s.urgent:
	case <-t.C:
	}
}

// commit brings on disk what has changed, if anything has.
func (s *Store) commit() {
	if s.db == nil {
		return // bbolt is no longer to be trusted, or the store is closed.
	}
	next := s.next()
	if !s.unsure && maps.EqualFunc(s.kept, next, bytes.Equal) {
		return
	}
	err := s.write(next)
	s.unsure = err != nil
	if err == nil {
		s.kept = next
	}
	s.report(err)
}

// next returns what is to be on disk. Values that have not changed are shared with the last commit.
func (s *Store) next() map[string][]byte {
	s.mu.Lock()
	encoders, forgotten := maps.Clone(s.encoders), maps.Clone(s.forgotten)
	s.mu.Unlock()
	next := maps.Clone(s.kept)
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
// nothing but an error remains; bbolt, which may hold its own locks, is not touched again.
func (s *Store) write(next map[string][]byte) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if fault := recover(); fault != nil {
			s.db = nil
			err = fmt.Errorf("%s cannot be read any more (restart hanbridge to begin a new one): %v", s.path, fault)
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
	if (began || ended) && s.tell != nil {
		s.tell(err)
	}
}
