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

// pause is the least time between two commits that are not urgent: memory cards wear out.
const pause = 10 * time.Second

// Run commits what is kept until ctx ends, and then once more: at once after a change, and no sooner than 10 s after the last commit
// where it is not urgent. A commit is on disk whole or not at all, whatever ends the program. Run logs the first one that fails and the
// next that succeeds; it tries again at the next change. Only one Run may be under way.
func (s *Store) Run(ctx context.Context) error {
	if s == nil {
		return nil
	}
	s.progress.Waiting()
	defer s.progress.Waiting()
	for {
		select {
		case <-ctx.Done():
			if s.commit(); s.trouble != nil {
				s.commit() // There is no later one.
			}
			return nil
		case <-s.changed:
		}
		select {
		case <-s.urgent: // It is about to be done.
		default:
		}
		s.commit()
		s.progress.Waiting()
		select {
		case <-ctx.Done():
		case <-s.urgent:
		case <-time.After(pause):
		}
	}
}

// commit writes what has changed, if anything has.
func (s *Store) commit() {
	s.progress.Working()
	s.mu.Lock()
	waiting := s.waiting
	s.waiting = nil
	s.mu.Unlock()
	err := s.acquire()
	if err == nil {
		err = s.mend()
	}
	if err == nil {
		if next := s.next(); s.written == nil || !equal(s.kept, next) {
			err = s.write(next)
		}
	}
	s.report(err)
	for _, done := range waiting {
		close(done)
	}
}

// next returns what is to be on disk. What nobody keeps stays.
func (s *Store) next() documents {
	s.mu.Lock()
	encoders := maps.Clone(s.encoders)
	s.mu.Unlock()
	next := make(documents, len(s.kept))
	maps.Copy(next, s.kept)
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

// mend looks whether somebody else has removed, replaced or changed the file since the last commit. If so, the next write brings back all
// that it had. A damaged file is set aside first, so that the one before it stays.
func (s *Store) mend() error {
	path := filepath.Join(s.dir, fileName)
	info, err := os.Lstat(path)
	if s.written == nil || err == nil && os.SameFile(info, s.written) && info.Size() == s.written.Size() && info.ModTime().Equal(s.written.ModTime()) {
		return nil
	}
	now, err := read(path)
	source := path
	switch {
	case err == nil && equal(now, s.kept):
		s.written = info // Its time alone is another.
		return nil
	case err == nil:
		err = errors.New("another state was put in its place")
	case errors.Is(err, fs.ErrNotExist):
		err = errors.New("it was removed")
	case !errors.Is(err, errDamaged):
		return explain(s.dir, err)
	default:
		source = aside(path)
		if err := os.Rename(path, source); err != nil {
			return explain(s.dir, err)
		}
	}
	s.written = nil
	if s.trouble == nil { // Otherwise the log has told already that something is wrong there.
		s.log.Warn().Err(err).Str("source", source).Msg("somebody has changed the state file while it was in use: it is written again, and nothing is lost")
	}
	return nil
}

// report logs trouble when it begins and when it ends.
func (s *Store) report(err error) {
	switch {
	case err != nil && s.trouble == nil:
		s.log.Warn().Err(err).Msg("state cannot be written: trying again")
	case err == nil && s.trouble != nil:
		s.log.Info().Msg("state is written again")
	}
	s.trouble = err
	s.note()
}

// SetReporter has Run tell r whether it commits or waits. Call it before Run.
func (s *Store) SetReporter(r *progress.Reporter) {
	if s != nil {
		s.progress = r
		s.note()
	}
}

// note says why nothing is kept, or nothing if all is.
func (s *Store) note() {
	text := ""
	if s.trouble != nil {
		text = "cannot be written: " + s.trouble.Error()
	}
	s.progress.Note(text)
}
