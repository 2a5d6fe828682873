package dlms

// tagBlock is the first byte of a general-block-transfer (DLMS Green Book, 9.4.6.13).
const tagBlock = 0xE0

// Bits of the control byte of a block. The low six bits are the window size, which is used only if the receiver answers.
const (
	lastBlock = 0x80
	streaming = 0x40 // the sender does not wait for an acknowledgement after this block
)

// A Block is one general-block-transfer: a part of a message that is too long for one frame.
//
//	E0 | control | number(2) | acknowledged(2) | length | data
type Block struct {
	// Last is true in the last block of a message.
	Last bool
	// Number is the number of the block in its message. The first block has number 1.
	Number uint16
	// Acknowledged is the number of the last block that the sender has received. It is 0 in messages that a meter pushes.
	Acknowledged uint16
	// Data is the block's part of the message. It aliases the bytes that the block was parsed from.
	Data []byte
}

// Parse reads apdu, which must be exactly one block. The error matches ErrTruncated or ErrMalformed, and its text names the index of the
// wrong byte. After an error b is empty.
func (b *Block) Parse(apdu []byte) error {
	*b = Block{}
	r := reader{b: apdu}
	if r.byte() != tagBlock {
		r.fail(0, "not a general-block-transfer")
	}
	control := r.byte()
	number, acknowledged := uint16(r.uint(2)), uint16(r.uint(2))
	data := r.bytes(r.length())
	r.end()
	if r.fault != "" {
		return r.error()
	}
	*b = Block{Last: control&lastBlock != 0, Number: number, Acknowledged: acknowledged, Data: data}
	return nil
}

// AppendBlock appends the block for a receiver that does not answer: with the streaming bit and a window size of 0, as Landis+Gyr E450
// meters send it. It panics if b.Data has more than 65535 bytes.
func AppendBlock(dst []byte, b Block) []byte {
	control := byte(streaming)
	if b.Last {
		control |= lastBlock
	}
	dst = appendUint16(append(dst, tagBlock, control), b.Number)
	return append(appendSize(appendUint16(dst, b.Acknowledged), len(b.Data)), b.Data...)
}
