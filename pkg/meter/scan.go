package meter

import (
	"bytes"
	"slices"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/mbus"
	"github.com/hanbridge/hanbridge/pkg/p1"
)

const (
	// slash begins an ASCII telegram (IEC 62056-21, 6.3.2).
	slash = '/'
	// paritySlash is a slash with even parity in bit 7. It is read if the meter sends characters of seven bits and a parity bit, and the
	// port reads eight bits without parity.
	paritySlash = slash | 0x80
	// cipheringTag begins a general-glo-ciphering.
	cipheringTag = 0xDB
)

// canBegin is true for each byte that can begin a telegram.
var canBegin = [256]bool{slash: true, paritySlash: true, hdlc.Flag: true, mbus.Start: true, cipheringTag: true}

// skipNoise moves to the next byte that can begin a telegram.
func (d *Decoder) skipNoise() {
	for d.at < d.end && !canBegin[d.buf[d.at]] {
		d.at++
	}
}

// length returns the framing and the length in bytes of the telegram that possibly begins at the next byte. The length is 0 if more bytes
// must arrive before it is known. It is -1 if no telegram begins at the next byte.
func (d *Decoder) length() (Protocol, int) {
	b := d.buf[d.at:d.end]
	if len(b) == 0 {
		return "", 0
	}
	switch b[0] {
	case hdlc.Flag:
		n := hdlc.Length(b)
		incomplete := len(b) < maxHeader && d.readErr == nil
		if n > 0 && incomplete && !hdlc.ValidHeader(b) {
			return HDLC, 0 // wait for the LLC header, by which the method plausible recognises a frame with a damaged header
		}
		return HDLC, n
	case mbus.Start:
		return MBus, d.orNoise(mbus.Length(b), mbus.ValidHeader(b))
	case cipheringTag:
		return Glo, dlms.CipheredLength(b)
	case paritySlash:
		return P1, d.lengthWithParity(b)
	}
	if d.certainStart() {
		return P1, p1.Length(b)
	}
	return P1, d.lengthWithinLine(b)
}

// orNoise returns the length n of a telegram, or -1 if the bytes are noise. They are noise if two conditions hold: the stream has ended
// before the length is known (n is 0), and the bytes are not certainly the start of a telegram.
func (d *Decoder) orNoise(n int, certainStart bool) int {
	if n == 0 && d.readErr != nil && !certainStart {
		return -1
	}
	return n
}

const (
	// maxHeader is more than the number of bytes from the flag of an HDLC frame to the end of the LLC header, which is 17 with the longest
	// addresses.
	maxHeader = 32
	// maxIdent is the length of the longest identification line, in bytes. IEC 62056-21, 6.3.2 allows 21 bytes, but some meters send more.
	maxIdent = 64
)

// lengthWithinLine returns the length of a telegram whose '/' is not at the start of a line. It returns -1 if the '/' does not begin an
// identification line: a manufacturer code of three letters, and a line end after at most maxIdent bytes. It returns 0 if more bytes must arrive.
func (d *Decoder) lengthWithinLine(b []byte) int {
	line := b[:min(len(b), maxIdent)]
	switch end := bytes.IndexByte(line, '\n'); {
	case len(b) >= identStart && !beginsWithFlagID(b): // no manufacturer code
		return -1
	case end >= identStart:
		return p1.Length(b)
	case end < 0 && len(b) < maxIdent && d.readErr == nil: // the line end has possibly not arrived yet
		return 0
	}
	return -1
}

// lengthWithParity returns the length of a telegram that is sent with seven bits and even parity, and read with eight bits. It writes the text
// without parity bits to d.text. The text ends before the first byte that is no character with even parity.
func (d *Decoder) lengthWithParity(b []byte) int {
	text := d.stripParity(b)
	ended := len(text) < len(b) || len(text) == p1.MaxLength // text cannot become longer
	switch n := p1.Length(text); {
	case len(text) >= identStart && !beginsWithFlagID(text), len(text) < identStart && ended:
		return -1
	case n == 0 && ended: // a telegram whose end is missing
		return len(text)
	default:
		return n
	}
}

