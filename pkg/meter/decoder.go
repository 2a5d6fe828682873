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

// Options are settings that a Decoder cannot learn from the bytes of a meter. The zero Options suit most meters.
type Options struct {
	// Keys are the keys of encrypted telegrams. The Decoder tries the key that fitted last, then the other keys. A Key must not be used
	// by two Decoders at a time.
	Keys []*dlms.Key
	// Scale multiplies quantities. It is for a meter that does not apply the ratio of its transformers. It is also for a meter that sends
	// energies in Wh, although other meters of its make send 10 Wh. nil changes nothing.
	Scale *quantity.Scale
	// IgnoreChecksum makes the Decoder ignore wrong checksums of ASCII telegrams, because a few meters send wrong checksums. A telegram with a
	// wrong checksum is then read like a telegram without a checksum.
	IgnoreChecksum bool
	// RejectRepeated makes Next return ErrRepeated for an encrypted telegram whose frame counter is not above the previous frame counter. If
	// RejectRepeated is false, Next returns a Reading of the telegram, and Reading.Repeated is true.
	RejectRepeated bool
	// AcceptUnverified makes Next return a Reading also of a telegram that is not verified. Reading.Verified is then false. If
	// AcceptUnverified is false, Next returns a *TelegramError of ErrUnverified for the telegram.
	AcceptUnverified bool
}

// A Decoder reads the telegrams of one meter from a stream, in bounded memory. It is not safe for concurrent use.
type Decoder struct {
	options Options

	// The stream. Offsets count bytes from the start of the stream, after the telnet filter has removed its bytes.
	r io.Reader
	// buf[at:end] has been read and not decoded yet. buf[at-1] remains in buf, because it shows whether buf[at] is at the start of a line.
	buf     []byte
	at, end int
	idleBuf [idleSize]byte  // buf is idleBuf or fullBuf: see makeRoom
	fullBuf *[fullSize]byte // nil if buf is idleBuf
	// base is the offset of buf[0].
	base            int64
	readErr         error // the error of r, after which nothing more is read
	arrivals        arrivals
	telnet          line.TelnetFilter
	unframedChecked bool // the Decoder has checked whether the stream consists of a single message without a frame

	// damagedEnd is the offset after the last rejected telegram. The bytes of a rejected telegram are searched again, because they possibly
	// contain the beginning of an undamaged telegram. Bytes before damagedEnd usually give no second error: see reject.
	damagedEnd int64
	// decodedEnd is the offset after the last telegram that was read, or after the last part that was joined.
	decodedEnd int64

	// Messages in several parts.
	segments      reassembly // joins segments of HDLC or M-Bus
	blocks        reassembly // joins blocks of a general-block-transfer
	partsProtocol Protocol   // framing of the segments and blocks
	lossReported  bool       // an error was returned for an incomplete message, and further parts of that message possibly follow

	// The current telegram.
	intact       bool // the telegram arrived undamaged: see TelegramError.Intact
	reading      Reading
	text         []byte // an ASCII telegram without its parity bits
	frame        hdlc.Frame
	telegram     p1.Telegram
	notification dlms.Notification
	converter    quantity.Converter
	decryption   decryption

	// State of the meter. Reset keeps it.
	verifier     verifier
	scaling      scaling
	names        nameCache
	ident        string   // the last identification line of an ASCII telegram
	identFamily  *family  // family of the manufacturer code in ident; nil if it is not known
	identModel   string   // model in ident
	serialDigits [24]byte // buffer for a serial number that is sent as a number
}

// NewDecoder returns a Decoder that reads telegrams from r. r can be nil if Reset is called before Next. The Decoder never closes r.
func NewDecoder(r io.Reader, o Options) *Decoder {
	d := &Decoder{options: o, r: r}
	d.buf = d.idleBuf[:]
	return d
}

// AddKey adds a key to Options.Keys. Call it only between two calls of Next, or within a Read of the stream.
func (d *Decoder) AddKey(k *dlms.Key) {
	// The slice is copied, because the caller of NewDecoder possibly uses its array.
	d.options.Keys = append(d.options.Keys[:len(d.options.Keys):len(d.options.Keys)], k)
}

// Reset makes the Decoder read a new stream from r. Offsets begin at 0 again. The Decoder keeps its Options and what it has learned about the meter:
// the key that fits, the last frame counter, the scaling of currents, and the codes with which it verifies telegrams without a checksum. So call
// Reset after a reconnect, instead of making a new Decoder.
func (d *Decoder) Reset(r io.Reader) {
	d.r, d.at, d.end, d.base, d.damagedEnd, d.decodedEnd = r, 0, 0, 0, 0, 0
	d.useIdleBuf(nil)
	d.readErr, d.unframedChecked, d.lossReported, d.telnet, d.arrivals = nil, false, false, line.TelnetFilter{}, arrivals{}
	d.segments.drop()
	d.blocks.drop()
}

// TelnetNegotiated reports whether the stream is from a gateway in telnet mode. The Decoder then removes negotiations, and turns FF FF into
// FF. Offsets count the bytes that remain.
func (d *Decoder) TelnetNegotiated() bool { return d.telnet.Negotiated() }

// Next returns the next reading. The reading is valid until the following call of Next or Reset. A *TelegramError is a telegram that gives
// no reading: count the error and call Next again. Any other error is an error of the reader, such as io.EOF, and ends the stream.
// Further calls return the same error.
func (d *Decoder) Next() (*Reading, error) {
	if !d.unframedChecked {
		d.unframedChecked = true
		if n := d.unframedLength(); n > 0 {
			if r, err := d.decode(APDU, n); r != nil || err != nil {
				return r, err
			}
		}
	}
	for {
		d.skipNoise()
		p, n := d.length()
		switch {
		case n > 0:
			if r, err := d.decode(p, n); r != nil || err != nil {
				return r, err
			}
		case n < 0: // no telegram begins here
			d.at++
		case d.readErr == nil: // more bytes are needed
			d.fill()
		case d.at < d.end: // the stream has ended within a telegram, or before the line end of a telegram
			if r, err := d.decode(p, d.end-d.at); r != nil || err != nil {
				return r, err
			}
		default:
			return nil, cmp.Or(d.giveUpMessage(), d.readErr)
		}
	}
}

// fill reads more bytes.
func (d *Decoder) fill() {
	pending := d.telnet.Pending() // number of bytes that the filter possibly appends before the new bytes
	d.makeRoom(pending)
	for range maxEmptyReads {
		n, arrival, err := ReadTimed(d.r, d.buf[d.end+pending:])
		if d.readErr = err; arrival.Waited >= messageGap {
			d.noteSilence()
		}
		if d.telnet.PassesThrough() {
			d.end += n
		} else {
			d.end = len(d.telnet.Append(d.buf[:d.end], d.buf[d.end+pending:d.end+pending+n]))
		}
		if n > 0 {
			d.arrivals.add(d.base+int64(d.end), arrival.Time, d.offset())
		}
		if n > 0 || err != nil {
			return
		}
	}
	d.readErr = io.ErrNoProgress
}

// maxEmptyReads is the number of reads without bytes and without an error after which fill sets io.ErrNoProgress.
const maxEmptyReads = 100

// offset returns the offset in the stream of the next byte to be decoded.
func (d *Decoder) offset() int64 { return d.base + int64(d.at) }
