package line

import (
	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/mbus"
)

// headLength is within how many bytes the head of a frame stands, whatever its addresses: 7E, format, two addresses of at
// most four bytes, control and HCS.
const headLength = 16

// frames follows the frames of a stream by the lengths in their heads.
type frames struct {
	window [1 + headLength]byte // the byte that is looked at next, and those behind it
	n      int                  // how many there are
	heads  int64
	// How frames ended: where the head says, later by one for each CR LF or for each pair of FF in them, or otherwise.
	whole, longer, doubled, lost int64

	length int  // of the frame that is followed; 0: none is
	end    byte // which it must end with
	count  int  // bytes of it so far
	pairs  int  // CR LF in them
	twice  int  // FF FF in them, as telnet sends one FF
	half   bool // the byte before was the first FF of these two
	last   byte // the byte before
}

func (f *frames) add(x byte) {
	if f.n == len(f.window) {
		f.step()
	}
	f.window[f.n] = x
	f.n++
}

// step looks at the first byte of the window, and goes on to the next.
func (f *frames) step() {
	f.follow(f.window[0])
	f.look(f.window[:f.n])
	f.n = copy(f.window[:], f.window[1:f.n])
}

// drain looks at the bytes of the window as if nothing came behind them, and judges a frame that is still open.
func (f *frames) drain() {
	for f.n > 0 {
		f.step()
	}
	switch {
	case f.length == 0:
	case f.count >= f.length && f.twice > f.pairs:
		f.doubled++
	case f.count >= f.length:
		f.longer++ // by as many CR LF as there are in it, and cut
	case f.last == f.end && f.count > 1:
		f.lost++ // a burst that is over
	}
}

// look begins a frame where b is the head of one.
func (f *frames) look(b []byte) {
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
		f.lost++ // shorter than its head says
	}
	f.heads++
	f.length, f.end, f.count, f.pairs, f.twice, f.half, f.last = length, end, 1, 0, 0, false, b[0]
}

// follow goes one byte on in the frame.
func (f *frames) follow(x byte) {
	if f.length == 0 {
		return
	}
	f.count++
	if x == '\n' && f.last == '\r' {
		f.pairs++
	}
	if f.half = x == telnetIAC && !f.half; !f.half && x == telnetIAC {
		f.twice++
	}
	f.last = x
	switch over := f.count - f.length; {
	case over == 0 && x == f.end:
		f.whole++
	case over == f.pairs && x == f.end:
		f.longer++
	case over == f.twice && x == f.end:
		f.doubled++
	case over > max(f.pairs, f.twice):
		f.lost++
	default:
		return
	}
	f.length = 0
}

// verdict judges a stream that has heads of frames.
func (f *frames) verdict() Verdict {
	switch {
	case f.doubled > f.longer && f.doubled >= f.lost && f.doubled*4 >= f.whole:
		return Telnet
	case f.longer > 0 && f.longer >= f.lost && f.longer*4 >= f.whole:
		return LineEndsRewritten
	case f.lost > 0 && f.lost*10 >= f.whole:
		return DamagedBytes
	}
	return FrameHeaders
}
