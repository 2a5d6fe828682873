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
	previousName = fileName + ".previous" // the file that the last commit replaced
	lockName     = "hanbridge.lock"       // an empty file; the bridge that uses the folder holds a lock on it

	lockTimeout = 500 * time.Millisecond // how long to wait until another hanbridge unlocks the folder
)

var (
	errInUse = errors.New("another hanbridge uses it (stop the other hanbridge, or set another state_dir)")
	errNewer = errors.New("written by a newer hanbridge (start the newer version, or remove hanbridge.* there: then the last values of the counters are lost)")
)

// lockAndLoad locks the folder if it is not locked, and reads the documents if they were not read until now.
func (s *Store) lockAndLoad() error {
	err := s.lockFolder()
	if err == nil && !s.loaded {
		err = s.load()
	}
	if err != nil {
		s.writtenInfo = nil // while the folder is not locked, another program can change the file; so the next commit must write the file
		return folderError(s.dir, err)
	}
	return nil
}

// lockFolder locks the folder, and creates it if it is missing. If the lock file was removed or replaced, the lock on the old file has no
// effect: another program has possibly locked the new file. In that case lockFolder locks the new file.
func (s *Store) lockFolder() error {
	path := filepath.Join(s.dir, lockName)
	if s.lock != nil {
		locked, lockedErr := s.lock.Stat()
		current, currentErr := os.Stat(path)
		if lockedErr == nil && currentErr == nil && os.SameFile(locked, current) {
			return nil
		}
	}
	_ = s.unlock() // an error does not matter because the locked file is no longer in the folder
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no ordinary file", path) // opening a pipe would block until another program opens the other end
	}
	lock := flock.New(path)
	if err := waitForLock(lock.TryLockContext); err != nil {
		return err
	}
	s.lock = lock
	return nil
}

// waitForLock calls lock, which tries until it succeeds, but at most for lockTimeout.
func waitForLock(lock func(ctx context.Context, retry time.Duration) (bool, error)) error {
	ctx, cancel := context.WithTimeout(context.Background(), lockTimeout)
	defer cancel()
	_, err := lock(ctx, lockTimeout/10) // lock tries ten times
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

// folderError adds the name of the folder to an error, and what a user can do.
func folderError(dir string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("state_dir %s cannot be written: %w (give it to the user who runs hanbridge: sudo mkdir -p %s && sudo chown -R USER %[1]s)",
			dir, err, dir)
	}
	// If the folder is a link to a missing folder, MkdirAll fails with ErrExist because of the link.
	if target, linkErr := os.Readlink(dir); linkErr == nil && errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("state_dir %s is a link to %s, which does not exist (create %[2]s, or remove the link)", dir, target)
	}
	return fmt.Errorf("state_dir %s: %w", dir, err)
}

// load reads the documents of the locked folder, and renames damaged files. It logs if a file was damaged, or if the documents are
// from a file other than fileName.
func (s *Store) load() error {
	c, err := readFolder(s.dir)
	for _, name := range c.damaged {
		path := filepath.Join(s.dir, name)
		err = errors.Join(err, os.Rename(path, damagedPath(path)))
	}
	if err != nil {
		return err
	}
	s.onDisk, s.loaded = c.documents, true
	source, warning := filepath.Join(s.dir, c.from), ""
	switch {
	case c.damage != nil && c.from == "":
		warning = "state file was damaged: it is renamed, and a new file is begun"
	case c.damage != nil:
		warning = "state file was damaged: it is renamed, and the previous file is used"
	case c.from == previousName:
		warning = "state file is missing: the previous file is used (to start without stored values, remove hanbridge.* there)"
	case c.from == boltName:
		s.log.Info().Str("source", source).Msg("state of an earlier version is taken over: hanbridge needs the old file only if you return to the earlier version")
	}
	warningSource := source
	if len(c.damaged) > 0 {
		warningSource = damagedPath(filepath.Join(s.dir, c.damaged[0]))
	}
	if warning != "" {
		s.log.Warn().Err(c.damage).Str("source", warningSource).Msg(warning)
	}
	return nil
}

// damagedPath returns the path to which a damaged file is renamed, so that a user can look at the file. An older file at that path is
// replaced.
func damagedPath(path string) string { return path + ".damaged" }

// folderContents is the result of readFolder.
type folderContents struct {
	documents documents
	from      string   // the name of the file with the documents; "" if there is none
	damaged   []string // the names of the damaged files; all are newer than the file that was read
	damage    error    // what is wrong with the damaged files; nil if there are none
}

// readFolder reads the newest intact file of dir. If there is no file of this version, not even a damaged one, it reads the
// bbolt file of an earlier version.
func readFolder(dir string) (c folderContents, err error) {
	for _, f := range []struct {
		name string
		read func(path string) (documents, error)
	}{{fileName, read}, {previousName, read}, {boltName, readBolt}} {
		if f.name == boltName && c.damage != nil {
			break // the bbolt file is older than the damaged files, so its documents are out of date
		}
		found, err := f.read(filepath.Join(dir, f.name))
		switch {
		case err == nil:
			c.documents, c.from = found, f.name
			return c, nil
		case errors.Is(err, errDamaged):
			c.damaged, c.damage = append(c.damaged, f.name), errors.Join(c.damage, fmt.Errorf("%s: %w", f.name, err))
		case !errors.Is(err, fs.ErrNotExist):
			return folderContents{}, err
		}
	}
	return c, nil
}
