package state

import "maps"

// Names of the files in the folder of a Store.
const (
	FileName     = fileName
	PreviousName = previousName
	BoltName     = boltName
)

// Commit writes the documents to disk if a document has changed.
func (s *Store) Commit() { s.commit() }

// Documents returns the documents that the state file had at Open.
func (s *Store) Documents() map[string]string {
	all := make(map[string]string)
	for key := range maps.Keys(s.atOpen) {
		all[key] = string(s.Value(key))
	}
	return all
}

// Encode returns the content of a file with documents. Decode returns the documents in such a content. AddChecksum puts the checksum in front
// of the rest of the content.
var (
	Encode      = encode
	Decode      = decode
	AddChecksum = addChecksum
)
