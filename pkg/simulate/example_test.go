package simulate_test

import (
	"bytes"
	"fmt"
	"log"
	"time"

	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

var start = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// A decoder reads the telegrams of a simulated meter. The state has the values that the decoder must find.
func ExampleMeter() {
	family, _ := simulate.Named("p1-se-aidon")
	m := simulate.NewMeter(family, 1, start)
	for range 2 {
		due, telegram := m.Next()
		reading, err := meter.NewDecoder(bytes.NewReader(telegram), meter.Options{}).Next()
		if err != nil {
			log.Fatal(err)
		}
		state := m.State()
		net, _ := state.Net()
		fmt.Println(due.Format(time.TimeOnly), len(telegram), "bytes, exported:", -net, "W")
		for _, s := range reading.Samples {
			if s.ID.String() == "export_power" {
				fmt.Println("decoded:", s.Value)
			}
		}
	}
	// Output:
	// 12:00:00 705 bytes, exported: 5148 W
	// decoded: 5148
	// 12:00:10 705 bytes, exported: 5096 W
	// decoded: 5096
}

// In one of three telegrams, one bit is wrong. The other two telegrams are decoded.
func ExampleNewFaultyMeter() {
	family, _ := simulate.Named("aidon-se")
	fault, err := simulate.ParseFault("crc=3")
	if err != nil {
		log.Fatal(err)
	}
	m := simulate.NewFaultyMeter(simulate.NewMeter(family, 1, start), 1, simulate.Family{}, fault)
	for range 3 {
		_, telegram := m.Next()
		_, err := meter.NewDecoder(bytes.NewReader(telegram), meter.Options{}).Next()
		fmt.Println(err == nil)
	}
	// Output:
	// true
	// false
	// true
}

// A receiver that expects no parity reads the parity of a sender with seven data bits as bit 7.
func ExampleLineSetting_ReceivedBy() {
	sender := simulate.LineSetting{Baud: 9600, DataBits: 7, Parity: 'E', StopBits: 1}
	receiver := simulate.LineSetting{Baud: 9600, DataBits: 8, Parity: 'N', StopBits: 1}
	fmt.Printf("% X\n", sender.ReceivedBy(nil, []byte("ABC"), receiver))
	// Output: 41 42 C3
}
