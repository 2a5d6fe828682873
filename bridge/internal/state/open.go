package state

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"

	"go.etcd.io/bbolt"
)

const (
	fileName = "hanbridge.db"
	patience = 500 * time.Millisecond // for another hanbridge that is about to end
	most     = 64 << 20               // bytes; bbolt refuses to make the file larger
)

// ErrLocked is the error of Open while another program has the file open.
var ErrLocked = errors.New("another hanbridge uses it (stop that one, or give each its own state_dir)")

// Open reads the state file in dir, and begins one where there is none. A file that is not what was written is set aside, and a new one
// begun: see Aside. With an error it returns a Store as well, which has what could be read, and whose Run tries again to open the file:
// after ErrLocked, which takes half a second, and the system's error where dir cannot be written. After ErrNewer the Store is nil.
// Close the Store after Run.
func Open(dir string) (*Store, error) {
	s := &Store{
		dir:       dir,
		path:      filepath.Join(dir, fileName),
		changed:   make(chan struct{}, 1),
		urgent:    make(chan struct{}, 1),
		encoders:  make(map[string]func() []byte),
		forgotten: make(map[string]bool),
	}
	err := s.begin()
	if errors.Is(err, ErrNewer) {
		return nil, err
	}
	if err != nil && !errors.Is(err, ErrLocked) {
		s.onDisk = s.peek()
	}
	s.trouble = err
	s.disk, s.base, s.kept = s.onDisk, s.onDisk, s.onDisk
	return s, err
}

// begin opens the file and fills s.onDisk.
func (s *Store) begin() error {
	s.onDisk, s.aside, s.cause, s.file = nil, "", nil, nil
	if err := s.makeFolder(); err != nil {
		return explain(s.dir, err)
	}
	info, err := os.Stat(s.path)
	isNew := errors.Is(err, fs.ErrNotExist)
	s.emptied = err == nil && info.Mode().IsRegular() && info.Size() == 0 // nobody leaves an empty one
	err = s.open()
	if damage := new(damageError); errors.As(err, &damage) {
		isNew = true
		err = s.open() // The damaged one is out of the way.
	}
	if err == nil {
		s.began = true
		s.info, err = s.file.Stat()
	}
	if err != nil && isNew && s.file != nil {
		_ = os.Remove(s.path) // what there was no room for is not taken for a damaged one
	}
	if err != nil {
		return explain(s.dir, err)
	}
	return nil
}

func (s *Store) makeFolder() error {
	if err := leadsNowhere(s.dir); err != nil {
		return err
	}
	return os.MkdirAll(s.dir, 0o700)
}

// leadsNowhere returns an error for a link to what is not there: who followed it would make a file that nobody has asked for.
func leadsNowhere(path string) error {
	to, err := os.Readlink(path)
	if err != nil {
		return nil //nolint:nilerr // it is no link
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is a link to %s, which is not there (make that, or remove the link)", path, to)
	}
	return nil
}

// peek returns what is in a file that may be read, but not be written to.
func (s *Store) peek() map[string][]byte {
	if info, err := os.Stat(s.path); err != nil || !info.Mode().IsRegular() { // to open a pipe would wait for its other end
		return nil
	}
	file, err := os.Open(s.path)
	if err != nil {
		return nil
	}
	defer file.Close()
	if s.read(file) != nil {
		return nil
	}
	return s.onDisk
}

// explain says for whom to open the folder.
func explain(dir string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("state_dir %s cannot be written: %w (give it to the user who runs hanbridge: sudo mkdir -p %s && sudo chown -R USER %[1]s)",
			dir, err, dir)
	}
	return fmt.Errorf("state_dir %s: %w", dir, err)
}

// open opens the file with bbolt, which calls take. It returns a damageError after the file was set aside. Of a panic in bbolt nothing
// but that remains: what the runtime says of it helps nobody.
func (s *Store) open() (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			file := s.file
			err = s.setAside(damaged("it cannot be read"))
			drop(file)
		}
	}()
	s.db, err = bbolt.Open(s.path, 0o600, &bbolt.Options{
		Timeout: patience, PageSize: pageSize, MaxSize: most, NoStatistics: true, OpenFile: s.take,
	})
	return err
}

// take opens and locks the file, and reads it before bbolt does.
func (s *Store) take(path string, flag int, mode os.FileMode) (*os.File, error) {
	file, err := openLocked(path, flag, mode)
	if err != nil {
		return nil, err
	}
	if err = s.read(file); s.emptied {
		s.emptied, err = false, damaged("it is empty")
	}
	if damage := new(damageError); errors.As(err, &damage) {
		err = s.setAside(err)
	}
	if err != nil {
		_ = file.Close() // nothing was written to it
		return nil, err
	}
	s.file = file
	return file, nil
}

// openLocked waits until nobody else has the file locked. The lock has to be on the file that is there by then: who had it may have set
// it aside and begun another.
func openLocked(path string, flag int, mode os.FileMode) (*os.File, error) {
	if err := leadsNowhere(path); err != nil {
		return nil, err
	}
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		file, err := os.OpenFile(path, flag, mode)
		if err != nil {
			return nil, err
		}
		locked, err := lock(file)
		if locked && sameFile(file, path) {
			return file, nil
		}
		_ = file.Close() // nothing was done with it
		if err != nil {
			return nil, err
		}
		if time.Since(began) >= patience {
			return nil, ErrLocked
		}
	}
}

func sameFile(file *os.File, path string) bool {
	mine, err := file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(mine, there)
}

// read fills s.onDisk from the file, which may be empty.
func (s *Store) read(file *os.File) error {
	info, err := file.Stat()
	if err != nil || info.Size() == 0 && info.Mode().IsRegular() {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no ordinary file", s.path)
	}
	if info.Size() > most {
		return damaged("%d bytes are more than were ever written", info.Size())
	}
	bytes := make([]byte, info.Size())
	if _, err := io.ReadFull(file, bytes); err != nil {
		return damaged("it cannot be read: %w", err)
	}
	values, lost, err := lastCommit(bytes)
	if err != nil {
		return err
	}
	if lost {
		s.cause = errors.New("its last commit is damaged, the one before it is used")
	}
	s.onDisk = make(map[string][]byte, len(values))
	for key, value := range values {
		s.onDisk[key] = slices.Clone(value) // They lie in the bytes of the whole file.
	}
	return nil
}

// setAside puts the file out of the way, while it is still locked. It returns the cause, a damageError, or why it could not.
func (s *Store) setAside(cause error) error {
	aside := s.path + ".damaged"
	if err := os.Rename(s.path, aside); err != nil {
		return err
	}
	s.aside, s.cause, s.onDisk, s.file = aside, cause, nil, nil
	return cause
}
