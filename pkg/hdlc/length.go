package hdlc

// Length returns the length of the frame that begins at b[0], in bytes with both flags. It returns 0 if b does not hold the whole
// frame yet, and -1 if no frame begins at b[0]. If the checksum of the header is wrong, it returns the length of the header alone,
// because the length field may be wrong too. A result other than 0 is final: bytes that follow do not change it. Length does not
// verify the frame; Parse does.
func Length(b []byte) int {
	h, n := readHeader(b)
	switch {
	case n <= 0:
		return n
	case !h.valid():
		return n
	case len(b) < h.frameLength:
		return 0
	}
	return h.frameLength
}

// ValidHeader reports whether b begins with a frame header whose checksum is right. The result true proves that a frame was sent, even
// if the rest of the frame is damaged or missing.
func ValidHeader(b []byte) bool {
	h, n := readHeader(b)
	return n > 0 && h.valid()
}

// header describes the part of a frame before the information field.
type header struct {
	frameLength    int    // length of the whole frame, in bytes with both flags
	source         int    // index of the source address
	control        int    // index of the control byte
	got, want      uint16 // the header checksum as sent, and as calculated
	hasInformation bool   // if false, the header checksum covers the whole frame
}

func (h *header) valid() bool { return h.got == h.want }

// readHeader returns the header of the frame at b[0]. headerLength is the length of the header in bytes, from the flag to the HCS. It is
// 0 if b is too short, and -1 if b does not begin with a header.
func readHeader(b []byte) (h header, headerLength int) {
	if len(b) > 0 && b[0] != Flag || len(b) > 1 && b[1]&0xF0 != formatType {
		return h, -1
	}
	if len(b) < 3 {
		return h, 0
	}
	lengthField := int(b[1]&lengthBits)<<8 | int(b[2]) // bytes between the flags
	if lengthField < minHeader {
		return h, -1
	}
	const destination = 3 // index of the destination address; the source address follows it
	if h.source = addressEnd(b, destination); h.source <= 0 {
		return h, h.source
	}
	if h.control = addressEnd(b, h.source); h.control <= 0 {
		return h, h.control
	}
	end := h.control + 1 + checksumLength
	if len(b) < end {
		return h, 0
	}
	rest := lengthField + 1 - end // bytes between the header and the end flag: none, or the information field and the FCS
	if rest < 0 || rest == 1 {
		return h, -1
	}
	h.frameLength = lengthField + 2
	h.hasInformation = rest > 0
	h.want, h.got = Checksum(b[1:h.control+1]), readChecksum(b[h.control+1:])
	return h, end
}

// addressEnd returns the index of the byte after the address that begins at b[start]. It returns 0 if b is too short, and -1 if the
// address has more than 4 bytes.
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
