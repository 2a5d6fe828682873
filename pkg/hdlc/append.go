package hdlc

import "fmt"

// Append appends the frame with its flags and checksums. It panics on a programmer's fault: addresses that are not 1 to
// 4 bytes, or more information than a frame can hold.
func Append(dst []byte, f Frame) []byte {
	length := 2 + len(f.Destination) + len(f.Source) + 1 + checkLength
	if len(f.Info) > 0 {
		length += len(f.Info) + checkLength
	}
	if length+2 > MaxLength || !isAddress(f.Destination) || !isAddress(f.Source) {
		panic(fmt.Sprintf("hdlc: no frame of %d bytes from % x to % x", length, f.Source, f.Destination))
	}
	format := byte(formatType | length>>8)
	if f.Segmented {
		format |= segmentBit
	}
	dst = append(dst, Flag, format, byte(length))
	start := len(dst) - 2
	dst = append(dst, f.Destination...)
	dst = append(dst, f.Source...)
	dst = append(dst, f.Control)
	dst = appendChecksum(dst, start)
	if len(f.Info) > 0 {
		dst = append(dst, f.Info...)
		dst = appendChecksum(dst, start)
	}
	return append(dst, Flag)
}

func appendChecksum(dst []byte, start int) []byte {
	sum := Checksum(dst[start:])
	return append(dst, byte(sum), byte(sum>>8))
}

func isAddress(a []byte) bool {
	for i, x := range a {
		if last := i == len(a)-1; last != (x&1 != 0) {
			return false
		}
	}
	return len(a) >= 1 && len(a) <= maxAddress
}
