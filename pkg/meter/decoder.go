package meter

import (
	"cmp"
	"io"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/line"
	"github.com/hanbridge/hanbridge/pkg/p1"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A Decoder reads telegrams from a stream, in bounded memory. It is not safe for concurrent use.
type Decoder struct {
	options Options

	r io.Reader
	// buf[at:end] is what has been read and not yet judged. buf[at-1] tells if a telegram begins at the start of a line.
	buf     []byte
	at, end int
	// base is the place in the stream of buf[0].
	base int64
	// failed is the end in the stream of the last damaged telegram. It is searched again from inside, since it may have
	// swallowed a good one, but what fails in there again is not worth a second report.
	failed int64
	// passed is the end in the stream of the last good telegram.
	passed int64
	err    error // of the reader
	begun  bool  // it is known if the stream is one message without a frame
	telnet line.TelnetFilter

	segments join     // of HDLC and M-Bus
	blocks   join     // of a general-block-transfer
	orphaned bool     // what comes next may be the rest of a message whose loss has been told
	partsOf  Protocol // of both

	intact       bool // the checksum of what is parsed was right
	reading      Reading
	telegram     p1.Telegram
	notification dlms.Notification
	text         []byte     // a telegram whose bytes had to be changed: parity taken away, decrypted
	frame        hdlc.Frame // the last one
	finder       quantity.Finder
	lock         lock

	// What meters say about themselves, kept because it never changes.
	names       names
	ident       string
	identFamily *family
	identModel  string
	digits      [24]byte // of a number that is sent as such

	// What was found of the meter that its telegrams do not say.
	scaling  scaling
	verifier verifier
}

// bufferSize holds the longest telegram twice, so that bytes are seldom moved.
const bufferSize = 2 * p1.MaxLength

// NewDecoder returns a Decoder that reads telegrams from r. r may be nil until the first Reset. The Decoder never closes r.
func NewDecoder(r io.Reader, o Options) *Decoder {
	return &Decoder{
		options: o,
		r:       r,
		buf:     make([]byte, bufferSize),
		reading: Reading{Samples: make([]quantity.Sample, 0, quantity.Count())},
	}
}

// Reset makes the Decoder read from r, from byte 0 of a new stream. It keeps its Options and all that it has learned of the
// meter: the key that fits, the last frame counter, the scaling of currents, and the lists that verify telegrams without a
// checksum. So a program that opens its connection again calls Reset, and does not make a new Decoder.
func (d *Decoder) Reset(r io.Reader) {
	d.r, d.at, d.end, d.base, d.failed, d.passed = r, 0, 0, 0, 0, 0
	d.err, d.begun, d.orphaned, d.telnet = nil, false, false, line.TelnetFilter{}
	d.segments.drop()
	d.blocks.drop()
}

// NoteSilence tells that the wire was silent before the bytes that come next, for longer than a meter pauses within a message: what
// has come of one in parts is not continued by them. HDLC does not number its segments, and blocks and segments of the next
// message have the same numbers: only the pause tells the tail of another from the tail that was lost. Call it between calls of
// Next, or within Read. Where no times are known, as in a file, nobody can.
func (d *Decoder) NoteSilence() {
	const flag = 1          // may end a frame and begin the next
	if d.end-d.at <= flag { // not within a part, which its checksum will judge
		d.segments.lapse()
		d.blocks.lapse()
	}
}

// Next returns the next reading, valid until the following call. A damaged telegram is a *TelegramError: count it and
// call Next again. Any other error is the reader's, io.EOF among them, and ends the stream.
func (d *Decoder) Next() (*Reading, error) {
	if !d.begun {
		d.begun = true
		if n := d.frameless(); n > 0 {
			if r, err := d.judge(APDU, n); r != nil || err != nil {
				return r, err
			}
		}
	}
	for {
		d.skipNoise()
		p, n := d.length()
		switch {
		case n > 0:
			if r, err := d.judge(p, n); r != nil || err != nil {
				return r, err
			}
		case n < 0:
			d.at++
		case d.err == nil:
			d.fill()
		case d.at < d.end: // the stream has ended within a telegram, or just before its line end
			if r, err := d.judge(p, d.end-d.at); r != nil || err != nil {
				return r, err
			}
		default:
			return nil, cmp.Or(d.incomplete(), d.err) // first that of a message whose end has not come
		}
	}
}

// TelnetNegotiated reports whether the stream comes from a gateway in telnet mode. The Decoder then removes the negotiations and
// the doubling of FF bytes, and the offsets in its stream count the bytes that are left.
func (d *Decoder) TelnetNegotiated() bool { return d.telnet.Negotiated() }

// fill reads on. What has been judged makes room; the byte before what is left is kept.
func (d *Decoder) fill() {
	held := d.telnet.Held()
	if d.end+held >= len(d.buf) {
		keep := max(d.at-1, 0)
		copy(d.buf, d.buf[keep:d.end])
		d.base += int64(keep)
		d.at, d.end = d.at-keep, d.end-keep
	}
	for range emptyReads {
		var n int
		n, d.err = d.r.Read(d.buf[d.end+held:])
		if d.telnet.Plain() {
			d.end += n
		} else {
			d.end = len(d.telnet.Append(d.buf[:d.end], d.buf[d.end+held:d.end+held+n]))
		}
		if n > 0 || d.err != nil {
			return
		}
	}
	d.err = io.ErrNoProgress
}

// emptyReads is how many reads in a row may give neither bytes nor an error.
const emptyReads = 100

// here is the place in the stream of the next byte to be judged.
func (d *Decoder) here() int64 { return d.base + int64(d.at) }

// Options are what the bytes of a meter cannot tell. The zero Options suit most meters.
type Options struct {
	// Keys open ciphered telegrams. They are tried in turn, the one that fitted last first. A Key serves one Decoder.
	Keys []*dlms.Key
	// Scale multiplies quantities: behind a transformer whose ratio the meter does not apply, or where a make counts in
	// 10 Wh and this meter does not. nil changes nothing.
	Scale *quantity.Scale
	// IgnoreChecksum takes ASCII telegrams with a wrong checksum for ones without: for the few meters that send a wrong one.
	IgnoreChecksum bool
	// RejectRepeated refuses ciphered telegrams whose frame counter is not above the last one, with ErrRepeated. Without it
	// they are read, and Reading.Repeated is true.
	RejectRepeated bool
	// AcceptUnverified returns telegrams that are not verified too, with Reading.Verified false. Without it each is a
	// *TelegramError of ErrUnverified.
	AcceptUnverified bool
}
