package line

import (
	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/mbus"
)

// headLength is within how many bytes the head of a frame stands, whatever its addresses: 7E, format, two addresses of at
// most four bytes, control and HCS.
const headLength = 16

// frames follows the frames of a stream by the lengths in their heads. It looks at a byte when headLength more are known.
type frames struct {
	ring  [headLength]byte
	at    int64 // how many bytes were put into the ring
	heads int64
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
	at := f.at % headLength
	old := f.ring[at]
	f.ring[at] = x
	if f.at++; f.at <= headLength {
		return
	}
	f.follow(old)
	if old == hdlc.Flag || old == mbus.Start {
		f.look(old, f.at, headLength)
	}
}

// drain looks at the bytes of the ring as if nothing came behind them, and judges a frame that is still open.
func (f *frames) drain() {
	n := int(min(f.at, headLength))
	for k := range n {
		x := f.ring[(f.at-int64(n-k))%headLength]
		f.follow(x)
		if x == hdlc.Flag || x == mbus.Start {
			f.look(x, f.at-int64(n-k-1), n-k-1)
		}
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

// look tells if a frame begins with first, behind which n bytes stand in the ring, from that place on.
func (f *frames) look(first byte, from int64, n int) {
	var b [headLength + 1]byte
	b[0] = first
	for k := range n {
		b[1+k] = f.ring[(from+int64(k))%headLength]
	}
	length := 0
	switch head := b[:1+n]; {
	case first == hdlc.Flag && hdlc.Proven(head):
		length = int(b[1]&0x07)<<8 | int(b[2]) + 2
	case first == mbus.Start && mbus.Proven(head):
		if length = int(b[1]) + 6; b[1] < 2 {
			length += 256
		}
	default:
		return
	}
	if f.length > 0 {
		f.lost++ // shorter than its head says
	}
	f.heads++
	f.length, f.count, f.pairs, f.twice, f.half, f.last = length, 1, 0, 0, false, first
	if f.end = hdlc.Flag; first == mbus.Start {
		f.end = 0x16
	}
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
	case over < 0:
	case over == 0 && x == f.end:
		f.whole++
		f.length = 0
	case over == f.pairs && x == f.end:
		f.longer++
		f.length = 0
	case over == f.twice && x == f.end:
		f.doubled++
		f.length = 0
	case over > max(f.pairs, f.twice):
		f.lost++
		f.length = 0
	}
}

// verdict judges a stream that has heads of frames.
func (f *frames) verdict() Verdict {
	switch {
	case f.doubled > f.longer && f.doubled >= f.lost && f.doubled*4 >= f.whole:
		return Telnet
	case f.longer > 0 && f.longer >= f.lost && f.longer*4 >= f.whole:
		return Cooked
	case f.lost > 0 && f.lost*10 >= f.whole:
		return Lossy
	}
	return Frames
}
