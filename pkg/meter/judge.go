package meter

import (
	"errors"

	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// judge parses the n bytes here. It returns nothing where there was no telegram after all, or only a part of one.
func (d *Decoder) judge(p Protocol, n int) (*Reading, error) {
	b := d.buf[d.at : d.at+n]
	if d.segments.far(d.here()) || !d.segments.open() && d.blocks.far(d.here()) {
		return nil, d.incomplete()
	}
	r := &d.reading
	*r = Reading{Protocol: p, Offset: d.here(), Bytes: n, Samples: r.Samples[:0]}
	d.intact = false
	message, err := d.unframe(p, b)
	if errors.Is(err, errBroken) {
		return nil, d.incomplete() // b is judged again, now as the first part of a message
	}
	if err == nil && message == nil {
		d.pass(p, n)
		return nil, nil //nolint:nilnil // the rest of the message follows
	}
	if err == nil {
		err = d.read(p, message)
	}
	if err != nil {
		return nil, d.damaged(p, b, err)
	}
	if d.segments.open() || d.blocks.open() {
		return nil, d.incomplete() // it came first; b is judged again
	}
	if p == HDLC || p == MBus {
		d.orphaned = false
	}
	r.Samples = d.finder.AppendSamples(r.Samples, r.Records, d.options.Scale)
	if p == P1 && d.identFamily != nil && d.identFamily.signed {
		r.Samples = quantity.AppendExports(r.Samples)
	}
	d.pass(p, n)
	r.Verified = d.verifier.verify(r)
	if !r.Verified && !d.options.AcceptUnverified {
		return nil, &TelegramError{Protocol: p, Offset: r.Offset, Bytes: r.Bytes, Raw: b, Intact: true, Err: ErrUnverified}
	}
	return r, nil
}

// pass moves behind the n bytes of a good telegram, or of a part of one.
func (d *Decoder) pass(p Protocol, n int) {
	d.at += n
	d.passed = d.here()
	if p == HDLC {
		d.at-- // one flag may end a frame and begin the next
	}
}

// incomplete drops a message of which parts are missing, and reports it; nil when there is none.
func (d *Decoder) incomplete() error {
	j := &d.segments
	if d.blocks.open() {
		j = &d.blocks
	}
	if !j.open() {
		return nil
	}
	e := &TelegramError{Protocol: d.partsOf, Offset: j.start, Bytes: int(max(j.end, d.segments.end) - j.start), Err: ErrIncomplete}
	d.segments.drop()
	d.blocks.drop()
	d.orphaned = true
	return e
}

// damaged returns the report of a telegram that was given up, nil where it may have been noise. The search goes on inside of it.
func (d *Decoder) damaged(p Protocol, b []byte, err error) error {
	start, r := d.here(), &d.reading
	report := d.plausible(p, b) && (d.proven() || start >= d.failed && (p != P1 || !d.withinText()))
	if errors.Is(err, errOrphan) && d.orphaned {
		report = false // told with the beginning of its message
	}
	if report {
		d.segments.drop()
		d.blocks.drop()
		d.orphaned = true
	}
	d.at++
	d.failed = max(d.failed, start+int64(len(b)))
	if !report {
		return nil
	}
	return &TelegramError{Protocol: p, Offset: r.Offset, Bytes: r.Bytes, Raw: b, Intact: d.intact, Err: err}
}
