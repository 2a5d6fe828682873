// Package line tells from the raw bytes of a serial line what is wrong with it when no telegram comes out of them: another
// speed or parity, an inverted signal, a terminal that rewrites line ends, a gateway in telnet mode, bytes that get lost.
//
// A line that is set wrong does not give noise. The same pieces of a telegram always become the same other bytes, which can
// be recognised (signs.go), and one that is read too fast gives long runs of equal bits. One that is read too slowly gives what
// cannot be told from noise.
package line

import "bytes"

// Evidence is what is known of the bytes of a line. Its zero value is ready. Its memory is constant, whatever the bytes, and
// Add allocates nothing. It is not safe for concurrent use.
type Evidence struct {
	bytes      int64
	counts     [256]int64 // of each byte
	word       uint32     // the last four bytes
	signs      [kinds]int64
	text       text
	frames     frames
	begin      [256]byte // of the stream, in small letters, by which other programs than meters are known
	beginLen   int
	telnet     TelnetFilter
	negotiated bool    // by an earlier connection
	undone     [4]byte // what a byte of telnet stands for, with those that it held
}

// Add takes in the next bytes of the line, in any portions. They are not kept.
func (e *Evidence) Add(b []byte) {
	e.bytes += int64(len(b))
	for len(b) > 0 && !e.telnet.PassesThrough() {
		e.add(e.telnet.Append(e.undone[:0], b[:1]))
		b = b[1:]
	}
	e.add(b)
}

// add takes in bytes that telnet was taken away from.
func (e *Evidence) add(b []byte) {
	for _, x := range b[:min(len(b), len(e.begin)-e.beginLen)] {
		if 'A' <= x && x <= 'Z' {
			x |= 0x20
		}
		e.begin[e.beginLen] = x
		e.beginLen++
	}
	for _, x := range b {
		e.counts[x]++
		e.word = e.word<<8 | uint32(x)
		e.signs[signKinds[e.word]]++
		e.text.add(x)
		e.frames.add(x)
	}
}

// Bytes returns how many bytes were added, those of telnet among them.
func (e *Evidence) Bytes() int64 { return e.bytes }

// BeginConnection tells that the next bytes are of another connection to the same line.
func (e *Evidence) BeginConnection() {
	e.negotiated = e.negotiated || e.telnet.Negotiated()
	e.telnet = TelnetFilter{}
}

// Reset forgets all, for another setting of the line.
func (e *Evidence) Reset() { *e = Evidence{} }

// What other programs than gateways begin with, and ask.
var (
	webBegins   = [][]byte{[]byte("http/"), []byte("<!doctype"), []byte("<html")}
	loginBegins = [][]byte{[]byte("ssh-")}
	logins      = [][]byte{[]byte("login:"), []byte("password:"), []byte("username:"), []byte("user name:"), []byte("user access verification")}
)

// found tells if one of the texts is in b, or at its beginning: where is bytes.Contains or bytes.HasPrefix.
func found(b []byte, texts [][]byte, where func(b, text []byte) bool) bool {
	for _, text := range texts {
		if where(b, text) {
			return true
		}
	}
	return false
}

// Limits of the judgement.
const (
	// enoughBytes is how many bytes are judged at all: fewer may be a glitch at the plug.
	enoughBytes = 64
	// enoughLines is how many data lines make a text: bytes that are not sent as such do not form one in years.
	enoughLines = 3
	// signEvery is in how many bytes a sign must be found: every telegram begins with one, and none is longer than this.
	signEvery = 8192
)

// Verdict judges all bytes since the last Reset. It is meant for a line from which no telegram was read: it does not verify
// any.
func (e *Evidence) Verdict() Verdict {
	switch v := e.verdict(); v {
	case WebServer, LoginPrompt, OtherBaud, Inverted, OtherParity: // the reason why there is no telegram
		return v
	default:
		if e.negotiated || e.telnet.Negotiated() {
			return Telnet
		}
		return v
	}
}

// verdict judges the bytes without those of telnet.
func (e *Evidence) verdict() Verdict {
	frames, begin := e.frames, bytes.TrimLeft(e.begin[:e.beginLen], "\r\n\t ")
	frames.drain()
	switch {
	case e.bytes == 0:
		return Silent
	case e.text.good >= enoughLines:
		return e.text.verdict()
	case found(begin, webBegins, bytes.HasPrefix):
		return WebServer
	case found(begin, loginBegins, bytes.HasPrefix), found(begin, logins, bytes.Contains):
		return LoginPrompt
	case frames.heads > 0:
		return frames.verdict()
	case e.tells(kindInverted, kindParity):
		return Inverted
	case e.tells(kindParity, kindInverted):
		return OtherParity
	case e.bytes < enoughBytes:
		return TooFewBytes
	case e.lumpy():
		return OtherBaud
	}
	return Unrecognised
}

// tells reports if there are enough signs of a kind, and more than of the other.
func (e *Evidence) tells(k, other kind) bool {
	return e.signs[k] > e.signs[other] && e.signs[k]*signEvery >= e.bytes
}

// lumpy tells if nearly all bytes have long runs of equal bits alone: each bit that was sent was read several times, or was
// so long that it looked like a break.
func (e *Evidence) lumpy() bool {
	var n int64
	for x, count := range e.counts {
		if isLumpy(byte(x)) {
			n += count
		}
	}
	return n*10 >= e.bytes*9
}

// isLumpy tells if every run of equal bits in x that has both of its ends in there is three bits or longer. The eighth bit
// is left out, since a line of seven bits has none. One byte in five is so by chance.
func isLumpy(x byte) bool {
	run, inside := 0, false
	for i := range 6 {
		run++
		if x>>i&1 == x>>(i+1)&1 {
			continue
		}
		if inside && run < 3 {
			return false
		}
		run, inside = 0, true
	}
	return true
}