// stripParity returns the first bytes of b without parity bits, at most p1.MaxLength bytes. It returns only the bytes before the first byte that
// is no character with even parity. The result is valid until the next call.
func (d *Decoder) stripParity(b []byte) []byte {
	b = b[:min(len(b), p1.MaxLength)]
	d.text = slices.Grow(d.text[:0], len(b))[:len(b)]
	return d.text[:p1.StripParity(d.text, b)]
}

// unframedLength returns the length of a stream that consists of a single message without a frame. People save such messages in files.
// unframedLength returns 0 for any other stream. A stream that starts in the middle of a telegram possibly looks like a message without a frame.
// unframedLength then waits until more than maxMessage bytes have arrived. The telegrams in these bytes are returned late, but none is lost.
func (d *Decoder) unframedLength() int {
	// LLC header, tag, invoke id, tag and length of the date-time, date-time, tag of the first value
	const sufficient = len(dlms.LLC) + 1 + 4 + 2 + 12 + 1
	for d.readErr == nil && d.end < sufficient {
		d.fill()
		if !maybeUnframed(d.buf[:d.end]) {
			return 0
		}
	}
	if !maybeUnframed(d.buf[:d.end]) {
		return 0
	}
	for d.readErr == nil && d.end <= maxMessage {
		d.fill()
	}
	if d.readErr == nil || d.end == 0 || d.end > maxMessage {
		return 0
	}
	return d.end
}

// maybeUnframed reports whether b begins like a message without a frame: a data-notification with or without the LLC header, or a
// general-glo-ciphering with the LLC header. (A general-glo-ciphering without the LLC header is found anywhere in a stream: see length.)
func maybeUnframed(b []byte) bool {
	if n := min(len(b), len(dlms.LLC)); n > 0 && string(b[:n]) == dlms.LLC[:n] {
		b = b[n:]
		if len(b) > 0 && b[0] == cipheringTag {
			return true
		}
	}
	return dlms.LooksLikeNotification(b)
}

// certainStart reports whether a telegram certainly begins at the next byte, even if the rest of the telegram is damaged. The next
// bytes must be a '/' at the start of a line, an HDLC header with a right checksum, or the fixed fields of an M-Bus header.
func (d *Decoder) certainStart() bool {
	switch d.buf[d.at] {
	case hdlc.Flag:
		return hdlc.ValidHeader(d.buf[d.at:d.end])
	case mbus.Start:
		return mbus.ValidHeader(d.buf[d.at:d.end])
	case slash:
		isFirstByte := d.at == 0 && d.base == 0
		return isFirstByte || d.at > 0 && d.buf[d.at-1] == '\n'
	}
	return false
}

// plausible reports whether the rejected bytes b are probably a damaged telegram and not noise.
func (d *Decoder) plausible(p Protocol, b []byte) bool {
	switch p {
	case P1:
		return len(b) >= maxIdent || beginsWithFlagID(b)
	case HDLC:
		header := d.buf[d.at:min(d.end, d.at+maxHeader)]
		return hdlc.ValidHeader(header) || bytes.Contains(header, []byte(dlms.LLC))
	case MBus:
		return mbus.ValidHeader(b)
	case Glo: // the system title, which begins with the manufacturer code, follows DB 08
		return beginsWithFlagID(b[min(1, len(b)):])
	case APDU:
	}
	return true
}

// withinText reports whether a printable character is before the next byte. A '/' after a printable character is probably part of a line, and
// begins no telegram. A '~' does not count, because it is possibly the flag at the end of an HDLC frame.
func (d *Decoder) withinText() bool {
	return d.at > 0 && d.buf[d.at-1] >= ' ' && d.buf[d.at-1] < hdlc.Flag
}

// identStart is the length of '/' and the manufacturer code, in bytes.
const identStart = 4

// beginsWithFlagID reports whether b begins with one byte and the three letters of a manufacturer code (FLAG ID). The byte is the '/' of an
// identification line, or the length of a system title.
func beginsWithFlagID(b []byte) bool {
	for _, x := range b[min(1, len(b)):min(identStart, len(b))] {
		if (x|0x20)-'a' > 'z'-'a' {
			return false
		}
	}
	return len(b) >= identStart
}
