package p1_test

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/hanbridge/hanbridge/pkg/p1"
)

// Append writes a telegram, Length finds its end in a stream, Parse reads it.
func Example() {
	stream := []byte("noise\r\n")
	stream = p1.Append(stream, []byte("/ADN9 6534\r\n\r\n1-0:1.8.0(00006619.795*kWh)\r\n1-0:1.7.0(0000.345*kW)\r\n!"))
	stream = append(stream, "/ADN9 the next one"...)

	start := bytes.IndexByte(stream, '/')
	end := start + p1.Length(stream[start:])
	t, err := p1.Parse(stream[start:end])
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s, checked %v\n", t.Ident, t.Checked)
	for _, r := range t.Records {
		fmt.Println(r.Code, r.Value, r.Unit)
	}
	// Output:
	// ADN9 6534, checked true
	// 1-0:1.8.0 6619795 Wh
	// 1-0:1.7.0 345 W
}

// The error says what is wrong. errors.Is compares it with the exported errors.
func ExampleTelegram_Parse() {
	good := p1.Append(nil, []byte("/ADN9 6534\r\n\r\n1-0:1.7.0(0000.345*kW)\r\n!"))
	damaged := bytes.Replace(good, []byte("345"), []byte("845"), 1)

	var t p1.Telegram // reads many telegrams without allocating
	fmt.Println(t.Parse(good), len(t.Records))
	err := t.Parse(damaged)
	fmt.Println(err)
	fmt.Println(errors.Is(err, p1.ErrChecksum), len(t.Records))
	// Output:
	// <nil> 1
	// p1: checksum: want C023, got 2552
	// true 0
}
