package dlms

// tagBlock begins a general-block-transfer (DLMS Green Book, 9.4.6.13).
const tagBlock = 0xE0

// Bits of a block's control byte. The low six are the window, which only matters to who answers.
const (
	lastBlock = 0x80
	streaming = 0x40
)

// A Block is one part of an APDU that was too long for a frame: general-block-transfer. Its Data belong to the bytes that it
// was parsed from.
//
//	E0 | control | number(2) | acknowledged(2) | length | data
type Block struct {
	// Last tells that the APDU ends with this block.
	Last bool
	// Number counts the blocks of an APDU from 1.
	Number uint16
	// Acknowledged is the number of the last block that the sender got; a meter that pushes got none.
	Acknowledged uint16
	// Data is the block's part of the APDU.
	Data []byte
}

// Parse reads a block whole: one that is cut or is followed by more is an error that names the byte, and leaves nothing.
func (b *Block) Parse(apdu []byte) error {
	*b = Block{}
	r := reader{b: apdu}
	if r.byte() != tagBlock {
		r.fail(0, "not a block of a transfer")
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

// AppendBlock appends the block as Landis+Gyr E450 meters write it, for a receiver that does not answer. It panics on more
// data than a length can say.
func AppendBlock(dst []byte, b Block) []byte {
	control := byte(streaming)
	if b.Last {
		control |= lastBlock
	}
	dst = appendUint16(append(dst, tagBlock, control), b.Number)
	return append(appendSize(appendUint16(dst, b.Acknowledged), len(b.Data)), b.Data...)
}
