package hdlc

// Length returns the length of the frame that begins at b[0], in bytes with both flags. It returns 0 if b ends before the frame ends, and -1 if
// no frame begins at b[0]. If the header checksum is wrong, Length returns only the length of the header, because the length field is possibly
// wrong too. A result other than 0 stays the same if more bytes are appended to b. Length does not verify the frame.
func Length(b []byte) int {
	h, headerLength := readHeader(b)
	switch {
	case headerLength <= 0 || !h.valid():
		return headerLength
	case len(b) < h.frameLength:
		return 0
	}
	return h.frameLength
}

// ValidHeader reports whether b begins with a frame header whose checksum is right. The rest of the frame can be damaged or missing.
func ValidHeader(b []byte) bool {
	h, headerLength := readHeader(b)
	return headerLength > 0 && h.valid()
}

// destinationIndex is the index of the first byte of the destination address. The source address follows the destination address.
const destinationIndex = 3

// header describes the part of a frame before the information field.
type header struct {
	frameLength    int    // length of the whole frame, in bytes with both flags
	sourceIndex    int    // of the first byte of the source address
	controlIndex   int    // of the control byte
	got, want      uint16 // the received header checksum, and the calculated header checksum
	hasInformation bool   // an information field and a frame checksum follow the header
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
	if h.sourceIndex = addressEnd(b, destinationIndex); h.sourceIndex <= 0 {
		return h, h.sourceIndex
	}
	if h.controlIndex = addressEnd(b, h.sourceIndex); h.controlIndex <= 0 {
		return h, h.controlIndex
	}
	end := h.controlIndex + 1 + checksumLength
	if len(b) < end {
		return h, 0
	}
	rest := lengthField + 1 - end // bytes between the header and the end flag: none, or the information field and the FCS
	if rest < 0 || rest == 1 {
		return h, -1
	}
	h.frameLength = lengthField + 2
	h.hasInformation = rest > 0
	h.want, h.got = Checksum(b[1:h.controlIndex+1]), readChecksum(b[h.controlIndex+1:])
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
