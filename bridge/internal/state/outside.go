package state

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
)

// changedOutside returns what somebody else has done to the open file, nil for nothing: it is looked at before each commit, since
// what is written to a file that was removed is gone, and bbolt does not bear one that was cut.
func (s *Store) changedOutside() error {
	if s.db == nil {
		return nil
	}
	info, err := os.Stat(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("it was removed")
	case err != nil:
		return fmt.Errorf("it cannot be reached: %w", err)
	case !os.SameFile(info, s.info):
		return errors.New("another file was put in its place")
	case info.Size() == s.info.Size() && info.ModTime().Equal(s.info.ModTime()):
		return nil
	case info.Size() < s.info.Size():
		return fmt.Errorf("it was cut from %d to %d bytes", s.info.Size(), info.Size())
	case s.unsure || !s.holds(info.Size()):
		return errors.New("somebody else has written to it")
	}
	s.info = info // its time alone is another
	return nil
}

// holds tells if the values in the file of so many bytes are those of the last commit.
func (s *Store) holds(size int64) bool {
	if size > most {
		return false
	}
	file, err := os.ReadFile(s.path)
	if err != nil {
		return false
	}
	values, lost, err := lastCommit(file)
	return err == nil && !lost && maps.EqualFunc(values, s.kept, bytes.Equal)
}

// leave closes the file.
func (s *Store) leave() error {
	if s.db == nil {
		return nil
	}
	db := s.db
	s.db = nil
	return db.Close()
}

// drop closes a file, nil for none, in place of bbolt, which has failed.
func drop(file *os.File) {
	if file != nil {
		unlock(file)
		_ = file.Close()
	}
}

// beginAgain opens the file if it is not open. The next commit replaces all values in it by those of this run. If this run has never had
// the file open, the values in it that this run does not keep are preserved.
func (s *Store) beginAgain() error {
	if s.db != nil {
		return nil
	}
	first := !s.began
	if err := s.begin(); err != nil {
		return err
	}
	s.kept, s.unsure = s.onDisk, false
	if first {
		s.base = s.onDisk
	}
	return nil
}
