package mask_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/mask"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/simulate"
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

// An encrypted telegram is decrypted with the key of the meter, masked, and encrypted again with TestKey, which everybody may know.
func ExampleTestKey() {
	f, _ := simulate.Named("kamstrup-dk")
	_, telegram := simulate.NewMeter(f, 1, time.Date(2026, time.June, 1, 12, 0, 0, 0, time.UTC)).Next()
	m := mask.New(bytes.NewReader(telegram), meter.Options{Keys: []*dlms.Key{simulate.Key()}})
	masked, err := m.Next()
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := meter.NewDecoder(bytes.NewReader(masked.Bytes), meter.Options{Keys: []*dlms.Key{mask.NewTestKey()}}).Next()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Meter.Make, r.Checked, len(masked.Bytes) == len(telegram))
	// Output: Kamstrup true true
}
