package meter

import (
	"bytes"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/mbus"
	"github.com/hanbridge/hanbridge/pkg/p1"
)

const (
	// slash begins an ASCII telegram (IEC 62056-21, 6.3.2).
	slash = '/'
	// paritySlash is a slash with even parity in bit 7: a line of seven bits that is read with eight.
	paritySlash = slash | 0x80
	// ciphering is the tag of a general-glo-ciphering.
	ciphering = 0xDB
)

// begins tells which bytes can begin a telegram.
var begins = [256]bool{slash: true, paritySlash: true, hdlc.Flag: true, mbus.Start: true, ciphering: true}

// skipNoise moves to the next byte that can begin a telegram.
func (d *Decoder) skipNoise() {
	for d.at < d.end && !begins[d.buf[d.at]] {
		d.at++
	}
}

// length returns what may begin here and how many bytes it takes: 0 to read on, -1 when nothing begins here.
func (d *Decoder) length() (Protocol, int) {
	b := d.buf[d.at:d.end]
	if len(b) == 0 {
		return "", 0
	}
	switch b[0] {
	case hdlc.Flag:
		n := hdlc.Length(b)
		if n > 0 && len(b) < headLength && d.err == nil && !hdlc.Proven(b) {
			return HDLC, 0 // what follows a damaged header tells if it is one
		}
		return HDLC, n
	case mbus.Start:
		return MBus, d.orNoise(mbus.Length(b), mbus.Proven(b))
	case ciphering:
		return Glo, d.orNoise(dlms.CipheredLength(b), true)
	case paritySlash:
		return P1, d.lengthWithParity(b)
	}
	if d.proven() {
		return P1, p1.Length(b)
	}
	return P1, d.lengthWithinLine(b)
}

// orNoise gives up what has begun where the stream ends, unless it is proven to be a telegram.
func (d *Decoder) orNoise(n int, proven bool) int {
	if n == 0 && d.err != nil && !proven {
		return -1
	}
	return n
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

// lengthWithParity is for a telegram sent with seven bits and even parity, and read with eight bits: the parity is taken
// away here, and proves each of its characters. The text is left in d.text.
func (d *Decoder) lengthWithParity(b []byte) int {
	if d.text == nil {
		d.text = make([]byte, p1.MaxLength)
	}
	text := d.text[:p1.StripParity(d.text[:p1.MaxLength], b)]
	whole := len(text) < len(b) || len(text) == p1.MaxLength
	switch n := p1.Length(text); {
	case len(text) >= 4 && !lettered(text), len(text) < 4 && whole:
		return -1
	case n == 0 && whole:
		return len(text)
	default:
		return n
	}
}

// frameless returns the length of a stream that is one message without a frame, as people keep them: the whole stream. It
// returns 0 for any other. A meter that is read from the middle of a message can look like one; then its first telegrams
// are late by what a buffer takes to fill, and none is lost.
func (d *Decoder) frameless() int {
	const enough = len(dlms.LLC) + 1 + 4 + 2 + 12 + 1
	for d.err == nil && d.end < enough {
		d.fill()
		if !mayBeBare(d.buf[:d.end]) {
			return 0
		}
	}
	if !mayBeBare(d.buf[:d.end]) {
		return 0
	}
	for d.err == nil && d.end <= maxMessage {
		d.fill()
	}
	if d.err == nil || d.end == 0 || d.end > maxMessage {
		return 0
	}
	return d.end
}

// mayBeBare tells if b begins like a data-notification, with or without the LLC header, or like a ciphering behind one.
func mayBeBare(b []byte) bool {
	if n := min(len(b), len(dlms.LLC)); n > 0 && string(b[:n]) == dlms.LLC[:n] {
		b = b[n:]
		if len(b) > 0 && b[0] == ciphering {
			return true
		}
	}
	return dlms.MayBeNotification(b)
}

// proven tells that a telegram was sent here, however it ends: a '/' at the start of a line, or a right header.
func (d *Decoder) proven() bool {
	switch d.buf[d.at] {
	case hdlc.Flag:
		return hdlc.Proven(d.buf[d.at:d.end])
	case mbus.Start:
		return mbus.Proven(d.buf[d.at:d.end])
	case slash:
		return d.at == 0 && d.base == 0 || d.at > 0 && d.buf[d.at-1] == '\n'
	}
	return false
}

// plausible tells that noise is unlikely to look like b, a telegram that was given up.
func (d *Decoder) plausible(p Protocol, b []byte) bool {
	switch p {
	case P1:
		return len(b) >= identLength || lettered(b)
	case HDLC:
		head := d.buf[d.at:min(d.end, d.at+headLength)]
		return hdlc.Proven(head) || bytes.Contains(head, []byte(dlms.LLC))
	case MBus:
		return mbus.Proven(b)
	case Glo: // behind DB 08 stand the letters of the maker
		return lettered(b[min(1, len(b)):])
	case APDU:
	}
	return true
}

// withinText tells that a character stands before this place.
func (d *Decoder) withinText() bool {
	return d.at > 0 && d.buf[d.at-1] >= ' ' && d.buf[d.at-1] < hdlc.Flag
}

// lettered tells if three letters of a make stand behind the first byte of b, as in identification lines and system titles.
func lettered(b []byte) bool {
	for _, x := range b[min(1, len(b)):min(4, len(b))] {
		if (x|0x20)-'a' > 'z'-'a' {
			return false
		}
	}
	return len(b) >= 4
}
