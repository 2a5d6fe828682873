package simulate

import (
	"fmt"
	"math/bits"
)

// A LineSetting is how one end of a serial line is set.
type LineSetting struct {
	Baud     int  // bits a second
	DataBits int  // 5 to 8
	Parity   byte // 'N', 'E' or 'O'
	StopBits int  // 1 or 2
	// Inverted tells that this end sends, or expects, 0 and idle the wrong way round.
	Inverted bool
	// WaitsForIdle is of a receiver: after a character without a stop bit it waits for the line to be idle, as some chips do.
	// Others, such as the 16550, take the missing stop bit for the next start bit.
	WaitsForIdle bool
}

// ReceivedBy appends the bytes that a receiver set as by reads when w sends these in one burst, with an idle line before and
// behind. A program that reads a raw Linux tty (INPCK, IGNPAR and PARMRK off) gets every character as it was sampled, with
// a wrong parity or without a stop bit too, and a break, which is a line held at 0, as a single zero byte (n_tty.c).
// Nothing is random: the two clocks are exact. It panics when one of the two is set as no UART can be.
func (w LineSetting) ReceivedBy(dst, sent []byte, by LineSetting) []byte {
	w.check()
	by.check()
	r := receiver{levels: w.levels(sent), inverted: w.Inverted != by.Inverted, width: 2 * by.Baud, by: by, half: w.Baud}
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

func (w LineSetting) check() {
	parity := w.Parity == 'N' || w.Parity == 'E' || w.Parity == 'O'
	if w.Baud < 1 || w.DataBits < 5 || w.DataBits > 8 || !parity || w.StopBits < 1 || w.StopBits > 2 {
		panic(fmt.Sprintf("simulate: no UART is set as %+v", w))
	}
}

// parityBits is how many bits the parity takes: one or none.
func (w LineSetting) parityBits() int {
	if w.Parity == 'N' {
		return 0
	}
	return 1
}

// levels returns the level of each bit of the line as the sender means it: a bit's time of idle, then the burst.
func (w LineSetting) levels(sent []byte) []bool {
	levels := []bool{true}
	for _, x := range sent {
		x &= 1<<w.DataBits - 1
		levels = append(levels, false) // the start bit
		for i := range w.DataBits {
			levels = append(levels, x>>i&1 != 0)
		}
		if w.Parity != 'N' {
			odd := bits.OnesCount8(x)&1 != 0
			levels = append(levels, odd == (w.Parity == 'E'))
		}
		levels = append(levels, true)
		if w.StopBits == 2 {
			levels = append(levels, true)
		}
	}
	return levels
}

// A receiver samples a line. Time is counted in parts of a second that are whole for both ends: a bit of the sender takes width parts, twice
// the receiver's speed, so that half a bit of the receiver takes the sender's speed.
type receiver struct {
	levels   []bool // of the sender's bits
	inverted bool
	width    int
	by       LineSetting
	half     int
	t        int // where a start bit begins
}

// bit returns the level of the k-th bit, idle behind the burst.
func (r *receiver) bit(k int) bool { return (k >= len(r.levels) || r.levels[k]) != r.inverted }

// at returns the level at a time.
func (r *receiver) at(t int) bool { return r.bit(t / r.width) }

// findEdge moves to the next time at which the line falls, and reports if it does.
func (r *receiver) findEdge() bool {
	k := r.t / r.width
	for _, level := range []bool{true, false} {
		for r.bit(k) != level {
			if k++; k > len(r.levels) {
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
	if r.at(r.t) || silent || r.by.WaitsForIdle {
		return x, true, false
	}
	r.t -= r.half
	return x, true, true
}
