package meter

import (
	"errors"

	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// decode decodes the next n bytes as a telegram. It returns neither a reading nor an error if the bytes are noise, or if the bytes are a
// part of a message whose other parts follow. The parts are HDLC or M-Bus segments, or blocks of a general-block-transfer. Segments are
// joined first, because a block can be sent in several segments.
func (d *Decoder) decode(p Protocol, n int) (*Reading, error) {
	b := d.buf[d.at : d.at+n]
	// If the missing parts of an earlier message can no longer follow, the error of that message is returned first.
	if d.segments.expired(d.offset()) || !d.segments.started() && d.blocks.expired(d.offset()) {
		return nil, d.giveUpMessage()
	}
	r := &d.reading
	*r = Reading{Protocol: p, Offset: d.offset(), Bytes: n, Samples: r.Samples[:0]}
	d.intact = false // unframe and read set it
	message, err := d.unframe(p, b)
	if errors.Is(err, errNotContinued) {
		return nil, d.giveUpMessage() // the next call decodes b again, as the first part of a message
	}
	if err == nil && message == nil {
		d.advance(p, n)
		return nil, nil //nolint:nilnil // further parts of the message follow
	}
	if err == nil {
		err = d.read(p, message)
	}
	if err != nil {
		return nil, d.reject(p, b, err)
	}
	if d.segments.started() || d.blocks.started() {
		return nil, d.giveUpMessage() // the error of the earlier message is returned first; the next call decodes b again
	}
	if p == HDLC || p == MBus { // only these framings send messages in parts
		d.lossReported = false // no parts of the lost message follow, because a later message has arrived whole
	}
	r.Samples = d.converter.AppendSamples(r.Samples, r.Records, d.options.Scale)
	if p == P1 && d.identFamily != nil && d.identFamily.signedPower {
		r.Samples = quantity.SplitSignedPower(r.Samples)
	}
	d.advance(p, n)
	r.Verified = d.verifier.verify(r)
	if !r.Verified && !d.options.AcceptUnverified {
		return nil, &TelegramError{Protocol: p, Offset: r.Offset, Bytes: r.Bytes, Raw: b, Intact: true, Err: ErrUnverified}
	}
	return r, nil
}

// advance skips the n bytes of a telegram that was read, or of a part that was joined.
func (d *Decoder) advance(p Protocol, n int) {
	d.at += n
	d.decodedEnd = d.offset()
	if p == HDLC {
		d.at-- // one flag may end a frame and begin the next
	}
}

// giveUpMessage drops a message of which parts are missing, and returns the error for it. It returns nil if there is no such message.
func (d *Decoder) giveUpMessage() error {
	parts := &d.segments
	// d.blocks has the beginning of the message if both have parts: the segments are then those of its next block.
	if d.blocks.started() {
		parts = &d.blocks
	}
	if !parts.started() {
		return nil
	}
	length := int(max(parts.end, d.segments.end) - parts.start)
	e := &TelegramError{Protocol: d.partsProtocol, Offset: parts.start, Bytes: length, Err: ErrIncomplete}
	d.dropParts()
	return e
}

// dropParts drops the collected parts of a message. Further parts of the same message give no second error.
func (d *Decoder) dropParts() {
	d.segments.drop()
	d.blocks.drop()
	d.lossReported = true
}

// reject gives up the telegram b because of err. The search continues at the second byte of b, which may contain the beginning of an
// undamaged telegram. reject returns the error to report. It returns nil if b is possibly noise. It also returns nil if b is within a
// telegram that was rejected before, unless a telegram certainly begins at b (see certainStart).
func (d *Decoder) reject(p Protocol, b []byte, err error) error {
	start, r := d.offset(), &d.reading
	report := d.plausible(p, b) && (d.certainStart() || start >= d.damagedEnd && (p != P1 || !d.withinText()))
	if errors.Is(err, errNoFirstPart) && d.lossReported {
		report = false // the loss of the whole message was reported before
	}
	if report {
		d.dropParts()
	}
	d.at++
	d.damagedEnd = max(d.damagedEnd, start+int64(len(b))) // also if the error is not reported
	if !report {
		return nil
	}
	return &TelegramError{Protocol: p, Offset: r.Offset, Bytes: r.Bytes, Raw: b, Intact: d.intact, Err: err}
}
