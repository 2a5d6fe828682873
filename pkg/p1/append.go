package p1

import "fmt"

// Append appends a telegram with its checksum. The text goes from the '/' to the '!', both included, with CR LF at the ends of its
// lines. Parse reads it back.
func Append(dst, text []byte) []byte {
	return appendChecksum(append(dst, text...), Checksum(text))
}

// AppendCiphered appends a ciphered telegram with its checksum. The body is as Ciphered returns it.
func AppendCiphered(dst []byte, ident string, body []byte) []byte {
	start := len(dst)
	dst = append(append(append(dst, '/'), ident...), emptyLine...)
	dst = append(append(dst, body...), '!')
	return appendChecksum(dst, frameChecksum(dst[start:]))
}

func appendChecksum(dst []byte, sum uint16) []byte {
	return fmt.Appendf(dst, "%04X\r\n", sum)
}
