package mbus

import (
	"errors"
	"fmt"
)

var (
	errFrame = errors.New("mbus: not a long frame")
	errStop  = errors.New("mbus: no 16 where the length says that the frame ends")
	errShort = errors.New("mbus: a long frame without the access points of a segment")
)

// Parse reads a frame as Length delimits it. The checksum is verified before anything is returned. A frame that is sound and
// no segment of a message, as water and heat meters send them, is an error.
func Parse(b []byte) (Frame, error) {
	n := announced(b)
	switch {
	case n < 0 || len(b) == 0:
		return Frame{}, errFrame
	case n == 0:
		return Frame{}, fmt.Errorf("mbus: cut within the head, after %d bytes", len(b))
	case len(b) < n:
		return Frame{}, fmt.Errorf("mbus: cut: %d of %d bytes", len(b), n)
	}
	end := n - 2
	if want, got := Checksum(b[body:end]), b[end]; want != got {
		return Frame{}, fmt.Errorf("mbus: checksum: want %02x, got %02x", want, got)
	}
	if len(b) != n || b[n-1] != stop {
		return Frame{}, errStop
	}
	if ci := b[body+2]; ci > segmentCI {
		return Frame{}, fmt.Errorf("mbus: control information %02x is not that of a segment", ci)
	}
	if end < data {
		return Frame{}, errShort
	}
	return Frame{
		Control:     b[body],
		Address:     b[body+1],
		Segment:     b[body+2] & sequenceBits,
		Final:       b[body+2]&finalBit != 0,
		Source:      b[body+3],
		Destination: b[body+4],
		Data:        b[data:end],
	}, nil
}
