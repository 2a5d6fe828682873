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
// begun: see Aside. It returns ErrLocked after half a second, ErrNewer, and else the system's error where dir cannot be written. Close the Store
// after Run.
func Open(dir string) (*Store, error) {
	s := &Store{
		path:      filepath.Join(dir, fileName),
		changed:   make(chan struct{}, 1),
		urgent:    make(chan struct{}, 1),
		disk:      make(map[string][]byte),
		encoders:  make(map[string]func() []byte),
		forgotten: make(map[string]bool),
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, explain(dir, err)
	}
	info, err := os.Stat(s.path)
	s.emptied = err == nil && info.Mode().IsRegular() && info.Size() == 0 // nobody leaves an empty one
	err = s.open()
	if damage := new(damageError); errors.As(err, &damage) {
		err = s.open() // The damaged one is out of the way.
	}
	if err != nil {
		return nil, explain(dir, err)
	}
	s.kept = s.disk
	return s, nil
}

// explain says for whom to open the folder.
func explain(dir string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("state_dir %s cannot be written: %w (give it to the user who runs hanbridge: sudo mkdir -p %s && sudo chown -R USER %[1]s)",
			dir, err, dir)
	}
	return fmt.Errorf("state_dir %s: %w", dir, err)
}

// open opens the file with bbolt, which calls take. It returns a damageError after the file was set aside.
func (s *Store) open() (err error) {
	var file *os.File
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if fault := recover(); fault != nil {
			err = errors.Join(s.setAside(damaged("bbolt: %v", fault)), file.Close())
		}
	}()
	s.db, err = bbolt.Open(s.path, 0o600, &bbolt.Options{
		Timeout: patience, PageSize: pageSize, MaxSize: most, NoStatistics: true,
		OpenFile: func(path string, flag int, mode os.FileMode) (*os.File, error) {
			file, err = s.take(path, flag, mode)
			return file, err
		},
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
	return file, nil
}

// openLocked waits until nobody else has the file locked. The lock has to be on the file that is there by then: who had it may have set
// it aside and begun another.
func openLocked(path string, flag int, mode os.FileMode) (*os.File, error) {
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

// read fills s.disk from the file, which may be empty.
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
	for key, value := range values {
		s.disk[key] = slices.Clone(value) // They lie in the bytes of the whole file.
	}
	return nil
}

// setAside puts the file out of the way, while it is still locked. It returns the cause, a damageError, or why it could not.
func (s *Store) setAside(cause error) error {
	aside := s.path + ".damaged"
	if err := os.Rename(s.path, aside); err != nil {
		return err
	}
	s.aside, s.cause = aside, cause
	clear(s.disk)
	return cause
}
