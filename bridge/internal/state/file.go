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
	// fileFormat is the version of the file format. All versions have the checksum in the same place, so that a damaged file is not mistaken
	// for the file of a newer version.
	fileFormat = 1
	// maxSize is the maximum size of a file that is read, in bytes. The file of a bridge is much smaller.
	maxSize = 64 << 20
)

// A file is the content of a state file: one JSON object on one line. Before the members of this type, the object has a member "checksum".
// The checksum is the SHA-256 of all bytes after that member.
type file struct {
	Format    int       `json:"format"`
	Documents documents `json:"documents"`
}

const (
	checksumPrefix = `{"checksum":"`
	checksumSuffix = `",`
	checksumSize   = len(checksumPrefix) + 2*sha256.Size + len(checksumSuffix) // length of the checksum member, in bytes
)

// errDamaged is wrapped by the error for a file whose content is not what hanbridge wrote. Such a file is renamed; see damagedPath.
var errDamaged = errors.New("damaged")

// damagedError returns an error that wraps errDamaged.
func damagedError(format string, args ...any) error {
	return fmt.Errorf("%w: %w", errDamaged, fmt.Errorf(format, args...))
}

// encode returns the content of a file with these documents.
func encode(d documents) ([]byte, error) {
	text, err := json.Marshal(file{fileFormat, d})
	if err != nil {
		return nil, err
	}
	return addChecksum(append(text[1:], '\n')), nil // without the opening brace
}

// addChecksum returns the complete object: the opening brace, the checksum member and the rest.
func addChecksum(rest []byte) []byte {
	return fmt.Appendf(nil, "%s%x%s%s", checksumPrefix, sha256.Sum256(rest), checksumSuffix, rest)
}

// decode returns the documents in the content of a file. The error wraps errDamaged, or is errNewer.
func decode(text []byte) (documents, error) {
	if len(text) < checksumSize || !bytes.Equal(addChecksum(text[checksumSize:]), text) {
		return nil, damagedError("its checksum is wrong (it was cut or changed, or another program wrote it)")
	}
	var version struct{ Format int }
	if err := json.Unmarshal(text, &version); err == nil && version.Format > fileFormat {
		return nil, errNewer
	}
	var f file
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, damagedError("%w", err)
	}
	return f.Documents, nil
}

// read returns the documents in a file.
func read(path string) (documents, error) {
	text, err := readWhole(path)
	if err != nil {
		return nil, err
	}
	return decode(text)
}

// readWhole reads a file into memory. If the size is impossible or the disk fails, the error wraps errDamaged. If the file is missing, if
// permission is missing, or if the path is no ordinary file, the error does not wrap errDamaged. A pipe is not opened because Open would
// block until a program opens the pipe for writing.
func readWhole(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no ordinary file", path)
	case info.Size() == 0 || info.Size() > maxSize:
		return nil, damagedError("its size of %d bytes is impossible", info.Size())
	}
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrNotExist) {
		return nil, damagedError("it cannot be read: %w", err)
	}
	return text, err
}

// write replaces the file by a file with these documents, and keeps the previous file. Whatever ends the program, at least one of the two
// files is complete on disk. write uses no library because libraries keep no previous file.
func (s *Store) write(next documents) error {
	path := filepath.Join(s.dir, fileName)
	text, err := encode(next)
	if err == nil {
		err = replace(path, text)
	}
	s.writtenInfo = nil
	if err == nil {
		s.writtenInfo, err = os.Lstat(path)
	}
	if err != nil {
		return fmt.Errorf("%s cannot be written (is the disk full?): %w", path, err)
	}
	s.onDisk = next
	return nil
}

// replace writes a new file, keeps the current file under the name previousName, and then renames the new file to path.
func replace(path string, text []byte) error {
	newPath := path + ".new"
	if err := writeSynced(newPath, text); err != nil {
		_ = os.Remove(newPath) // an incomplete file is useless
		return err
	}
	previous := filepath.Join(filepath.Dir(path), previousName)
	if _, err := os.Lstat(path); err == nil {
		_ = os.Remove(previous)
		if os.Link(path, previous) != nil { // the file system has no hard links; between the two renames there is no file at path
			_ = os.Rename(path, previous)
		}
	}
	if err := os.Rename(newPath, path); err != nil {
		return err
	}
	if dir, err := os.Open(filepath.Dir(path)); err == nil {
		_ = dir.Sync() // not all systems can sync a folder, and the content of the file is already on disk
		_ = dir.Close()
	}
	return nil
}

// writeSynced writes a file and waits until its content is on disk.
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
