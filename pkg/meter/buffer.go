package meter

import (
	"sync"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/p1"
)

// A Decoder needs a large buffer only while the bytes of a long telegram arrive. At all other times it uses its idleBuf. So a program with many
// meters needs little memory.
const (
	// idleSize is the size of Decoder.idleBuf in bytes. Most telegrams fit into it. It is so large that a Decoder has a little less than 4096 bytes,
	// because Go allocates 4096 bytes for a smaller Decoder too.
	idleSize = 1184
	// fullSize is twice the longest telegram, in bytes, so that bytes are seldom moved.
	fullSize = 2 * p1.MaxLength
	// fewBytes is so small that it costs little to copy so many bytes before each read.
	fewBytes = 64
)

// fullBufs has the buffers that no Decoder uses at the moment.
var fullBufs = sync.Pool{New: func() any { return new([fullSize]byte) }}

// makeRoom makes room for at least one byte at d.buf[d.end+pending]. If the buffer is full, or if fewBytes or less are not decoded yet, makeRoom drops
// the bytes before d.at, except for the last of them. It then also chooses between idleBuf and a full buffer.
func (d *Decoder) makeRoom(pending int) {
	dropped := max(d.at-1, 0)
	kept := d.buf[dropped:d.end]
	isFull := d.end+pending >= len(d.buf)
	switch {
	case isFull && d.fullBuf == nil: // more bytes are probably waiting, or a telegram is long
		d.fullBuf = fullBufs.Get().(*[fullSize]byte)
		copy(d.fullBuf[:], kept)
		d.buf = d.fullBuf[:]
	case isFull:
		copy(d.buf, kept)
	case len(kept) <= fewBytes:
		d.useIdleBuf(kept)
	default:
		return
	}
	d.base += int64(dropped)
	d.at, d.end = d.at-dropped, len(kept)
}

// useIdleBuf copies kept, a part of buf, to idleBuf. It returns fullBuf to fullBufs. kept has at most idleSize bytes.
func (d *Decoder) useIdleBuf(kept []byte) {
	copy(d.idleBuf[:], kept)
	d.buf = d.idleBuf[:]
	if d.fullBuf != nil {
		d.forgetTelegram()
		fullBufs.Put(d.fullBuf)
		d.fullBuf = nil
	}
}

// forgetTelegram removes all references to the bytes of the last telegram. Otherwise they would keep its buffer in memory after a garbage
// collection has removed the buffer from fullBufs.
func (d *Decoder) forgetTelegram() {
	text, binary := &d.telegram, &d.notification
	clear(text.Records[:cap(text.Records)])
	clear(binary.Records[:cap(binary.Records)])
	clear(d.reading.Samples[:cap(d.reading.Samples)])
	d.reading = Reading{Samples: d.reading.Samples[:0]}
	text.Ident, binary.ListName, d.frame, d.decryption.message = nil, nil, hdlc.Frame{}, dlms.Ciphered{}
}
