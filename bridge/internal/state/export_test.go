package state

// Commit commits what has changed without waiting for its turn, as only Run does otherwise.
func (s *Store) Commit() { s.commit() }

// WithFormat returns contents of another version.
func WithFormat(version byte) (bucket, key, sealed []byte) {
	return bucketName, []byte(contentsKey), seal([]byte{version, 'a', 'n', 'y'})
}

// Read reads a file as Open does, but nothing recovers it.
func Read(file []byte) error {
	_, _, err := lastCommit(file)
	return err
}

// Believe has the store believe that something else is on disk, as after a commit that failed and is there all the same.
func (s *Store) Believe(kept map[string][]byte) { s.base, s.kept = kept, kept }
