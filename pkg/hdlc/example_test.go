package hdlc_test

import (
	"errors"
	"fmt"

	"github.com/hanbridge/hanbridge/pkg/hdlc"
)

func ExampleAppend() {
	b := hdlc.Append(nil, hdlc.Frame{
		Destination: []byte{0x41}, Source: []byte{0x08, 0x83}, Control: 0x13, Info: []byte("information"),
	})
	fmt.Printf("% x\n", b)
	// Output: 7e a0 15 41 08 83 13 29 ad 69 6e 66 6f 72 6d 61 74 69 6f 6e ed 41 7e
}

// The buffer begins with noise and ends within a frame.
func ExampleLength() {
	frame := hdlc.Append(nil, hdlc.Frame{Destination: []byte{0x41}, Source: []byte{0x03}, Control: 0x13, Info: []byte("one")})
	buffer := append([]byte("noise"), frame...)
	buffer = append(buffer, frame[:7]...)
	for len(buffer) > 0 {
		switch n := hdlc.Length(buffer); {
		case n < 0:
			buffer = buffer[1:]
		case n == 0:
			fmt.Println(len(buffer), "bytes wait for the rest of their frame")
			return
		default:
			f, err := hdlc.Parse(buffer[:n])
			fmt.Printf("%s %v\n", f.Info, err)
			buffer = buffer[n-1:] // the end flag possibly begins the next frame
		}
	}
	// Output:
	// one <nil>
	// 7 bytes wait for the rest of their frame
}

func ExampleParse() {
	b := hdlc.Append(nil, hdlc.Frame{Destination: []byte{0x41}, Source: []byte{0x03}, Control: 0x13, Info: []byte("one")})
	b[10] ^= 1 // damaged on the way
	_, err := hdlc.Parse(b)
	fmt.Println(errors.Is(err, hdlc.ErrChecksum), err)
	// Output: true hdlc: frame checksum: want 5a9a, got 4b13
}
