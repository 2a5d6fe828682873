package meter

import (
	"bytes"
	"errors"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/mbus"
)

// blockTag begins a general-block-transfer (IEC 62056-5-3, 9.4.6.13).
const blockTag = 0xE0

// unframe returns the message in a telegram, valid until the next one; nil where other parts of it have to come.
func (d *Decoder) unframe(p Protocol, b []byte) ([]byte, error) {
	switch p {
	case HDLC:
		return d.unframeHDLC(b)
	case MBus:
		return d.unframeMBus(b)
	case APDU:
		return bytes.TrimPrefix(b, []byte(dlms.LLC)), nil
	case P1, Glo:
	}
	return b, nil
}

// unframeHDLC joins segments: the first begins with the LLC header, all but the last have the segmentation bit (IEC
// 62056-46, 6.4.3.3). A block of a transfer is a message of its own, and only the first of them has the header.
func (d *Decoder) unframeHDLC(b []byte) ([]byte, error) {
	frame, err := hdlc.Parse(b)
	if err != nil {
		return nil, err
	}
	d.intact, d.frame = true, frame
	info, first := bytes.CutPrefix(frame.Info, []byte(dlms.LLC))
	if isBlock(info) && !d.segments.open() {
		first = true
	}
	switch {
	case first && (d.segments.open() || d.blocks.open() && !isBlock(info)):
		return nil, errBroken
	case !first && (!d.segments.open() || d.partsOf != HDLC):
		return nil, errOrphan
	}
	if !first || frame.Segmented {
		return d.join(HDLC, info, !frame.Segmented)
	}
	return d.unblock(HDLC, info)
}

// unframeMBus joins segments, which are numbered from 0 (EN 13757-3, transport layer).
func (d *Decoder) unframeMBus(b []byte) ([]byte, error) {
	const numbers = 16
	frame, err := mbus.Parse(b)
	if err != nil {
		return nil, err
	}
	d.intact = true
	follows := d.segments.open() && d.partsOf == MBus && int(frame.Segment) == d.segments.parts%numbers
	switch {
	case follows:
	case d.segments.open() || d.blocks.open() && !isBlock(frame.Data):
		return nil, errBroken
	case frame.Segment != 0:
		return nil, errOrphan
	}
	return d.join(MBus, frame.Data, frame.Final)
}

// join adds a segment, and goes on with the whole message after the last one.
func (d *Decoder) join(p Protocol, segment []byte, last bool) ([]byte, error) {
	message, err := d.collect(&d.segments, p, segment, last)
	if message == nil {
		return nil, err
	}
	return d.unblock(p, message)
}

// unblock joins the blocks of a general-block-transfer, which are numbered from 1 (IEC 62056-5-3, 9.4.6.13).
func (d *Decoder) unblock(p Protocol, message []byte) ([]byte, error) {
	if !isBlock(message) {
		return message, nil
	}
	var b dlms.Block
	if err := b.Parse(message); err != nil {
		return nil, err
	}
	switch {
	case int(b.Number) == d.blocks.parts+1:
	case d.blocks.open():
		return nil, errBroken
	default:
		return nil, errOrphan
	}
	return d.collect(&d.blocks, p, b.Data, b.Last)
}

// collect adds a part, and returns the whole message after the last one.
func (d *Decoder) collect(j *join, p Protocol, part []byte, last bool) ([]byte, error) {
	d.partsOf = p
	r := &d.reading
	if err := j.add(part, r.Offset, r.Offset+int64(r.Bytes)); err != nil || !last {
		return nil, err
	}
	r.Offset, r.Bytes = j.start, int(j.end-j.start)
	return j.take(), nil
}

func isBlock(b []byte) bool { return len(b) > 0 && b[0] == blockTag }

// Faults of messages that are sent in parts.
var (
	errOrphan = errors.New("a part of a message whose beginning is missing")
	errLong   = errors.New("a message that is longer than any meter's")
	errBroken = errors.New("the message before is incomplete") // a part does not continue it
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
