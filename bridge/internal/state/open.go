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
	if s.lock != nil {
		held, err1 := s.lock.Stat()
		there, err2 := os.Stat(path)
		if err1 == nil && err2 == nil && os.SameFile(held, there) {
			return nil
		}
	}
	_ = s.unlock() // Nothing is lost with a file that is gone.
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no ordinary file", path) // To open a pipe would wait for its other end.
	}
	lock := flock.New(path)
	if err := wait(lock.TryLockContext); err != nil {
		return err
	}
	s.lock = lock
	return nil
}

// wait waits until a file is locked, half a second at most.
func wait(lock func(ctx context.Context, again time.Duration) (bool, error)) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := lock(ctx, patience/10)
	if errors.Is(err, context.DeadlineExceeded) {
		return errInUse
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

// explain says which folder an error is of, and what to do about it.
func explain(dir string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("state_dir %s cannot be written: %w (give it to the user who runs hanbridge: sudo mkdir -p %s && sudo chown -R USER %[1]s)",
			dir, err, dir)
	}
	if to, failed := os.Readlink(dir); failed == nil && errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("state_dir %s is a link to %s, which is not there (make that, or remove the link)", dir, to)
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
	source, warning := filepath.Join(s.dir, c.from), ""
	switch {
	case c.damage != nil && c.from == "":
		warning = "state file was damaged: it is set aside, and a new one is begun"
	case c.damage != nil:
		warning = "state file was damaged: it is set aside, and the one before it is used"
	case c.from == previousName:
		warning = "state file is missing: the one before it is used (to begin anew, remove hanbridge.* there)"
	case c.from == oldName:
		s.log.Info().Str("source", source).Msg("state of an earlier version is taken over: its file is only left for those who go back to that version")
	}
	if len(c.damaged) > 0 {
		source = aside(filepath.Join(s.dir, c.damaged[0]))
	}
	if warning != "" {
		s.log.Warn().Err(c.damage).Str("source", source).Msg(warning)
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
