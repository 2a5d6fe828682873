package simulate

import (
	"fmt"
	"math/bits"
)

// A Wire is how one end of a serial line is set.
type Wire struct {
	Baud     int  // bits a second
	DataBits int  // 5 to 8
	Parity   byte // 'N', 'E' or 'O'
	StopBits int  // 1 or 2
	// Inverted tells that this end sends, or expects, 0 and idle the wrong way round.
	Inverted bool
	// Patient is of a receiver: after a character without a stop bit it waits for the line to be idle, as some chips do.
	// Others, such as the 16550, take the missing stop bit for the next start bit.
	Patient bool
}

// String returns the setting as people write it, such as "2400 8E1" or "115200 8N1 inverted".
func (w Wire) String() string {
	s := fmt.Sprintf("%d %d%c%d", w.Baud, w.DataBits, w.Parity, w.StopBits)
	if w.Inverted {
		s += " inverted"
	}
	return s
}

// Heard appends the bytes that a receiver set as by reads when w sends these in one burst, with an idle line before and
// behind. A program that reads a raw Linux tty (INPCK, IGNPAR and PARMRK off) gets every character as it was sampled, with
// a wrong parity or without a stop bit too, and a break, which is a line held at 0, as a single zero byte (n_tty.c).
// Nothing is random: the two clocks are exact. It panics when one of the two is set as no UART can be.
func (w Wire) Heard(dst, sent []byte, by Wire) []byte {
	w.check()
	by.check()
	r := receiver{line: line{sent: sent, from: w, inverted: w.Inverted != by.Inverted, width: 2 * by.Baud}, by: by, half: w.Baud}
	for r.findEdge() {
		for again := true; again; {
			var x byte
			var ok bool
			if x, ok, again = r.character(); ok {
				dst = append(dst, x)
			}
		}
	}
	return dst
}

func (w Wire) check() {
	parity := w.Parity == 'N' || w.Parity == 'E' || w.Parity == 'O'
	if w.Baud < 1 || w.DataBits < 5 || w.DataBits > 8 || !parity || w.StopBits < 1 || w.StopBits > 2 {
		panic(fmt.Sprintf("simulate: no UART is set as %+v", w))
	}
}

// parityBits is how many bits the parity takes: one or none.
func (w Wire) parityBits() int {
	if w.Parity == 'N' {
		return 0
	}
	return 1
}

// A line is the level of a wire over time. Time is counted in parts of a second that are whole for both ends: a bit of the
// sender takes width parts, twice the receiver's speed, so that half a bit of the receiver takes the sender's speed.
type line struct {
	sent     []byte
	from     Wire
	inverted bool
	width    int
}

// characterBits is how many bits of the line a byte takes, from its start bit to its last stop bit.
func (l *line) characterBits() int {
	return 1 + l.from.DataBits + l.from.parityBits() + l.from.StopBits
}

// bits is how many bits the line carries: a bit's time of idle, then the burst.
func (l *line) bits() int { return 1 + len(l.sent)*l.characterBits() }

// bit returns the level of the k-th bit, idle behind the burst.
func (l *line) bit(k int) bool {
	idle := k < 1 || k >= l.bits()
	return (idle || l.sentBit(k-1)) != l.inverted
}

// at returns the level at a time.
func (l *line) at(t int) bool { return l.bit(t / l.width) }

// sentBit returns the k-th bit of the burst as the sender means it.
func (l *line) sentBit(k int) bool {
	x := l.sent[k/l.characterBits()] & (1<<l.from.DataBits - 1)
	switch k %= l.characterBits(); {
	case k == 0:
		return false
	case k <= l.from.DataBits:
		return x>>(k-1)&1 != 0
	case k == l.from.DataBits+1 && l.from.Parity != 'N':
		odd := bits.OnesCount8(x)&1 != 0
		return odd == (l.from.Parity == 'E')
	}
	return true
}

// A receiver samples a line. At t a start bit begins.
type receiver struct {
	line
	by   Wire
	half int // of a bit of the receiver's, in parts
	t    int
}

// findEdge moves to the next time at which the line falls, and reports if it does.
func (r *receiver) findEdge() bool {
	k := r.t / r.width
	for _, level := range []bool{true, false} {
		for r.bit(k) != level {
			if k++; k > r.bits() {
				return false
			}
		}
	}
	r.t = k * r.width
	return true
}

// character samples the character whose start bit begins here in the middle of its bits, and moves behind it. It reports
// whether there was one, and whether the next one's start bit has begun.
func (r *receiver) character() (x byte, ok, again bool) {
	r.t += r.half // the middle of the start bit
	if r.at(r.t) {
		return 0, false, false
	}
	silent := true
	for i := range r.by.DataBits + r.by.parityBits() {
		r.t += 2 * r.half
		if !r.at(r.t) {
			continue
		}
		silent = false
		if i < r.by.DataBits {
			x |= 1 << i
		}
	}
	r.t += 2 * r.half // the middle of the stop bit
	if r.at(r.t) || silent || r.by.Patient {
		return x, true, false
	}
	r.t -= r.half
	return x, true, true
}
