package hdlc

// Length returns the length of the frame that begins at b[0], both flags included. It returns 0 if b is too short to
// tell or does not hold the whole frame yet, and -1 if no frame begins there. It does not verify the frame; Parse does. For a header
// with a wrong checksum it returns the length of the header alone, since the length field may be wrong too. More bytes behind b
// never change a result other than 0.
func Length(b []byte) int {
	h, n := readHeader(b)
	switch {
	case n <= 0:
		return n
	case !h.valid():
		return n
	case len(b) < h.length:
		return 0
	}
	return h.length
}

// ValidHeader reports whether b begins with a frame header whose checksum is right. Then a frame was sent, even if the rest of it
// is damaged or missing.
func ValidHeader(b []byte) bool {
	h, n := readHeader(b)
	return n > 0 && h.valid()
}

// header is what a frame has before its information field.
type header struct {
	length         int    // of the whole frame, in bytes with both flags
	source         int    // index of the source address
	control        int    // index of the control byte
	got, want      uint16 // the header checksum as sent, and as calculated
	hasInformation bool   // if false, the frame has no information field, and the header checksum covers all of it
}

func (h *header) valid() bool { return h.got == h.want }

// readHeader returns the header of the frame at b[0] and the header's length, flag included. The length is 0 if b is too short, and
// -1 if b does not begin with a header.
func readHeader(b []byte) (h header, n int) {
	if len(b) > 0 && b[0] != Flag || len(b) > 1 && b[1]&0xF0 != formatType {
		return h, -1
	}
	if len(b) < 3 {
		return h, 0
	}
	length := int(b[1]&lengthBits)<<8 | int(b[2])
	if length < minHeader {
		return h, -1
	}
	if h.source = addressEnd(b, 3); h.source <= 0 {
		return h, h.source
	}
	if h.control = addressEnd(b, h.source); h.control <= 0 {
		return h, h.control
	}
	end := h.control + 1 + checksumLength
	if len(b) < end {
		return h, 0
	}
	rest := length + 1 - end // bytes between the header and the end flag: none, or information and its checksum
	if rest < 0 || rest == 1 {
		return h, -1
	}
	h.length = length + 2
	h.hasInformation = rest > 0
	h.want, h.got = Checksum(b[1:h.control+1]), readChecksum(b[h.control+1:])
	return h, end
}

// addressEnd returns the index after the address that begins at b[start]: 0 if b is too short, -1 if the address has more than 4 bytes.
func addressEnd(b []byte, start int) int {
	for i := start; i < start+maxAddress; i++ {
		if i >= len(b) {
			return 0
		}
		if b[i]&1 != 0 {
			return i + 1
		}
	}
	return -1
}
