package meter_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/p1"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// damagedAndIntact returns a stream of two telegrams. The first telegram is damaged: one of its bytes is missing.
func damagedAndIntact() io.Reader {
	telegram := p1.Append(nil, []byte("/ISK5\\2M550T-1012\r\n\r\n1-0:1.8.0(001234.567*kWh)\r\n1-0:1.7.0(00.421*kW)\r\n1-0:32.7.0(231.2*V)\r\n!"))
	return io.MultiReader(bytes.NewReader(telegram[:40]), bytes.NewReader(telegram[41:]), bytes.NewReader(telegram))
}

// Example reads all telegrams of a stream. A real program reads from the serial port or the TCP connection of a meter.
func Example() {
	d := meter.NewDecoder(damagedAndIntact(), meter.Options{})
	damaged := 0
	for {
		r, err := d.Next()
		if errors.As(err, new(*meter.TelegramError)) {
			damaged++ // the stream continues
			continue
		}
		if err != nil {
			fmt.Println(damaged, "telegram damaged, then:", err)
			return
		}
		for _, s := range r.Samples {
			fmt.Println(s.ID, s.Value, s.Unit().Symbol)
		}
	}
	// Output:
	// import_energy 1234.567 kWh
	// import_power 421 W
	// voltage_l1 231.2 V
	// 1 telegram damaged, then: EOF
}

// A Decoder needs a key to read encrypted telegrams. The grid company gives the key to the customer.
func ExampleOptions_keys() {
	f, _ := simulate.Named("kamstrup-dk")
	_, telegram := simulate.NewMeter(f, 1, time.Date(2026, time.June, 1, 12, 0, 0, 0, time.UTC)).Next()

	_, err := meter.NewDecoder(bytes.NewReader(telegram), meter.Options{}).Next()
	fmt.Println(errors.Is(err, meter.ErrEncrypted))

	key := simulate.Key() // dlms.NewKey returns a Key for the bytes of an encryption key and an authentication key
	r, err := meter.NewDecoder(bytes.NewReader(telegram), meter.Options{Keys: []*dlms.Key{key}}).Next()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s, checked %v, security %x, frame counter %d\n", r.Meter.Make, r.Checked, r.Cipher.Security, r.Cipher.Counter)
	// Output:
	// true
	// Kamstrup, checked true, security 30, frame counter 202478400
}

// clocked is the TimedReader of a serial port or a TCP connection.
type clocked struct{ io.Reader }

// ReadTimed implements meter.TimedReader.
func (c clocked) ReadTimed(p []byte) (int, meter.Arrival, error) {
	start := time.Now()
	n, err := c.Read(p)
	now := time.Now()
	return n, meter.Arrival{Time: now, Waited: now.Sub(start)}, err
}

// With a TimedReader, a Reading says when it arrived.
func ExampleTimedReader() {
	d := meter.NewDecoder(clocked{damagedAndIntact()}, meter.Options{})
	for {
		r, err := d.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			continue
		}
		fmt.Println("received in the last minute:", time.Since(r.Received) < time.Minute)
	}
	// Output: received in the last minute: true
}

// The first telegram without a checksum gives ErrUnverified. The next telegram with the same codes is verified.
func ExampleErrUnverified() {
	const telegram = "/ISK9\\2M551T-200\r\n\r\n1-0:1.7.0(0000.345*kW)\r\n!\r\n"
	d := meter.NewDecoder(strings.NewReader(telegram+telegram), meter.Options{})
	_, err := d.Next()
	fmt.Println(errors.Is(err, meter.ErrUnverified))
	r, err := d.Next()
	fmt.Println(r.Checked, r.Verified, err)

	d = meter.NewDecoder(strings.NewReader(telegram), meter.Options{AcceptUnverified: true})
	r, err = d.Next()
	fmt.Println(r.Checked, r.Verified, err)
	// Output:
	// true
	// false true <nil>
	// false false <nil>
}

// Records are all items of a telegram, also items that have no sample. Their units have no prefix: Wh, not kWh.
func ExampleReading_records() {
	d := meter.NewDecoder(damagedAndIntact(), meter.Options{})
	for {
		r, err := d.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			continue
		}
		for _, record := range r.Records {
			fmt.Println(record.Code, record.Value, record.Unit)
		}
	}
	// Output:
	// 1-0:1.8.0 1234567 Wh
	// 1-0:1.7.0 421 W
	// 1-0:32.7.0 231.2 V
}
