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

// The serial number is masked, and the energy does not change. If a telegram cannot be masked, Next returns a *meter.TelegramError, and the
// loop goes on with the next telegram.
func ExampleMasker() {
	const stream = "/ABC5 meter\r\n\r\n0-0:96.1.1(12345678)\r\n1-0:1.8.0(000123.456*kWh)\r\n!\r\n"
	m := mask.New(strings.NewReader(stream), meter.Options{})
	for {
		t, err := m.Next()
		telegramErr, notMasked := errors.AsType[*meter.TelegramError](err)
		switch {
		case notMasked:
			fmt.Println("not masked:", telegramErr)
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

// The Masker decrypts the telegram with the key of the meter, masks the message, and encrypts it with TestKey. A Decoder with TestKey reads
// the masked telegram.
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
