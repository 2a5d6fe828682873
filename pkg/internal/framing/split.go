// Package framing finds binary frames in a stream of bytes: the part that HDLC and M-Bus have in common.
package framing

import "bytes"

// Rules are what one framing knows of its frames.
type Rules struct {
	// Start begins a frame.
	Start byte
	// Length returns how many bytes the frame at b[0] takes: 0 when b does not hold its end yet, -1 when none begins there.
	Length func(b []byte) int
	// Proven tells that a frame was sent, however it ends.
	Proven func(b []byte) bool
	// Sound tells that a whole frame is right.
	Sound func(frame []byte) bool
	// Shared is how many bytes at the end of a frame may begin the next.
	Shared int
}

// Split is a bufio.SplitFunc by the rules. It finds where a frame ends; what stands between frames is dropped. A frame that is
// not sound is searched again from inside, since it may have run into a good one.
func (r *Rules) Split(data []byte, atEOF bool) (advance int, frame []byte, err error) {
	for i := 0; i < len(data); i++ {
		k := bytes.IndexByte(data[i:], r.Start)
		if k < 0 {
			break
		}
		i += k
		n := r.Length(data[i:])
		if n == 0 && !atEOF {
			return i, nil, nil
		}
		if n == 0 && r.Proven(data[i:]) {
			n = len(data) - i
		}
		if n <= 0 {
			continue
		}
		frame = data[i : i+n]
		if !r.Sound(frame) {
			return i + 1, frame, nil
		}
		return i + n - r.Shared, frame, nil
	}
	return len(data), nil, nil
}
