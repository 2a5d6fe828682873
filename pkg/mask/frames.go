package mask

import (
	"bytes"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/mbus"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// mask returns a masked copy of the telegram raw, whose reading is r. ok is false if the telegram cannot be masked.
func (m *Masker) mask(r *meter.Reading, raw []byte) (masked []byte, ok bool) {
	k := telegramMask{Masker: m, reading: r}
	switch r.Protocol {
	case meter.P1:
		return k.p1(raw)
	case meter.HDLC:
		return k.framed(raw, hdlc.Length, hdlcInfo, setHDLCChecksum)
	case meter.MBus:
		return k.framed(raw, mbus.Length, mbusData, setMBusChecksum)
	case meter.Glo:
		masked = bytes.Clone(raw)
		return masked, k.maskMessage(masked)
	case meter.APDU:
		masked = bytes.Clone(raw)
		return masked, k.maskMessage(bytes.TrimPrefix(masked, []byte(dlms.LLC)))
	}
	return nil, false
}

// telegramMask masks one telegram.
type telegramMask struct {
	*Masker
	reading *meter.Reading
}

// pieces are slices of a masked telegram, in order: its frames, or the parts of a message in these frames.
type pieces [][]byte

// join returns a copy of all pieces in one slice.
func (p pieces) join() []byte { return bytes.Join(p, nil) }

// overwrite copies b into the pieces, and so changes the telegram. b must be as long as all pieces together.
func (p pieces) overwrite(b []byte) {
	for _, piece := range p {
		b = b[copy(piece, b):]
	}
}

// skip returns the pieces without the first n bytes.
func (p pieces) skip(n int) pieces {
	for len(p) > 0 && n >= len(p[0]) {
		n -= len(p[0])
		p = p[1:]
	}
	if n == 0 || len(p) == 0 {
		return p
	}
	return append(pieces{p[0][n:]}, p[1:]...)
}

// framed masks the message in the frames of raw, and corrects the checksums of the frames. It drops bytes between the frames. length returns the
// length of the frame at the beginning of its argument. parse returns the data of a frame. last is true for the last frame of a message or
// block. ok is true if the frame is intact.
func (k *telegramMask) framed(
	raw []byte, length func([]byte) int, parse func(frame []byte) (data []byte, last, ok bool), setChecksum func(frame []byte),
) ([]byte, bool) {
	var frames, segments, message pieces
	// Two frames can share one flag in raw, but each frame has its own flags in masked. So masked is possibly longer than raw. Its array must
	// be large enough from the beginning, because the pieces point into it.
	masked := make([]byte, 0, len(raw)+len(raw)/8)
	for i := 0; i < len(raw); {
		n := length(raw[i:])
		if n <= 0 || i+n > len(raw) || cap(masked)-len(masked) < n {
			i++
			continue
		}
		start := len(masked)
		frame := append(masked, raw[i:i+n]...)[start:] // a copy in the array of masked, after the end of masked
		data, last, ok := parse(frame)
		if !ok {
			i++
			continue
		}
		masked = masked[:start+n] // masked now includes the copy
		frames, segments = append(frames, frame), append(segments, data)
		if last {
			message, segments = append(message, blockData(segments)...), nil
		}
		isHDLC := raw[i] == hdlc.Flag
		i += n
		if isHDLC {
			i-- // the flag that ends the frame possibly also begins the next frame
		}
	}
	joined := message.join()
	if !k.maskMessage(joined) {
		return nil, false
	}
	message.overwrite(joined)
	for _, frame := range frames {
		setChecksum(frame)
	}
	return masked, true
}

// hdlcInfo returns the information of an HDLC frame without its LLC header.
func hdlcInfo(b []byte) (data []byte, last, ok bool) {
	f, err := hdlc.Parse(b)
	return bytes.TrimPrefix(f.Info, []byte(dlms.LLC)), !f.Segmented, err == nil
}

func setHDLCChecksum(b []byte) {
	const checksum, flag = 2, 1
	end := len(b) - checksum - flag
	sum := hdlc.Checksum(b[flag:end])
	b[end], b[end+1] = byte(sum), byte(sum>>8)
}

func mbusData(b []byte) (data []byte, last, ok bool) {
	f, err := mbus.Parse(b)
	return f.Data, f.Final, err == nil
}

func setMBusChecksum(b []byte) {
	const header, checksum, stop = 4, 1, 1
	end := len(b) - checksum - stop
	b[end] = mbus.Checksum(b[header:end])
}

// blockData returns the data of the block in p. If p is not a block of a general-block-transfer, blockData returns p.
func blockData(p pieces) pieces {
	var b dlms.Block
	joined := p.join()
	if b.Parse(joined) != nil {
		return p
	}
	return p.skip(len(joined) - len(b.Data)) // the data is at the end of a block
}
