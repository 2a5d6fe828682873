package mask

import (
	"bytes"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/mbus"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// mask returns a masked copy of the telegram raw, of which r is the reading.
func (m *Masker) mask(r *meter.Reading, raw []byte) (masked []byte, ok bool) {
	k := masking{Masker: m, reading: r}
	switch r.Protocol {
	case meter.P1:
		return k.p1(raw)
	case meter.HDLC:
		return k.framed(raw, hdlc.Length, hdlcInfo, mendHDLC)
	case meter.MBus:
		return k.framed(raw, mbus.Length, mbusData, mendMBus)
	case meter.Glo:
		masked = bytes.Clone(raw)
		return masked, k.message(masked)
	case meter.APDU:
		masked = bytes.Clone(raw)
		return masked, k.message(bytes.TrimPrefix(masked, []byte(dlms.LLC)))
	}
	return nil, false
}

// masking is the work on one telegram.
type masking struct {
	*Masker
	reading *meter.Reading
}

// pieces are the places in a telegram in which a message stands, in its order.
type pieces [][]byte

func (p pieces) join() []byte { return bytes.Join(p, nil) }

// scatter writes the message back to its places.
func (p pieces) scatter(message []byte) {
	for _, piece := range p {
		message = message[copy(piece, message):]
	}
}

// behind returns the pieces without their first n bytes.
func (p pieces) behind(n int) pieces {
	for len(p) > 0 && n >= len(p[0]) {
		n -= len(p[0])
		p = p[1:]
	}
	if n == 0 || len(p) == 0 {
		return p
	}
	return append(pieces{p[0][n:]}, p[1:]...)
}

// framed masks the message in the frames of raw, and mends their checksums. What stands between the frames is dropped.
func (k *masking) framed(raw []byte, length func([]byte) int, open func([]byte) ([]byte, bool, bool), mend func([]byte)) ([]byte, bool) {
	var frames, segments, message pieces
	masked := make([]byte, 0, len(raw)+len(raw)/8) // frames that shared a flag have one each
	for i := 0; i < len(raw); {
		n := length(raw[i:])
		if n <= 0 || i+n > len(raw) || cap(masked)-len(masked) < n {
			i++
			continue
		}
		start := len(masked)
		frame := append(masked, raw[i:i+n]...)[start:]
		data, last, ok := open(frame)
		if !ok {
			i++
			continue
		}
		masked = masked[:start+n]
		frames, segments = append(frames, frame), append(segments, data)
		if last {
			message, segments = append(message, unblocked(segments)...), nil
		}
		if i += n; raw[i-1] == hdlc.Flag && raw[i-n] == hdlc.Flag {
			i-- // one flag may end a frame and begin the next
		}
	}
	whole := message.join()
	if !k.message(whole) {
		return nil, false
	}
	message.scatter(whole)
	for _, frame := range frames {
		mend(frame)
	}
	return masked, true
}

func hdlcInfo(b []byte) (data []byte, last, ok bool) {
	f, err := hdlc.Parse(b)
	return bytes.TrimPrefix(f.Info, []byte(dlms.LLC)), !f.Segmented, err == nil
}

func mendHDLC(b []byte) {
	const checksum, flag = 2, 1
	end := len(b) - checksum - flag
	sum := hdlc.Checksum(b[flag:end])
	b[end], b[end+1] = byte(sum), byte(sum>>8)
}

func mbusData(b []byte) (data []byte, last, ok bool) {
	f, err := mbus.Parse(b)
	return f.Data, f.Final, err == nil
}

func mendMBus(b []byte) {
	const head, checksum, stop = 4, 1, 1
	end := len(b) - checksum - stop
	b[end] = mbus.Checksum(b[head:end])
}

// unblocked returns what a block of a transfer holds; the message itself where it is none.
func unblocked(p pieces) pieces {
	var b dlms.Block
	whole := p.join()
	if b.Parse(whole) != nil {
		return p
	}
	return p.behind(len(whole) - len(b.Data))
}
