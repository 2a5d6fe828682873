package capture_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/pkg/capture"
)

// A capture begins with FirstLinePrefix. The comment after it says that the serial line had 2400 bits a second, 8 data bits, even parity and one
// stop bit. The last line is damaged.
func ExampleReader() {
	const recording = capture.FirstLinePrefix + `
# line 2400 8E1
2026-11-22T10:15:20.125+01:00 7ea24341
2026-11-22T10:15:20.135+01:00 08831385eb
not a line of a capture
`
	r := capture.NewReader(strings.NewReader(recording))
	for {
		c, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			fmt.Println(errors.Is(err, capture.ErrMalformed), err)
			return
		}
		fmt.Printf("%s % x\n", c.At.Format(time.TimeOnly), c.Bytes)
	}
	// Output:
	// 10:15:20 7e a2 43 41
	// 10:15:20 08 83 13 85 eb
	// true capture:5: the line does not begin with a time: "not a line of a capture" (was the file cut or edited?)
}

func ExampleNewBytesReader() {
	for _, recording := range []string{
		"7EA2 4341 0883 1385",
		"0x7E, 0xA2, 0x43, 0x41, 0x08, 0x83, 0x13, 0x85",
		"00000000: 7ea2 4341 0883 1385  ~.CA....\n",
	} {
		b, err := io.ReadAll(capture.NewBytesReader(strings.NewReader(recording)))
		fmt.Printf("% x %v\n", b, err)
	}
	// Output:
	// 7e a2 43 41 08 83 13 85 <nil>
	// 7e a2 43 41 08 83 13 85 <nil>
	// 7e a2 43 41 08 83 13 85 <nil>
}
