package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	// format is the version of a file. In every version the checksum has the same place, so that damage is not taken for a newer version.
	format = 1
	most   = 64 << 20 // bytes; no bridge writes that many
)

// A file is one JSON object on one line. In front of these members it has the member "checksum": the SHA-256 of all that follows it.
type file struct {
	Format    int       `json:"format"`
	Documents documents `json:"documents"`
}

const (
	beforeSum = `{"checksum":"`
	behindSum = `",`
	headSize  = len(beforeSum) + 2*sha256.Size + len(behindSum) // bytes up to what the checksum is of
)

// errDamaged is in the errors of a file that is not what was written. Such a file is set aside.
var errDamaged = errors.New("damaged")

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %w", errDamaged, fmt.Errorf(format, args...))
}

func encode(d documents) ([]byte, error) {
	text, err := json.Marshal(file{format, d})
	if err != nil {
		return nil, err
	}
	return seal(append(text[1:], '\n')), nil
}

// seal puts the checksum in front of what it is of.
func seal(rest []byte) []byte {
	return fmt.Appendf(nil, "%s%x%s%s", beforeSum, sha256.Sum256(rest), behindSum, rest)
}

func decode(text []byte) (documents, error) {
	if len(text) < headSize || !bytes.Equal(seal(text[headSize:]), text) {
		return nil, damaged("its checksum is wrong (it was cut or changed, or another program wrote it)")
	}
	var version struct{ Format int }
	if err := json.Unmarshal(text, &version); err == nil && version.Format > format {
		return nil, errNewer
	}
	var f file
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, damaged("%w", err)
	}
	return f.Documents, nil
}

// read returns the documents of a file.
func read(path string) (documents, error) {
	text, err := readWhole(path)
	if err != nil {
		return nil, err
	}
	return decode(text)
}

// readWhole reads a file into memory. One that the disk cannot give back is damaged; one that may not be read, or is no ordinary file, is
// not: to open a pipe would wait for its other end.
func readWhole(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no ordinary file", path)
	case info.Size() == 0 || info.Size() > most:
		return nil, damaged("%d bytes are none that hanbridge wrote", info.Size())
	}
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrNotExist) {
		return nil, damaged("it cannot be read: %w", err)
	}
	return text, err
}

// write replaces the file by one with these documents, and keeps the one that was there. Whatever ends the program, one of the two is
// there whole. The libraries for this do not keep the one before, and leave a new name behind for each program that was killed.
func (s *Store) write(next documents) error {
	path := filepath.Join(s.dir, fileName)
	text, err := encode(next)
	if err == nil {
		err = replace(path, text)
	}
	s.written = nil
	if err == nil {
		s.written, err = os.Lstat(path)
	}
	if err != nil {
		return fmt.Errorf("%s cannot be written (is the disk full?): %w", path, err)
	}
	s.kept = next
	return nil
}

func replace(path string, text []byte) error {
	fresh := path + ".new"
	if err := writeSynced(fresh, text); err != nil {
		_ = os.Remove(fresh) // It only takes room.
		return err
	}
	previous := filepath.Join(filepath.Dir(path), previousName)
	if _, err := os.Lstat(path); err == nil {
		_ = os.Remove(previous)
		if os.Link(path, previous) != nil { // Some disks have no hard links: then the file is missing for a moment.
			_ = os.Rename(path, previous)
		}
	}
	if err := os.Rename(fresh, path); err != nil {
		return err
	}
	if dir, err := os.Open(filepath.Dir(path)); err == nil {
		_ = dir.Sync() // Some systems cannot; the file itself is on disk.
		_ = dir.Close()
	}
	return nil
}

func writeSynced(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
