package line

import (
	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/mbus"
)

// maxHeader is the length of the longest frame header: flag (1 byte), format (2), two addresses (8), control (1) and HCS (2).
const maxHeader = 14

// frameTracker finds frame headers in a stream. For each frame, it compares the number of bytes with the length in the header.
type frameTracker struct {
	window  [maxHeader]byte // the next byte to process, and the bytes after it
	n       int             // number of bytes in window
	headers int64           // number of valid headers

	// Numbers of frames, by their number of bytes.
	intact  int64 // as many bytes as the header says
	crAdded int64 // one byte more for each CR LF in the frame, because LF was rewritten as CR LF
	doubled int64 // one byte more for each FF FF in the frame, because telnet doubled FF
	damaged int64 // any other number

	// The current frame.
	length    int  // length in bytes that the header gives; 0 if there is no current frame
	endByte   byte // the value that the last byte of the frame must have
	count     int  // number of bytes so far
	crlfs     int  // number of pairs CR LF so far
	ffPairs   int  // number of pairs FF FF so far
	ffPending bool // the previous byte was the first FF of a pair
	previous  byte
}

// add adds the next byte of the stream.
func (f *frameTracker) add(x byte) {
	if f.n == len(f.window) {
		f.step()
	}
	f.window[f.n] = x
	f.n++
}

// step processes the first byte of the window, and removes it from the window.
func (f *frameTracker) step() {
	f.follow(f.window[0])
	f.begin(f.window[:f.n])
	f.n = copy(f.window[:], f.window[1:f.n])
}

// finish processes the rest of the window. Then it counts the current frame, if there is one: the stream ends within this frame.
func (f *frameTracker) finish() {
	for f.n > 0 {
		f.step()
	}
	switch {
	case f.length == 0: // no current frame
	case f.count >= f.length && f.ffPairs > f.crlfs:
		f.doubled++ // as many bytes as the header says, and the end byte is still missing: bytes FF were added
	case f.count >= f.length:
		f.crAdded++ // the same, but CRs were added
	case f.previous == f.endByte && f.count > 1:
		f.damaged++ // fewer bytes than the header says, and the last one is an end byte: bytes are missing
	}
}

// begin makes the frame at the beginning of b the current frame. It does nothing if b does not begin with a valid header.
func (f *frameTracker) begin(b []byte) {
	length, endByte := 0, byte(hdlc.Flag)
	switch {
	case b[0] == hdlc.Flag && hdlc.ValidHeader(b):
		length = (int(b[1]&0x07)<<8 | int(b[2])) + 2 // the length in the header does not count the two flags
	case b[0] == mbus.Start && mbus.ValidHeader(b):
		const overhead, modulus = 6, 256 // see package mbus
		length, endByte = int(b[1])+overhead, 0x16
		if b[1] < 2 { // the header has the length modulo 256, and no frame has a length of 0 or 1
			length += modulus
		}
	default:
		return
	}
	if f.length > 0 {
		f.damaged++ // the current frame is shorter than its header says
	}
	f.headers++
	f.length, f.endByte, f.count, f.previous = length, endByte, 1, b[0]
	f.crlfs, f.ffPairs, f.ffPending = 0, 0, false
}

// follow processes the next byte of the current frame. It does nothing if there is no current frame.
func (f *frameTracker) follow(x byte) {
	if f.length == 0 {
		return
	}
	f.count++
	if x == '\n' && f.previous == '\r' {
		f.crlfs++
	}
	switch { // of three consecutive bytes FF, the first two are a pair
	case x != telnetIAC:
		f.ffPending = false
	case f.ffPending:
		f.ffPairs++
		f.ffPending = false
	default:
		f.ffPending = true
	}
	f.previous = x
	switch excess := f.count - f.length; {
	case excess == 0 && x == f.endByte:
		f.intact++
	case excess == f.crlfs && x == f.endByte:
		f.crAdded++
	case excess == f.ffPairs && x == f.endByte:
		f.doubled++
	case excess > max(f.crlfs, f.ffPairs):
		f.damaged++
	default:
		return
	}
	f.length = 0
}

// verdict returns the verdict on a stream in which frame headers were found.
func (f *frameTracker) verdict() Verdict {
	switch {
	case f.doubled > f.crAdded && f.doubled >= f.damaged && f.doubled*4 >= f.intact:
		return Telnet
	case f.crAdded > 0 && f.crAdded >= f.damaged && f.crAdded*4 >= f.intact:
		return LineEndsRewritten
	case f.damaged > 0 && f.damaged*10 >= f.intact:
		return DamagedBytes
	}
	return FrameHeaders
}
