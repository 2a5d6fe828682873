package line

import (
	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/mbus"
)

// maxHeader is the length of the longest frame header, in bytes: 7E, format, two addresses of at most four bytes, control and HCS take
// 14 bytes.
const maxHeader = 16

// frameTracker finds frame headers in a stream, and compares where each frame ends with the length in its header.
type frameTracker struct {
	window  [1 + maxHeader]byte // the next byte to look at, and the bytes after it
	n       int                 // bytes in window
	headers int64               // number of valid headers

	// Numbers of frames, by the place where they ended.
	whole   int64 // ended where the header says
	longer  int64 // ended later by one byte for each CR LF in the frame: LF was rewritten as CR LF
	doubled int64 // ended later by one byte for each FF FF in the frame: telnet doubled FF
	damaged int64 // ended elsewhere

	// The frame that is being followed.
	length    int  // length in bytes as the header says; 0 if no frame is followed
	end       byte // the last byte that the framing requires
	count     int  // number of bytes so far
	crlfs     int  // pairs CR LF so far
	ffPairs   int  // pairs FF FF so far
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

// step processes the first byte of the window, and removes it.
func (f *frameTracker) step() {
	f.follow(f.window[0])
	f.begin(f.window[:f.n])
	f.n = copy(f.window[:], f.window[1:f.n])
}

// finish processes the rest of the window, and counts a frame that has not ended.
func (f *frameTracker) finish() {
	for f.n > 0 {
		f.step()
	}
	switch {
	case f.length == 0:
	case f.count >= f.length && f.ffPairs > f.crlfs:
		f.doubled++
	case f.count >= f.length:
		f.longer++ // its last bytes are missing
	case f.previous == f.end && f.count > 1:
		f.damaged++ // it ended before its length
	}
}

// begin begins to follow a frame if b begins with its header.
func (f *frameTracker) begin(b []byte) {
	length, end := 0, byte(hdlc.Flag)
	switch {
	case b[0] == hdlc.Flag && hdlc.ValidHeader(b):
		length = int(b[1]&0x07)<<8 | int(b[2]) + 2
	case b[0] == mbus.Start && mbus.ValidHeader(b):
		if length, end = int(b[1])+6, 0x16; b[1] < 2 {
			length += 256
		}
	default:
		return
	}
	if f.length > 0 {
		f.damaged++ // it is shorter than its header says
	}
	f.headers++
	f.length, f.end, f.count, f.previous = length, end, 1, b[0]
	f.crlfs, f.ffPairs, f.ffPending = 0, 0, false
}

// follow processes the next byte of the frame that is being followed, if there is one.
func (f *frameTracker) follow(x byte) {
	if f.length == 0 {
		return
	}
	f.count++
	if x == '\n' && f.previous == '\r' {
		f.crlfs++
	}
	if f.ffPending = x == telnetIAC && !f.ffPending; !f.ffPending && x == telnetIAC {
		f.ffPairs++
	}
	f.previous = x
	switch excess := f.count - f.length; {
	case excess == 0 && x == f.end:
		f.whole++
	case excess == f.crlfs && x == f.end:
		f.longer++
	case excess == f.ffPairs && x == f.end:
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
	case f.doubled > f.longer && f.doubled >= f.damaged && f.doubled*4 >= f.whole:
		return Telnet
	case f.longer > 0 && f.longer >= f.damaged && f.longer*4 >= f.whole:
		return LineEndsRewritten
	case f.damaged > 0 && f.damaged*10 >= f.whole:
		return DamagedBytes
	}
	return FrameHeaders
}
