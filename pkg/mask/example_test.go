package mask_test

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/hanbridge/hanbridge/pkg/mask"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// The number of the meter is masked, and the reading is kept. A telegram that cannot be masked is left out: Next returns a
// *meter.TelegramError for it, and the loop goes on.
func ExampleMasker() {
	const stream = "/ABC5 meter\r\n\r\n0-0:96.1.1(12345678)\r\n1-0:1.8.0(000123.456*kWh)\r\n!\r\n"
	m := mask.New(strings.NewReader(stream), meter.Options{})
	for {
		t, err := m.Next()
		leftOut, isLeftOut := errors.AsType[*meter.TelegramError](err)
		switch {
		case isLeftOut:
			fmt.Println("left out:", leftOut)
		case errors.Is(err, io.EOF):
			return
		case err != nil:
			fmt.Println(err)
			return
		default:
			fmt.Print(strings.ReplaceAll(string(t.Bytes), "\r", ""))
		}
	}
	// Output:
	// /ABC5 meter
	//
	// 0-0:96.1.1(00000000)
	// 1-0:1.8.0(000123.456*kWh)
	// !
}
