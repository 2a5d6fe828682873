package hdlc

import (
	"errors"
	"fmt"
)

var (
	errFrame = errors.New("hdlc: not a frame of format type 3")
	errFlag  = errors.New("hdlc: no flag where the length says that the frame ends")
)

// Parse reads a frame as Length delimits it. Both checksums are verified before anything is returned.
func Parse(b []byte) (Frame, error) {
	if len(b) == 0 || b[0] != Flag {
		return Frame{}, errFrame
	}
	h, n := readHeader(b)
	switch {
	case n < 0:
		return Frame{}, errFrame
	case n > 0 && !h.right:
		return Frame{}, fmt.Errorf("hdlc: header checksum: want %04x, got %04x", h.want, h.got)
	case n == 0:
		return Frame{}, fmt.Errorf("hdlc: cut within the header, after %d bytes", len(b))
	case len(b) < h.length:
		return Frame{}, fmt.Errorf("hdlc: cut: %d of %d bytes", len(b), h.length)
	}
	end := h.length - 1
	if h.information {
		end -= checkLength
		want, got := Checksum(b[1:end]), uint16(b[end])|uint16(b[end+1])<<8
		if want != got {
			return Frame{}, fmt.Errorf("hdlc: frame checksum: want %04x, got %04x", want, got)
		}
	}
	if len(b) != h.length || b[h.length-1] != Flag {
		return Frame{}, errFlag
	}
	return Frame{
		Destination: b[3:h.source],
		Source:      b[h.source:h.control],
		Control:     b[h.control],
		Segmented:   b[1]&segmentBit != 0,
		Info:        b[n:max(n, end)],
	}, nil
}
