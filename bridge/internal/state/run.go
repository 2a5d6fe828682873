package state

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/progress"
)

// commitInterval is the shortest time between two commits that are not urgent. Each commit wears out a memory card a little.
const commitInterval = 10 * time.Second

// Run commits changed documents until ctx ends, and then once more. It commits immediately after an urgent change. After any other change it
// waits until 10 s have passed since the last commit. A commit is on disk completely or not at all, whatever ends the program. Run logs the
// first commit that fails, and the next commit that succeeds. After a failure it tries again at the next change. Do not call Run again
// before it has returned.
func (s *Store) Run(ctx context.Context) error {
	if s == nil {
		return nil
	}
	s.reporter.Waiting()
	defer s.reporter.Waiting()
	for {
		select {
		case <-ctx.Done():
			if s.commit(); s.lastErr != nil {
				s.commit() // try once more, because the program ends now
			}
			return nil
		case <-s.changed:
		}
		select {
		case <-s.urgent: // the commit that follows includes the urgent change
		default:
		}
		s.commit()
		s.reporter.Waiting()
		select {
		case <-ctx.Done():
		case <-s.urgent:
		case <-time.After(commitInterval):
		}
	}
}

// commit writes the documents to disk if a document has changed.
func (s *Store) commit() {
	s.reporter.Working()
	s.mu.Lock()
	waiters := s.syncWaiters
	s.syncWaiters = nil
	s.mu.Unlock()
	err := s.lockAndLoad()
	if err == nil {
		err = s.checkFile()
	}
	if err == nil {
		if next := s.nextDocuments(); s.writtenInfo == nil || !equal(s.onDisk, next) {
			err = s.write(next)
		}
	}
	s.logResult(err)
	for _, done := range waiters {
		close(done)
	}
}

// nextDocuments returns the documents for the next commit. Documents without an encoder stay as they are on disk.
func (s *Store) nextDocuments() documents {
	s.mu.Lock()
	encoders := maps.Clone(s.encoders)
	s.mu.Unlock()
	next := make(documents, len(s.onDisk))
	maps.Copy(next, s.onDisk)
	for key, encode := range encoders {
		if text := encode(); text != nil && !bytes.Equal(next[key], text) {
			next[key] = slices.Clone(text)
		}
	}
	return next
}

func equal(a, b documents) bool {
	return maps.EqualFunc(a, b, func(x, y json.RawMessage) bool { return bytes.Equal(x, y) })
}

// checkFile detects that another program has removed, replaced or changed the file since the last commit. If the file is missing, damaged or
// has other documents, checkFile sets writtenInfo to nil, and this commit writes all documents again. checkFile also renames a damaged file, so
// that it does not become the previous file.
func (s *Store) checkFile() error {
	path := filepath.Join(s.dir, fileName)
	info, err := os.Lstat(path)
	if s.writtenInfo == nil { // this commit writes all documents anyway
		return nil
	}
	if err == nil && os.SameFile(info, s.writtenInfo) && info.Size() == s.writtenInfo.Size() && info.ModTime().Equal(s.writtenInfo.ModTime()) {
		return nil
	}
	found, err := read(path)
	source := path
	switch {
	case err == nil && equal(found, s.onDisk):
		s.writtenInfo = info // the file still has all documents
		return nil
	case err == nil:
		err = errors.New("another state file was put in its place")
	case errors.Is(err, fs.ErrNotExist):
		err = errors.New("it was removed")
	case !errors.Is(err, errDamaged):
		return folderError(s.dir, err)
	default: // the file is damaged
		source = damagedPath(path)
		if err := os.Rename(path, source); err != nil {
			return folderError(s.dir, err)
		}
	}
	s.writtenInfo = nil
	if s.lastErr == nil { // otherwise the log already has an error about the file
		s.log.Warn().Err(err).Str("source", source).Msg("another program has changed the state file: hanbridge writes the file again, and nothing is lost")
	}
	return nil
}

// logResult logs the first commit that fails, and the next commit that succeeds.
func (s *Store) logResult(err error) {
	switch {
	case err != nil && s.lastErr == nil:
		s.log.Warn().Err(err).Msg("state cannot be written: trying again")
	case err == nil && s.lastErr != nil:
		s.log.Info().Msg("state is written again")
	}
	s.lastErr = err
	s.updateNote()
}

// SetReporter sets the reporter to which Run reports whether it commits or waits. Call it before Run.
func (s *Store) SetReporter(r *progress.Reporter) {
	if s != nil {
		s.reporter = r
		s.updateNote()
	}
}

// updateNote sets the reporter's note to the last error.
func (s *Store) updateNote() {
	text := ""
	if s.lastErr != nil {
		text = "cannot be written: " + s.lastErr.Error()
	}
	s.reporter.Note(text)
}
