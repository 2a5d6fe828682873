// Package line finds out from the raw bytes of a meter's port why no telegram is in them: another speed or parity, an inverted signal, a
// terminal that rewrites line ends, a gateway in telnet mode, bytes that get lost.
//
// Add the bytes to an Evidence as they arrive, and ask for its Verdict. Verdict.Advice returns an explanation for the user. A
// TelnetFilter removes the telnet protocol from a stream.
//
// This works because most wrong settings leave a pattern in the bytes:
//
//   - Wrong parity or an inverted signal: the same part of a telegram always becomes the same wrong bytes (signature.go).
//   - The line is read faster than the meter sends: the bytes have long runs of equal bits.
//
// The exception is a line that is read more slowly than the meter sends. Its bytes look like noise.
package line

import "bytes"

// Evidence collects statistics about the bytes of a line. The zero value is ready to use. Its size is constant, whatever the bytes. Its
// methods allocate nothing. It is not safe for concurrent use.
type Evidence struct {
	bytes      int64            // all that were added
	counts     [256]int64       // of each byte value
	word       uint32           // the last four bytes
	signatures [numFaults]int64 // how many signatures of each fault were found
	p1         p1Scanner
	frames     frameTracker
	start      [256]byte // the first bytes of the stream in lower case: they show a web server or a login prompt
	startLen   int
	telnet     TelnetFilter
	negotiated bool    // an earlier connection was in telnet mode
	decoded    [4]byte // buffer for the output of the telnet filter for one byte
}

// Add adds the next bytes of the line, in chunks of any size. It does not keep b.
func (e *Evidence) Add(b []byte) {
	e.bytes += int64(len(b))
	// The telnet filter gets byte by byte until it has found out that the stream is not telnet. Then the rest is added at once.
	for len(b) > 0 && !e.telnet.PassesThrough() {
		e.add(e.telnet.Append(e.decoded[:0], b[:1]))
		b = b[1:]
	}
	e.add(b)
}

// add adds bytes from which telnet was removed.
func (e *Evidence) add(b []byte) {
	for _, x := range b[:min(len(b), len(e.start)-e.startLen)] {
		if 'A' <= x && x <= 'Z' {
			x |= 0x20
		}
		e.start[e.startLen] = x
		e.startLen++
	}
	for _, x := range b {
		e.counts[x]++
		e.word = e.word<<8 | uint32(x)
		e.signatures[signatureFaults[e.word]]++ // index 0, noFault, counts words that are not signatures
		e.p1.add(x)
		e.frames.add(x)
	}
}

// Bytes returns how many bytes were added, including those of telnet.
func (e *Evidence) Bytes() int64 { return e.bytes }

// BeginConnection says that the next bytes come from another connection to the same line: telnet may be negotiated again.
func (e *Evidence) BeginConnection() {
	e.negotiated = e.negotiated || e.telnet.Negotiated()
	e.telnet = TelnetFilter{}
}

// Reset discards all evidence. Call it when the line setting changes.
func (e *Evidence) Reset() { *e = Evidence{} }

// Texts in lower case by which web servers and login prompts are recognised.
var (
	webPrefixes   = [][]byte{[]byte("http/"), []byte("<!doctype"), []byte("<html")}
	loginPrefixes = [][]byte{[]byte("ssh-")}
	loginPrompts  = [][]byte{[]byte("login:"), []byte("password:"), []byte("username:"), []byte("user name:"), []byte("user access verification")}
)

// anyOf reports whether match is true of b and one of the texts.
func anyOf(b []byte, texts [][]byte, match func(b, text []byte) bool) bool {
	for _, text := range texts {
		if match(b, text) {
			return true
		}
	}
	return false
}

// Limits of the verdict.
const (
	// minBytes is the fewest bytes for the verdicts OtherBaud and Unrecognised. Fewer bytes may come from inserting the plug.
	minBytes = 64
	// minP1Lines is the fewest data lines for P1Lines. Random bytes do not form that many in years.
	minP1Lines = 3
	// A fault is accepted if at least one signature was found per bytesPerSignature bytes. With the fault, every telegram has a
	// signature at its start, and no telegram is longer than bytesPerSignature.
	bytesPerSignature = 8192
)

// Verdict returns the most likely state of the line, from all bytes since the last Reset. It verifies no telegrams, so that the
// result has a meaning only for a line from which no telegram was read.
func (e *Evidence) Verdict() Verdict {
	switch v := e.verdict(); v {
	case WebServer, LoginPrompt, OtherBaud, Inverted, OtherParity: // these explain more than telnet does
		return v
	default:
		if e.negotiated || e.telnet.Negotiated() {
			return Telnet
		}
		return v
	}
}

// verdict is Verdict without regard to telnet.
func (e *Evidence) verdict() Verdict {
	frames, start := e.frames, bytes.TrimLeft(e.start[:e.startLen], "\r\n\t ")
	frames.finish() // frames is a copy, so that more bytes can be added to e afterwards
	switch {
	case e.bytes == 0:
		return Silent
	case e.p1.wellFormed >= minP1Lines:
		return e.p1.verdict()
	case anyOf(start, webPrefixes, bytes.HasPrefix):
		return WebServer
	case anyOf(start, loginPrefixes, bytes.HasPrefix), anyOf(start, loginPrompts, bytes.Contains):
		return LoginPrompt
	case frames.headers > 0:
		return frames.verdict()
	case e.shows(faultInverted, faultParity):
		return Inverted
	case e.shows(faultParity, faultInverted):
		return OtherParity
	case e.bytes < minBytes:
		return TooFewBytes
	case e.hasLongRuns():
		return OtherBaud
	}
	return Unrecognised
}

// shows reports whether there are enough signatures of fault f, and more than of the other fault.
func (e *Evidence) shows(f, other fault) bool {
	return e.signatures[f] > e.signatures[other] && e.signatures[f]*bytesPerSignature >= e.bytes
}

// hasLongRuns reports whether nearly all bytes consist of long runs of equal bits: the line is read faster than it is sent, so that each
// bit is read several times.
func (e *Evidence) hasLongRuns() bool {
	var n int64
	for x, count := range e.counts {
		if longRuns(byte(x)) {
			n += count
		}
	}
	return n*10 >= e.bytes*9
}

// longRuns reports whether every run of equal bits that begins and ends within x has three bits or more. The first and the last run do
// not count, because they may be longer than the byte shows. The eighth bit is ignored, because a line of seven data bits has none.
// 0b0111000 has long runs, 0b0011011 does not. One random byte in five has long runs.
func longRuns(x byte) bool {
	run, first := 0, true
	for i := range 6 {
		run++
		if x>>i&1 == x>>(i+1)&1 {
			continue
		}
		if !first && run < 3 {
			return false
		}
		run, first = 0, false
	}
	return true
}
