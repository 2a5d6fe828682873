package mbus_test

import (
	"errors"
	"fmt"

	"github.com/hanbridge/hanbridge/pkg/mbus"
)

// push returns the last segment of a message that a meter pushes.
func push(data string) mbus.Frame {
	return mbus.Frame{Control: mbus.Push, Address: mbus.Broadcast, Final: true, Source: 0x01, Destination: 0x67, Data: []byte(data)}
}

func ExampleAppend() {
	fmt.Printf("% x\n", mbus.Append(nil, push("data")))
	// Output: 68 09 09 68 53 ff 10 01 67 64 61 74 61 64 16
}

// The buffer begins with noise and ends within a frame.
func ExampleLength() {
	frame := mbus.Append(nil, push("one"))
	buffer := append([]byte("noise"), frame...)
	buffer = append(buffer, frame[:7]...)
	for len(buffer) > 0 {
		switch n := mbus.Length(buffer); {
		case n < 0:
			buffer = buffer[1:]
		case n == 0:
			fmt.Println(len(buffer), "bytes wait for the rest of their frame")
			return
		default:
			f, err := mbus.Parse(buffer[:n])
			fmt.Printf("%s %v\n", f.Data, err)
			buffer = buffer[n:]
		}
	}
	// Output:
	// one <nil>
	// 7 bytes wait for the rest of their frame
}

func ExampleParse() {
	b := mbus.Append(nil, push("one"))
	b[10] ^= 1 // damaged on the way
	_, err := mbus.Parse(b)
	fmt.Println(errors.Is(err, mbus.ErrChecksum), err)
	// Output: true mbus: checksum: want 0d, got 0c
}
