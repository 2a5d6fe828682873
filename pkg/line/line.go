// Package line examines the raw bytes from a meter's port that contain no telegram, and returns the likely cause. Possible causes are
// another speed or parity, an inverted signal, a terminal that rewrites line ends, a gateway in telnet mode, and lost bytes.
//
// Add the bytes to an Evidence as they arrive, then call its method Verdict. Verdict.Advice returns an explanation for the user. A
// TelnetFilter removes the telnet protocol from a stream.
//
// Most wrong settings leave a pattern in the bytes:
//
//   - Wrong parity or an inverted signal: the same part of a telegram always becomes the same wrong bytes (signature.go).
//   - The line is read faster than the meter sends: the bytes have long runs of equal bits.
//
// If the line is read more slowly than the meter sends, there is no pattern: the bytes look like noise.
package line

import "bytes"

// Evidence collects statistics about the bytes of a line. The zero value is ready to use. Its size is constant, and its methods allocate
// nothing. It is not safe for concurrent use.
type Evidence struct {
	bytes      int64            // number of bytes that were added, including bytes of telnet
	counts     [256]int64       // number of bytes with each value
	word       uint32           // the last four bytes
	signatures [numFaults]int64 // number of signatures of each fault
	p1         p1Scanner
	frames     frameTracker
	start      [256]byte // the first startLen bytes of the stream in lower case, to recognise a web server or a login prompt
	startLen   int
	telnet     TelnetFilter
	negotiated bool    // an earlier connection was in telnet mode
	decoded    [4]byte // buffer for the output of the telnet filter for one byte
}

// Add adds the next bytes of the line, in chunks of any size. The caller can reuse b afterwards.
func (e *Evidence) Add(b []byte) {
	e.bytes += int64(len(b))
	// Each byte passes the telnet filter. As soon as the filter passes all further bytes unchanged, they are added without the filter.
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

// BeginConnection tells the Evidence that the next bytes are from a new connection to the same line, which can begin with a telnet
// negotiation.
func (e *Evidence) BeginConnection() {
	e.negotiated = e.negotiated || e.telnet.Negotiated()
	e.telnet = TelnetFilter{}
}

// Reset discards all evidence. Call it when the line setting changes.
func (e *Evidence) Reset() { *e = Evidence{} }

// Texts of web servers and login prompts, in lower case. A prefix must be at the start of the stream. A prompt can be anywhere in the first 256
// bytes of the stream.
var (
	webPrefixes   = [][]byte{[]byte("http/"), []byte("<!doctype"), []byte("<html")}
	loginPrefixes = [][]byte{[]byte("ssh-")}
	loginPrompts  = [][]byte{[]byte("login:"), []byte("password:"), []byte("username:"), []byte("user name:"), []byte("user access verification")}
)

// matchesAny reports whether match(b, text) is true for one of the texts.
func matchesAny(b []byte, texts [][]byte, match func(b, text []byte) bool) bool {
	for _, text := range texts {
		if match(b, text) {
			return true
		}
	}
	return false
}

// Limits of the verdict.
const (
	// minBytes is the minimum number of bytes for the verdicts OtherBaud and Unrecognised. Fewer bytes are possibly noise that arises when the
	// cable is plugged in.
	minBytes = 64
	// minP1Lines is the minimum number of data lines for P1Lines. It is so high that random bytes practically never form so many lines.
	minP1Lines = 3
	// bytesPerSignature is the maximum number of bytes per signature for which a fault is assumed. If the line has the fault, every
	// telegram has a signature at its start, and no telegram is longer than bytesPerSignature.
	bytesPerSignature = 8192
)

// Verdict returns the most likely fault of the line, from all bytes since the last Reset. Verdict does not look for intact telegrams, so call it
// only if no telegram was read from the line.
func (e *Evidence) Verdict() Verdict {
	switch v := e.verdict(); v {
	case WebServer, LoginPrompt, OtherBaud, Inverted, OtherParity:
		return v // also in telnet mode, because the user must correct these faults first
	default:
		if e.negotiated || e.telnet.Negotiated() {
			return Telnet
		}
		return v
	}
}

// verdict returns the most likely fault of the line. It ignores telnet negotiations.
func (e *Evidence) verdict() Verdict {
	frames, start := e.frames, bytes.TrimLeft(e.start[:e.startLen], "\r\n\t ")
	frames.finish() // changes only the copy, so that more bytes can be added to e afterwards
	switch {
	case e.bytes == 0:
		return Silent
	case e.p1.wellFormed >= minP1Lines:
		return e.p1.verdict()
	case matchesAny(start, webPrefixes, bytes.HasPrefix):
		return WebServer
	case matchesAny(start, loginPrefixes, bytes.HasPrefix), matchesAny(start, loginPrompts, bytes.Contains):
		return LoginPrompt
	case frames.headers > 0:
		return frames.verdict()
	case e.hasFault(faultInverted, faultParity):
		return Inverted
	case e.hasFault(faultParity, faultInverted):
		return OtherParity
	case e.bytes < minBytes:
		return TooFewBytes
	case e.hasLongRuns():
		return OtherBaud
	}
	return Unrecognised
}

// hasFault reports whether there are enough signatures of fault f, and more of them than of the other fault.
func (e *Evidence) hasFault(f, other fault) bool {
	return e.signatures[f] > e.signatures[other] && e.signatures[f]*bytesPerSignature >= e.bytes
}

// hasLongRuns reports whether at least 90 % of the bytes have long runs of equal bits. They have long runs if the line is read faster than
// the meter sends, because each bit is then read several times.
func (e *Evidence) hasLongRuns() bool {
	var n int64
	for x, count := range e.counts {
		if longRuns(byte(x)) {
			n += count
		}
	}
	return n*10 >= e.bytes*9
}

// longRuns reports whether every run of equal bits in x has three bits or more. The first and the last run do not count, because they
// possibly continue in the bits before and after x. Bit 7 is ignored, because a line with seven data bits has none. 0b0111000 has long
// runs, 0b0011011 does not. One random byte in five has long runs.
func longRuns(x byte) bool {
	length, firstRun := 0, true
	for i := range 6 {
		length++
		if x>>i&1 == x>>(i+1)&1 {
			continue
		}
		if !firstRun && length < 3 {
			return false
		}
		length, firstRun = 0, false
	}
	return true
}
