package state

import "maps"

// Names of the files in a folder.
const (
	FileName     = fileName
	PreviousName = previousName
	OldName      = oldName
)

// Commit commits what has changed without waiting for its turn, as only Run does otherwise.
func (s *Store) Commit() { s.commit() }

// Documents returns all that was on disk at Open.
func (s *Store) Documents() map[string]string {
	all := make(map[string]string)
	for key := range maps.Keys(s.found) {
		all[key] = string(s.Value(key))
	}
	return all
}

// Encode and Decode make and read the contents of a file. Seal puts a checksum in front of what it is of.
var (
	Encode = encode
	Decode = decode
	Seal   = seal
)
