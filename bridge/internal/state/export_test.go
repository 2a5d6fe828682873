package state

import "maps"

// Names of the files in the folder of a Store.
const (
	FileName     = fileName
	PreviousName = previousName
	BoltName     = boltName
)

// Commit commits at once. Only Run calls it outside of tests.
func (s *Store) Commit() { s.commit() }

// Documents returns all documents that the file had at Open.
func (s *Store) Documents() map[string]string {
	all := make(map[string]string)
	for key := range maps.Keys(s.atOpen) {
		all[key] = string(s.Value(key))
	}
	return all
}

// Encode and Decode write and read the content of a file. AddChecksum puts the checksum in front of the rest of the content.
var (
	Encode      = encode
	Decode      = decode
	AddChecksum = addChecksum
)
