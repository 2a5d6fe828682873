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
	// paritySlash is a slash with even parity in bit 7: the line has seven bits, and is read with eight.
	paritySlash = slash | 0x80
	// cipheringTag begins a general-glo-ciphering.
	cipheringTag = 0xDB
)

// canBegin holds true for each byte that can begin a telegram.
var canBegin = [256]bool{slash: true, paritySlash: true, hdlc.Flag: true, mbus.Start: true, cipheringTag: true}

// skipNoise moves to the next byte that can begin a telegram.
func (d *Decoder) skipNoise() {
	for d.at < d.end && !canBegin[d.buf[d.at]] {
		d.at++
	}
}

// length returns the framing of the telegram that may begin here, and its length in bytes: 0 if more bytes are needed to tell, -1
// if no telegram begins here.
func (d *Decoder) length() (Protocol, int) {
	b := d.buf[d.at:d.end]
	if len(b) == 0 {
		return "", 0
	}
	switch b[0] {
	case hdlc.Flag:
		n := hdlc.Length(b)
		if n > 0 && len(b) < maxHeader && d.readErr == nil && !hdlc.ValidHeader(b) {
			return HDLC, 0 // the LLC header shows whether this is a frame with a damaged header
		}
		return HDLC, n
	case mbus.Start:
		return MBus, d.orNoise(mbus.Length(b), mbus.ValidHeader(b))
	case cipheringTag:
		return Glo, d.orNoise(dlms.CipheredLength(b), true)
	case paritySlash:
		return P1, d.lengthWithParity(b)
	}
	if d.proven() {
		return P1, p1.Length(b)
	}
	return P1, d.lengthWithinLine(b)
}

// orNoise returns n, or -1 if the stream ends before a length is known and nothing proves that a telegram begins here.
func (d *Decoder) orNoise(n int, proven bool) int {
	if n == 0 && d.readErr != nil && !proven {
		return -1
	}
	return n
}

const (
	// maxHeader is how many bytes from a frame's flag to the end of the LLC header there may be, with the longest addresses.
	maxHeader = 32
	// maxIdent is the longest identification line, in bytes. IEC 62056-21, 6.3.2 allows 21, and some meters send more.
	maxIdent = 64
)

// lengthWithinLine is the length for a '/' that is not at the start of a line. It begins a telegram only if the letters of a make
// and the end of an identification line follow.
func (d *Decoder) lengthWithinLine(b []byte) int {
	line := b[:min(len(b), maxIdent)]
	switch end := bytes.IndexByte(line, '\n'); {
	case len(b) >= 4 && !beginsWithMake(b):
		return -1
	case end >= 4:
		return p1.Length(b)
	case end < 0 && len(b) < maxIdent && d.readErr == nil:
		return 0
	}
	return -1
}

// lengthWithParity is the length of a telegram that is sent with seven bits and even parity, and read with eight bits. It removes the
// parity bits, which prove each character. The text is left in d.text.
func (d *Decoder) lengthWithParity(b []byte) int {
	if d.text == nil {
		d.text = make([]byte, p1.MaxLength)
	}
	text := d.text[:p1.StripParity(d.text[:p1.MaxLength], b)]
	ended := len(text) < len(b) || len(text) == p1.MaxLength
	switch n := p1.Length(text); {
	case len(text) >= 4 && !beginsWithMake(text), len(text) < 4 && ended:
		return -1
	case n == 0 && ended:
		return len(text)
	default:
		return n
	}
}

// lengthOfWhole returns the length of a stream that is one message without a frame, as people save them in files. It returns 0 for
// any other stream. A stream that starts in the middle of a telegram may look like such a message. Then its first telegrams are
// returned only when maxMessage bytes have come, and none is lost.
func (d *Decoder) lengthOfWhole() int {
	const sufficient = len(dlms.LLC) + 1 + 4 + 2 + 12 + 1 // bytes up to the tag of the first value
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

// maybeUnframed reports whether b begins like a data-notification, with or without the LLC header, or like a
// general-glo-ciphering behind that header.
func maybeUnframed(b []byte) bool {
	if n := min(len(b), len(dlms.LLC)); n > 0 && string(b[:n]) == dlms.LLC[:n] {
		b = b[n:]
		if len(b) > 0 && b[0] == cipheringTag {
			return true
		}
	}
	return dlms.LooksLikeNotification(b)
}

// proven reports whether a telegram certainly begins at the next byte, even if the rest of it is damaged. The proof is a '/' at the start of
// a line, an HDLC header whose checksum is right, or the fixed fields of an M-Bus header.
func (d *Decoder) proven() bool {
	switch d.buf[d.at] {
	case hdlc.Flag:
		return hdlc.ValidHeader(d.buf[d.at:d.end])
	case mbus.Start:
		return mbus.ValidHeader(d.buf[d.at:d.end])
	case slash:
		return d.at == 0 && d.base == 0 || d.at > 0 && d.buf[d.at-1] == '\n'
	}
	return false
}

// plausible reports whether the rejected bytes b were probably sent as a telegram: noise seldom looks like them.
func (d *Decoder) plausible(p Protocol, b []byte) bool {
	switch p {
	case P1:
		return len(b) >= maxIdent || beginsWithMake(b)
	case HDLC:
		header := d.buf[d.at:min(d.end, d.at+maxHeader)]
		return hdlc.ValidHeader(header) || bytes.Contains(header, []byte(dlms.LLC))
	case MBus:
		return mbus.ValidHeader(b)
	case Glo: // behind DB 08 stands the system title, which begins with the letters of the make
		return beginsWithMake(b[min(1, len(b)):])
	case APDU:
	}
	return true
}

// withinText reports whether a printable character precedes the next byte. A '/' there is probably part of a line, and begins no telegram.
func (d *Decoder) withinText() bool {
	return d.at > 0 && d.buf[d.at-1] >= ' ' && d.buf[d.at-1] < hdlc.Flag
}

// beginsWithMake reports whether the three letters of a make follow the first byte of b, as in identification lines and system titles.
func beginsWithMake(b []byte) bool {
	for _, x := range b[min(1, len(b)):min(4, len(b))] {
		if (x|0x20)-'a' > 'z'-'a' {
			return false
		}
	}
	return len(b) >= 4
}
