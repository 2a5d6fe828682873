package meter

import "errors"

// Faults of messages that are sent in parts.
var (
	errOrphan     = errors.New("a part of a message whose beginning is missing")
	errIncomplete = errors.New("a message of which parts are missing")
	errLong       = errors.New("a message that is longer than any meter's")
)

const (
	// maxMessage is the longest message, in bytes: the longest known has about 1100.
	maxMessage = 4096
	// maxGap is how many bytes of noise may stand between two parts of a message. It is less than the shortest part, so that
	// what was lost there cannot have been one: HDLC does not number its segments.
	maxGap = 8
)

// join puts a message together from its parts. A message that misses one is dropped whole.
type join struct {
	buf   []byte
	parts int
	start int64 // of the first part, in the stream
	end   int64 // of the last one
	old   bool  // the wire was silent behind the last one
}

// open tells that a part has come and not the last one.
func (j *join) open() bool { return j.parts > 0 }

// far tells that what stands here in the stream is too far behind the last part, or too late, to belong to its message.
func (j *join) far(here int64) bool { return j.open() && (j.old || here-j.end > maxGap) }

// lapse notes that the wire was silent.
func (j *join) lapse() { j.old = j.open() }

func (j *join) drop() { j.parts, j.buf = 0, j.buf[:0] }

// add appends a part that stands in the stream from start to end.
func (j *join) add(part []byte, start, end int64) error {
	if j.parts == 0 {
		j.start, j.buf, j.old = start, j.buf[:0], false
	}
	if len(j.buf)+len(part) > maxMessage {
		j.drop()
		return errLong
	}
	j.buf = append(j.buf, part...)
	j.parts, j.end = j.parts+1, end
	return nil
}

// take returns the message, valid until the next part comes.
func (j *join) take() []byte {
	b := j.buf
	j.parts = 0
	return b
}
