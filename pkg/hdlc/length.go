package hdlc

// Length returns how many bytes the frame that begins with the flag at b[0] takes, both flags included: 0 when b does
// not hold its end yet, -1 when no frame begins there. A header whose checksum is wrong is a frame that ends behind it:
// its length cannot be believed. More bytes behind b never change an answer other than 0.
func Length(b []byte) int {
	h, n := readHeader(b)
	switch {
	case n <= 0:
		return n
	case !h.right:
		return n
	case len(b) < h.length:
		return 0
	}
	return h.length
}

// ValidHeader tells if b begins with a header whose checksum is right: whatever follows, a frame was sent.
func ValidHeader(b []byte) bool {
	h, n := readHeader(b)
	return n > 0 && h.right
}

// header is what stands before the information field.
type header struct {
	length      int // of the whole frame with both flags
	source      int // index of the source address
	control     int // index of the control byte
	got, want   uint16
	right       bool // the checksum is
	information bool // there is an information field, so that header and frame have a checksum each
}

// readHeader returns the header at b[0] and its length with the flag: 0 when b is too short, -1 when there is none.
func readHeader(b []byte) (h header, n int) {
	if len(b) > 1 && b[1]&0xF0 != formatType {
		return h, -1
	}
	if len(b) < 3 {
		return h, 0
	}
	length := int(b[1]&lengthBits)<<8 | int(b[2])
	if length < minHeader {
		return h, -1
	}
	at := 3
	for range 2 { // destination, then source
		h.source = at
		for k := at; ; k++ {
			if k == at+maxAddress {
				return h, -1
			}
			if k >= len(b) {
				return h, 0
			}
			if b[k]&1 != 0 {
				at = k + 1
				break
			}
		}
	}
	h.control = at
	end := at + 1 + checkLength
	if len(b) < end {
		return h, 0
	}
	behind := length + 1 - end // bytes between header and end flag: none, or information and its checksum
	if behind < 0 || behind == 1 {
		return h, -1
	}
	h.length = length + 2
	h.information = behind > 0
	h.want, h.got = Checksum(b[1:at+1]), uint16(b[at+1])|uint16(b[at+2])<<8
	h.right = h.want == h.got
	return h, end
}
