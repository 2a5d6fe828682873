package state

import (
	"os"
	"path/filepath"
	"slices"
)

// KeepNow keeps a value that does not change under the key, and tells if it is on disk when it returns. Where it is not, Run brings it
// there when it can; but what is in a file that Open could not read stays in it. Call it before Run.
func (s *Store) KeepNow(key string, value []byte) bool {
	if s == nil {
		return false
	}
	value = slices.Clone(value)
	s.Keep(key, func() []byte { return value })
	s.commit()
	if s.db == nil {
		s.mu.Lock()
		delete(s.encoders, key)
		s.mu.Unlock()
	}
	return !s.unsure && has(s.kept, key, value)
}

// Peek returns what is on disk for the key in the state file of dir, or nil. It does not wait for a program that has the file open,
// and changes nothing: a commit that is under way leaves the one before it as it was.
func Peek(dir, key string) ([]byte, error) {
	file, err := os.ReadFile(filepath.Join(dir, fileName))
	if err != nil {
		return nil, err
	}
	values, _, err := lastCommit(file)
	return slices.Clone(values[key]), err
}
