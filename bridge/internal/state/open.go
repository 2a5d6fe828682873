package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

const (
	fileName     = "hanbridge.json"
	previousName = fileName + ".previous" // what fileName was before the last commit
	lockName     = "hanbridge.lock"       // locked by the bridge that uses the folder; always empty

	patience = 500 * time.Millisecond // for another hanbridge that is about to end
)

var (
	errInUse = errors.New("another hanbridge uses it (stop that one, or give each its own state_dir)")
	errNewer = errors.New("written by a newer hanbridge (start that one, or remove hanbridge.* there: counters are then watched from anew)")
)

// acquire locks the folder, if it is not locked, and the first time reads what is in it.
func (s *Store) acquire() error {
	err := s.lockFolder()
	if err == nil && !s.loaded {
		err = s.load()
	}
	if err != nil {
		s.written = nil // The folder is not this Store's, so somebody else may write to it.
		return explain(s.dir, err)
	}
	return nil
}

// lockFolder locks the folder, which it makes where there is none. A lock on a file that is no longer there is worth nothing: another
// program may have locked the one that is there.
func (s *Store) lockFolder() error {
	path := filepath.Join(s.dir, lockName)
	if s.lock != nil && sameFile(s.lock, path) {
		return nil
	}
	_ = s.unlock() // Nothing is lost with a file that is gone.
	if err := makeFolder(s.dir); err != nil {
		return err
	}
	if _, err := size(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	lock := flock.New(path)
	_, err := lock.TryLockContext(ctx, patience/10)
	if errors.Is(err, context.DeadlineExceeded) {
		return errInUse
	}
	if err == nil {
		s.lock = lock
	}
	return err
}

func (s *Store) unlock() error {
	if s.lock == nil {
		return nil
	}
	lock := s.lock
	s.lock = nil
	return lock.Close()
}

func sameFile(lock *flock.Flock, path string) bool {
	held, err := lock.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(held, there)
}

// makeFolder makes the folder, but not one that a link leads to: nobody has asked for that.
func makeFolder(dir string) error {
	if to, err := os.Readlink(dir); err == nil {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is a link to %s, which is not there (make that, or remove the link)", dir, to)
		}
	}
	return os.MkdirAll(dir, 0o700)
}

// explain says which folder an error is of, and how to open it to whom it keeps out.
func explain(dir string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("state_dir %s cannot be written: %w (give it to the user who runs hanbridge: sudo mkdir -p %s && sudo chown -R USER %[1]s)",
			dir, err, dir)
	}
	return fmt.Errorf("state_dir %s: %w", dir, err)
}

// load reads the documents of the locked folder, sets damaged files aside, and logs what it found.
func (s *Store) load() error {
	c, err := inspect(s.dir)
	for _, name := range c.damaged {
		path := filepath.Join(s.dir, name)
		err = errors.Join(err, os.Rename(path, aside(path)))
	}
	if err != nil {
		return err
	}
	s.kept, s.loaded = c.documents, true
	path := filepath.Join(s.dir, c.from)
	switch {
	case c.damage != nil:
		then := "a new one is begun"
		if c.from != "" {
			then = "the one before it is used"
		}
		s.log.Warn().Err(c.damage).Str("source", aside(filepath.Join(s.dir, c.damaged[0]))).Msg("state file was damaged: it is set aside, and " + then)
	case c.from == previousName:
		s.log.Warn().Str("source", path).Msg("state file is missing: the one before it is used (to begin anew, remove hanbridge.* there)")
	case c.from == oldName:
		s.log.Info().Str("source", path).Msg("state of an earlier version is taken over: its file is only left for those who go back to that version")
	}
	return nil
}

// aside is where a damaged file is put, so that its owner can look at it. An older one there is replaced.
func aside(path string) string { return path + ".damaged" }

// contents is what is found in a folder.
type contents struct {
	documents documents
	from      string   // the file that the documents come from; "" for none
	damaged   []string // the files that are damaged, of those that were looked at
	damage    error    // why
}

// inspect reads the newest file of dir that is whole. Where there is no file of this version, it reads that of an earlier one.
func inspect(dir string) (c contents, err error) {
	for _, f := range []struct {
		name string
		read func(path string) (documents, error)
	}{{fileName, read}, {previousName, read}, {oldName, readOld}} {
		if f.name == oldName && c.damage != nil {
			break // It was taken over long ago.
		}
		found, err := f.read(filepath.Join(dir, f.name))
		switch {
		case err == nil:
			c.documents, c.from = found, f.name
			return c, nil
		case errors.Is(err, errDamaged):
			c.damaged, c.damage = append(c.damaged, f.name), errors.Join(c.damage, fmt.Errorf("%s: %w", f.name, err))
		case !errors.Is(err, fs.ErrNotExist):
			return contents{}, err
		}
	}
	return c, nil
}
