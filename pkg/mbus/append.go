package mbus

import "fmt"

// Append appends the frame with its checksum. Data of 251 and 252 bytes is written with a length that wraps, as the Sagemcom
// T210-D does. It panics on a programmer's fault: more data than that, data of that size in a frame that is no Push to
// Broadcast, or a Segment above 15.
func Append(dst []byte, f Frame) []byte {
	length := data - body + len(f.Data)
	wrapped := length >= wrap
	if length > longest || wrapped && (f.Control != Push || f.Address != Broadcast) || f.Segment > sequenceBits {
		panic(fmt.Sprintf("mbus: no frame of %d bytes, control %02x, address %02x, segment %d", length, f.Control, f.Address, f.Segment))
	}
	ci := f.Segment
	if f.Final {
		ci |= finalBit
	}
	dst = append(dst, Start, byte(length), byte(length), Start)
	start := len(dst)
	dst = append(dst, f.Control, f.Address, ci, f.Source, f.Destination)
	dst = append(dst, f.Data...)
	return append(dst, Checksum(dst[start:]), stop)
}
