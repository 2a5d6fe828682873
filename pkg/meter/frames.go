package meter

import (
	"bytes"
	"time"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/mbus"
)

// blockTag begins a general-block-transfer (IEC 62056-5-3, 9.4.6.13).
const blockTag = 0xE0

// isBlock reports whether b is a block of a general-block-transfer.
func isBlock(b []byte) bool { return len(b) > 0 && b[0] == blockTag }

// unframe returns the message in a telegram. The message is valid until the next call. If the telegram is a part of a message, and further
// parts follow, unframe returns nil without an error.
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

// unframeHDLC joins HDLC segments. The first segment of a message begins with the LLC header. All segments except the last have the
// segmentation bit (IEC 62056-46, 6.4.3.3). Each block of a general-block-transfer counts as a message here. Only the first block has the
// LLC header, so a block without the header also begins a message.
func (d *Decoder) unframeHDLC(b []byte) ([]byte, error) {
	frame, err := hdlc.Parse(b)
	if err != nil {
		return nil, err
	}
	d.intact, d.frame = true, frame
	info, beginsMessage := bytes.CutPrefix(frame.Info, []byte(dlms.LLC))
	if isBlock(info) && !d.segments.started() {
		beginsMessage = true
	}
	switch {
	case beginsMessage && (d.segments.started() || d.blocks.started() && !isBlock(info)):
		return nil, errNotContinued
	case !beginsMessage && (!d.segments.started() || d.partsProtocol != HDLC):
		return nil, errNoFirstPart
	}
	if !beginsMessage || frame.Segmented {
		return d.addSegment(HDLC, info, !frame.Segmented)
	}
	return d.joinBlocks(HDLC, info)
}

// unframeMBus joins M-Bus segments. They are numbered from 0 to 15, then from 0 again (EN 13757-3, transport layer).
func (d *Decoder) unframeMBus(b []byte) ([]byte, error) {
	const segmentNumbers = 16
	frame, err := mbus.Parse(b)
	if err != nil {
		return nil, err
	}
	d.intact = true
	isNext := d.segments.started() && d.partsProtocol == MBus && int(frame.Segment) == d.segments.parts%segmentNumbers
	switch {
	case isNext: // the segment belongs to the message that is being joined
	case d.segments.started() || d.blocks.started() && !isBlock(frame.Data):
		return nil, errNotContinued
	case frame.Segment != 0:
		return nil, errNoFirstPart
	}
	return d.addSegment(MBus, frame.Data, frame.Final)
}

// addSegment adds a segment to the message. After the last segment it returns the message. It returns nil if further segments follow, or if the
// message is a block and further blocks follow.
func (d *Decoder) addSegment(p Protocol, segment []byte, last bool) ([]byte, error) {
	message, err := d.addPart(&d.segments, p, segment, last)
	if message == nil {
		return nil, err
	}
	return d.joinBlocks(p, message)
}

// joinBlocks joins the blocks of a general-block-transfer. The blocks are numbered from 1 (IEC 62056-5-3, 9.4.6.13). If message is not a
// block, joinBlocks returns it unchanged.
func (d *Decoder) joinBlocks(p Protocol, message []byte) ([]byte, error) {
	if !isBlock(message) {
		return message, nil
	}
	var b dlms.Block
	if err := b.Parse(message); err != nil {
		return nil, err
	}
	switch {
	case int(b.Number) == d.blocks.parts+1: // the next block
	case d.blocks.started():
		return nil, errNotContinued
	default:
		return nil, errNoFirstPart
	}
	return d.addPart(&d.blocks, p, b.Data, b.Last)
}

// addPart adds a part to a message. After the last part it returns the message, and sets Offset and Bytes of the reading so that they cover all
// parts.
func (d *Decoder) addPart(message *reassembly, p Protocol, part []byte, last bool) ([]byte, error) {
	d.partsProtocol = p
	r := &d.reading
	message.received = r.Received
	if err := message.add(part, r.Offset, r.Offset+int64(r.Bytes)); err != nil || !last {
		return nil, err
	}
	r.Offset, r.Bytes = message.start, int(message.end-message.start)
	return message.take(), nil
}

const (
	// maxMessage is the length of the longest message that is joined, in bytes. The longest known message has about 1100 bytes.
	maxMessage = 4096
	// maxPartGap is the maximum number of bytes of noise between two parts of a message. Every part has more bytes than maxPartGap, so more noise
	// is possibly a damaged part. HDLC segments have no numbers that would show that a part is missing.
	maxPartGap = 8
)

// A reassembly joins the parts of a message. If a part is missing, the whole message is dropped.
type reassembly struct {
	buf   []byte
	parts int // number of parts in buf
	// start is the offset in the stream of the first part. end is the offset after the last part in buf.
	start, end int64
	received   time.Time // when the last byte of the last part in buf arrived
	silent     bool      // a silence followed the last part in buf: see Decoder.noteSilence
}

// started reports whether the message has parts, and further parts must follow.
func (m *reassembly) started() bool { return m.parts > 0 }

// expired reports whether the message was started, and a part at this offset cannot belong to the message. It cannot if a silence followed the last
// part, or if more than maxPartGap bytes are between the last part and the offset.
func (m *reassembly) expired(offset int64) bool {
	return m.started() && (m.silent || offset-m.end > maxPartGap)
}

// noteSilence notes that a silence followed the last part. It does nothing if the message has no parts.
func (m *reassembly) noteSilence() { m.silent = m.started() }

// drop drops all parts.
func (m *reassembly) drop() { m.parts, m.buf = 0, m.buf[:0] }

// add appends a part. start and end are the offsets in the stream of its first byte and after its last byte.
func (m *reassembly) add(part []byte, start, end int64) error {
	if m.parts == 0 {
		m.start, m.buf, m.silent = start, m.buf[:0], false
	}
	if len(m.buf)+len(part) > maxMessage {
		m.drop()
		return errTooLong
	}
	m.buf = append(m.buf, part...)
	m.parts, m.end = m.parts+1, end
	return nil
}

// take returns the message, and makes m ready for the next message. The message is valid until the next call of add.
func (m *reassembly) take() []byte {
	b := m.buf
	m.parts = 0
	return b
}
