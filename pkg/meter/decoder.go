package meter

import (
	"bytes"
	"io"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/p1"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A Decoder reads telegrams from a stream. Its memory is bounded, whatever the stream holds. It is not safe for
// concurrent use.
type Decoder struct {
	r io.Reader
	// buf[at:end] is what has been read and not yet judged. buf[at-1], where there is one, is the byte before it: it tells
	// if a telegram begins at the start of a line.
	buf     []byte
	at, end int
	// base is the place in the stream of buf[0].
	base int64
	// failed is the end in the stream of the last damaged telegram. It is searched again from inside, since it may have
	// swallowed a good one, but what fails in there again is not worth a second report.
	failed int64
	err    error // of the reader

	sound        bool // the checksum of what is parsed was right
	reading      Reading
	telegram     p1.Telegram
	notification dlms.Notification

	// What meters say about themselves, kept because it never changes.
	names       names
	ident       string
	identFamily *family
	identModel  string
}

// bufferSize holds the longest telegram twice, so that bytes are seldom moved.
const bufferSize = 2 * p1.MaxLength

// NewDecoder returns a Decoder that reads from r. It never writes and never closes.
func NewDecoder(r io.Reader) *Decoder {
	return &Decoder{
		r:       r,
		buf:     make([]byte, bufferSize),
		reading: Reading{Samples: make([]quantity.Sample, 0, quantity.Count())},
	}
}

// Next returns the next reading, valid until the following call. A damaged telegram is a *TelegramError: count it and
// call Next again. Any other error is the reader's, io.EOF among them, and ends the stream.
func (d *Decoder) Next() (*Reading, error) {
	for {
		d.skipNoise()
		n := d.length()
		switch {
		case n > 0:
			if r, err := d.judge(n); r != nil || err != nil {
				return r, err
			}
		case n < 0:
			d.at++
		case d.err == nil:
			d.fill()
		case d.at < d.end: // the stream has ended within a telegram, or just before its line end
			if r, err := d.judge(d.end - d.at); r != nil || err != nil {
				return r, err
			}
		default:
			return nil, d.err
		}
	}
}

// skipNoise moves to the next byte that can begin a telegram.
func (d *Decoder) skipNoise() {
	for d.at < d.end && d.buf[d.at] != '/' && d.buf[d.at] != hdlc.Flag {
		d.at++
	}
}

// length returns how many bytes the telegram that may begin here takes: 0 to read on, -1 when none begins here.
func (d *Decoder) length() int {
	b := d.buf[d.at:d.end]
	switch {
	case len(b) == 0:
		return 0
	case b[0] == hdlc.Flag:
		n := hdlc.Length(b)
		if n > 0 && len(b) < headLength && d.err == nil && !hdlc.Proven(b) {
			return 0 // what follows a damaged header tells if it is one
		}
		return n
	case d.proven():
		return p1.Length(b)
	}
	return d.lengthWithinLine(b)
}

// headLength is within how many bytes of a frame's flag the LLC header stands, whatever the addresses.
const headLength = 32

// identLength is how long an identification line may be, in bytes: IEC 62056-21, 6.3.2 allows 21, and meters take some more.
const identLength = 64

// lengthWithinLine is for a '/' that is not at the start of a line: a slash like many, unless a make and the end of an
// identification line follow. Only then is it worth to look for the end of a telegram.
func (d *Decoder) lengthWithinLine(b []byte) int {
	line := b[:min(len(b), identLength)]
	switch end := bytes.IndexByte(line, '\n'); {
	case len(b) >= 4 && !lettered(b):
		return -1
	case end >= 4:
		return p1.Length(b)
	case end < 0 && len(b) < identLength && d.err == nil:
		return 0
	}
	return -1
}

// judge parses the n bytes here. It returns nothing where there was no telegram after all.
func (d *Decoder) judge(n int) (*Reading, error) {
	b := d.buf[d.at : d.at+n]
	r := &d.reading
	*r = Reading{Offset: d.base + int64(d.at), Bytes: n, Samples: r.Samples[:0]}
	parse := d.parseP1
	if r.Protocol = P1; b[0] == hdlc.Flag {
		r.Protocol, parse = HDLC, d.parseHDLC
	}
	d.sound = false
	if err := parse(b); err != nil {
		return nil, d.damaged(r.Protocol, b, err)
	}
	r.Samples = quantity.AppendSamples(r.Samples, r.Records)
	d.at += n
	if r.Protocol == HDLC {
		d.at-- // one flag may end a frame and begin the next
	}
	return r, nil
}

// damaged returns the report of a telegram that was given up, nil where it may have been noise, and moves on to search what
// stands inside of it.
func (d *Decoder) damaged(p Protocol, b []byte, err error) error {
	start := d.base + int64(d.at)
	report := d.plausible(b) && (d.proven() || start >= d.failed && !d.withinText())
	d.at++
	d.failed = max(d.failed, start+int64(len(b)))
	if !report {
		return nil
	}
	return &TelegramError{Protocol: p, Offset: start, Bytes: len(b), Raw: b, Sound: d.sound, Err: err}
}

// proven tells that a telegram was sent here, however it ends: a '/' at the start of a line, or a right header checksum.
func (d *Decoder) proven() bool {
	if d.buf[d.at] != '/' {
		return hdlc.Proven(d.buf[d.at:d.end])
	}
	if d.at == 0 {
		return d.base == 0
	}
	return d.buf[d.at-1] == '\n'
}

// plausible tells that noise is unlikely to look like b, a telegram that was given up.
func (d *Decoder) plausible(b []byte) bool {
	if b[0] != hdlc.Flag {
		return len(b) >= identLength || lettered(b)
	}
	head := d.buf[d.at:min(d.end, d.at+headLength)]
	return hdlc.Proven(head) || bytes.Contains(head, []byte(dlms.LLC))
}

// withinText tells that a character stands before this place.
func (d *Decoder) withinText() bool {
	return d.at > 0 && d.buf[d.at-1] >= ' ' && d.buf[d.at-1] < hdlc.Flag
}

// lettered tells if b begins as identification lines do, with a '/' and the three letters of a make.
func lettered(b []byte) bool {
	for _, x := range b[min(1, len(b)):min(4, len(b))] {
		if (x|0x20)-'a' > 'z'-'a' {
			return false
		}
	}
	return len(b) >= 4
}

// fill reads on. What has been judged makes room; the byte before what is left is kept.
func (d *Decoder) fill() {
	if d.end == len(d.buf) {
		keep := max(d.at-1, 0)
		copy(d.buf, d.buf[keep:d.end])
		d.base += int64(keep)
		d.at, d.end = d.at-keep, d.end-keep
	}
	for range emptyReads {
		var n int
		n, d.err = d.r.Read(d.buf[d.end:])
		if d.end += n; n > 0 || d.err != nil {
			return
		}
	}
	d.err = io.ErrNoProgress
}

// emptyReads is how many reads in a row may give neither bytes nor an error.
const emptyReads = 100
