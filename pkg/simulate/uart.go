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
	// Inverted is true if this end has the wrong polarity, such as a receiver at a P1 port whose cable does not invert the levels.
	Inverted bool
	// WaitsForIdle is used by a receiver only. If it is true, the receiver waits for an idle line after a character without a stop bit, as
	// some chips do. Other chips, such as the 16550, take the missing stop bit for the next start bit.
	WaitsForIdle bool
}

// ReceivedBy appends to dst the bytes that a UART with the setting receiver reads if a UART with the setting w sends data. It returns the
// extended slice. The line is idle before and after data. ReceivedBy panics if a UART cannot have one of the settings.
//
// The bytes are those that a program reads from a raw Linux tty (INPCK, IGNPAR and PARMRK off). A character with a wrong parity or without
// a stop bit is a byte like any other. A break (a line that stays at 0) is a single zero byte. Source: n_tty.c.
func (w LineSetting) ReceivedBy(dst, data []byte, receiver LineSetting) []byte {
	w.check()
	receiver.check()
	r := sampler{
		levels: w.levels(data), inverted: w.Inverted != receiver.Inverted, setting: receiver,
		senderBit: 2 * receiver.Baud, halfBit: w.Baud,
	}
	for r.findStartBit() {
		for hasStartBit := true; hasStartBit; {
			var x byte
			var ok bool
			if x, ok, hasStartBit = r.readCharacter(); ok {
				dst = append(dst, x)
			}
		}
	}
	return dst
}

// check panics if no UART has such a setting.
func (w LineSetting) check() {
	validParity := w.Parity == 'N' || w.Parity == 'E' || w.Parity == 'O'
	validBits := w.DataBits >= 5 && w.DataBits <= 8 && w.StopBits >= 1 && w.StopBits <= 2
	if w.Baud < 1 || !validParity || !validBits {
		panic(fmt.Sprintf("simulate: impossible UART setting %+v", w))
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

// A sampler reads a line as the UART of a receiver does. Its unit of time is 1/(2 · sender's baud · receiver's baud) s. In this unit,
// senderBit and halfBit are whole numbers.
type sampler struct {
	levels    []bool      // of the line, one for each bit of the sender
	inverted  bool        // the receiver reads the opposite of levels
	setting   LineSetting // of the receiver
	senderBit int         // length of a bit of the sender
	halfBit   int         // half the length of a bit of the receiver
	now       int         // the current time
}

// bitLevel returns the level that the receiver reads during the sender's bit k. After the last bit the line is idle.
func (r *sampler) bitLevel(k int) bool { return (k >= len(r.levels) || r.levels[k]) != r.inverted }

// level returns the level at time t.
func (r *sampler) level(t int) bool { return r.bitLevel(t / r.senderBit) }

// findStartBit moves to the next falling edge. It reports whether there is a falling edge.
func (r *sampler) findStartBit() bool {
	k := r.now / r.senderBit
	for _, level := range []bool{true, false} { // the level before the edge, then the level after it
		for r.bitLevel(k) != level {
			if k++; k > len(r.levels) {
				return false
			}
		}
	}
	r.now = k * r.senderBit
	return true
}

// readCharacter reads the character whose start bit begins at r.now, and samples each bit in its middle. ok is false if the start bit was
// too short. hasNext is true if the receiver takes a missing stop bit for the next start bit, which begins at r.now. A character of zeros
// without a stop bit is a break. No character begins at the end of a break.
func (r *sampler) readCharacter() (x byte, ok, hasNext bool) {
	r.now += r.halfBit // the middle of the start bit
	if r.level(r.now) {
		return 0, false, false
	}
	allZero := true
	for i := range r.setting.DataBits + r.setting.parityBits() {
		r.now += 2 * r.halfBit
		if !r.level(r.now) {
			continue
		}
		allZero = false
		if i < r.setting.DataBits {
			x |= 1 << i
		}
	}
	r.now += 2 * r.halfBit // the middle of the stop bit
	if r.level(r.now) || allZero || r.setting.WaitsForIdle {
		return x, true, false
	}
	r.now -= r.halfBit
	return x, true, true
}
