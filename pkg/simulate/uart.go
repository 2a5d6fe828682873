package simulate

import (
	"fmt"
	"math/bits"
)

// A LineSetting is the setting of one end of a simulated serial line.
type LineSetting struct {
	Baud     int  // bits a second
	DataBits int  // 5 to 8
	Parity   byte // 'N', 'E' or 'O'
	StopBits int  // 1 or 2
	// Inverted is true if this end has the wrong polarity, as with a cable that does not invert the signal of a P1 port.
	Inverted bool
	// WaitsForIdle matters to a receiver only. If true, it waits for an idle line after a character without a stop bit, as some chips do.
	// Others, such as the 16550, take the missing stop bit for the next start bit.
	WaitsForIdle bool
}

// ReceivedBy appends the bytes that a receiver with setting by reads if a sender with setting w sends the bytes sent, and returns the
// extended slice. The line is idle before and after them. The result is what a program reads from a raw Linux tty (INPCK, IGNPAR and
// PARMRK off): every character as it was sampled, even with a wrong parity or without a stop bit, and a break (a line held at 0) as a
// single zero byte (n_tty.c). Both clocks are exact and nothing is random. It panics if one of the settings is not possible for a UART.
func (w LineSetting) ReceivedBy(dst, sent []byte, by LineSetting) []byte {
	w.check()
	by.check()
	r := receiver{levels: w.levels(sent), inverted: w.Inverted != by.Inverted, bitWidth: 2 * by.Baud, setting: by, halfBit: w.Baud}
	for r.findStartBit() {
		for again := true; again; {
			var x byte
			var ok bool
			if x, ok, again = r.readCharacter(); ok {
				dst = append(dst, x)
			}
		}
	}
	return dst
}

// check panics if no UART has such a setting.
func (w LineSetting) check() {
	parity := w.Parity == 'N' || w.Parity == 'E' || w.Parity == 'O'
	if w.Baud < 1 || w.DataBits < 5 || w.DataBits > 8 || !parity || w.StopBits < 1 || w.StopBits > 2 {
		panic(fmt.Sprintf("simulate: no UART is set as %+v", w))
	}
}

// parityBits returns how many parity bits a character has: 0 or 1.
func (w LineSetting) parityBits() int {
	if w.Parity == 'N' {
		return 0
	}
	return 1
}

// levels returns the level of the line in each bit time, before any inversion: one idle bit time, then the characters.
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

// A receiver samples a line. Its unit of time is chosen so that times are whole numbers for both ends: a bit of the sender takes twice the
// receiver's speed, and half a bit of the receiver takes the sender's speed.
type receiver struct {
	levels   []bool // of the line, one for each bit of the sender
	inverted bool
	bitWidth int
	setting  LineSetting
	halfBit  int
	now      int // where a start bit begins
}

// bitLevel returns the level of the sender's k-th bit. After the last one the line is idle.
func (r *receiver) bitLevel(k int) bool { return (k >= len(r.levels) || r.levels[k]) != r.inverted }

// level returns the level at time t.
func (r *receiver) level(t int) bool { return r.bitLevel(t / r.bitWidth) }

// findStartBit moves to the next falling edge. It reports whether there is one.
func (r *receiver) findStartBit() bool {
	k := r.now / r.bitWidth
	for _, level := range []bool{true, false} {
		for r.bitLevel(k) != level {
			if k++; k > len(r.levels) {
				return false
			}
		}
	}
	r.now = k * r.bitWidth
	return true
}

// readCharacter reads the character whose start bit begins at r.now, sampling each bit in its middle, and moves past it. ok is false if the
// start bit was too short. again is true if the stop bit is missing, so that the next start bit has begun.
func (r *receiver) readCharacter() (x byte, ok, again bool) {
	r.now += r.halfBit // the middle of the start bit
	if r.level(r.now) {
		return 0, false, false
	}
	silent := true
	for i := range r.setting.DataBits + r.setting.parityBits() {
		r.now += 2 * r.halfBit
		if !r.level(r.now) {
			continue
		}
		silent = false
		if i < r.setting.DataBits {
			x |= 1 << i
		}
	}
	r.now += 2 * r.halfBit // the middle of the stop bit
	if r.level(r.now) || silent || r.setting.WaitsForIdle {
		return x, true, false
	}
	r.now -= r.halfBit
	return x, true, true
}
