package meter

import (
	"errors"
	"slices"

	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// decode decodes the next n bytes as a telegram. It returns nil and nil if the bytes are noise, or if they are a part of a message and further
// parts follow. The parts are HDLC or M-Bus segments, or blocks of a general-block-transfer. Segments are joined first, because a block can be
// sent in several segments.
func (d *Decoder) decode(p Protocol, n int) (*Reading, error) {
	b := d.buf[d.at : d.at+n]
	// If an earlier message is incomplete, and its missing parts cannot follow any more, the error of that message is returned first.
	if d.segments.expired(d.offset()) || !d.segments.started() && d.blocks.expired(d.offset()) {
		return nil, d.giveUpMessage()
	}
	r := &d.reading
	*r = Reading{Protocol: p, Offset: d.offset(), Bytes: n, Received: d.arrivals.of(d.offset() + int64(n)), Samples: r.Samples[:0]}
	d.intact = false // unframe and read set intact to true
	message, err := d.unframe(p, b)
	if errors.Is(err, errNotContinued) {
		return nil, d.giveUpMessage() // the next call decodes b again, without the earlier message
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
	if d.segments.started() || d.blocks.started() { // a telegram in another framing interrupts an incomplete message
		return nil, d.giveUpMessage() // the error of the incomplete message is returned first; the next call decodes b again
	}
	if p == HDLC || p == MBus { // only these framings send messages in parts
		d.lossReported = false // no parts of the lost message follow, because a later message is complete
	}
	const derived = 4 // most telegrams give at most so many samples that are computed from several records
	r.Samples = slices.Grow(r.Samples, min(len(r.Records)+derived, quantity.Count()))
	r.Samples = d.converter.AppendSamples(r.Samples, r.Records, d.options.Scale)
	if p == P1 && d.identFamily != nil && d.identFamily.signedPower {
		r.Samples = quantity.SplitSignedPower(r.Samples)
	}
	d.advance(p, n)
	r.Verified = d.verifier.verify(r)
	if !r.Verified && !d.options.AcceptUnverified {
		return nil, &TelegramError{Protocol: p, Offset: r.Offset, Bytes: r.Bytes, Received: r.Received, Raw: b, Intact: true, Err: ErrUnverified}
	}
	return r, nil
}

// advance skips the n bytes of a telegram that was read, or of a part that was joined.
func (d *Decoder) advance(p Protocol, n int) {
	d.at += n
	d.decodedEnd = d.offset()
	if p == HDLC {
		d.at-- // the flag that ends a frame possibly begins the next frame too
	}
}

// giveUpMessage drops the message that is being joined, and returns ErrIncomplete for it. It returns nil if no message is being joined.
func (d *Decoder) giveUpMessage() error {
	message, received := &d.segments, d.segments.received
	if d.blocks.started() { // the segments are then parts of the next block
		message = &d.blocks
		if !d.segments.started() {
			received = d.blocks.received
		}
	}
	if !message.started() {
		return nil
	}
	length := int(max(message.end, d.segments.end) - message.start)
	e := &TelegramError{Protocol: d.partsProtocol, Offset: message.start, Bytes: length, Received: received, Err: ErrIncomplete}
	d.dropParts()
	return e
}

// dropParts drops the collected parts of a message. Further parts of the same message give no second error.
func (d *Decoder) dropParts() {
	d.segments.drop()
	d.blocks.drop()
	d.lossReported = true
}

// reject returns the error for b, which cannot be read as a telegram because of err. The search for telegrams continues at the second byte of b,
// because b possibly contains the beginning of an undamaged telegram. reject returns nil if b is probably noise. If b begins within a telegram
// that was rejected before, reject returns nil unless a telegram certainly begins at b (see certainStart).
func (d *Decoder) reject(p Protocol, b []byte, err error) error {
	start, r := d.offset(), &d.reading
	withinRejected := start < d.damagedEnd
	withinLine := p == P1 && d.withinText()
	returned := d.plausible(p, b) && (d.certainStart() || !withinRejected && !withinLine)
	if errors.Is(err, errNoFirstPart) && d.lossReported {
		returned = false // an earlier call has returned the error for this message
	}
	if returned {
		d.dropParts()
	}
	d.at++
	d.damagedEnd = max(d.damagedEnd, start+int64(len(b))) // also if no error is returned
	if !returned {
		return nil
	}
	return &TelegramError{Protocol: p, Offset: r.Offset, Bytes: r.Bytes, Received: r.Received, Raw: b, Intact: d.intact, Err: err}
}
