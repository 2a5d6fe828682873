// Command reader is a module of its own. It imports every package of github.com/hanbridge/hanbridge/pkg. The tests build it to check that the
// exported names are sufficient for other modules.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"time"

	"github.com/hanbridge/hanbridge/pkg/capture"
	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/line"
	"github.com/hanbridge/hanbridge/pkg/mask"
	"github.com/hanbridge/hanbridge/pkg/mbus"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/p1"
	"github.com/hanbridge/hanbridge/pkg/quantity"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

func main() {
	for _, family := range []string{"p1-nl-5", "kamstrup-dk", "kaifa-at"} {
		if err := read(family); err != nil {
			log.Fatalf("%s: %v", family, err)
		}
	}
}

// read simulates two telegrams of a family, masks them, makes a recording of them, and decodes the recording.
func read(family string) error {
	f, ok := simulate.Named(family)
	if !ok {
		return errors.New("no such family")
	}
	m := simulate.NewMeter(f, 1, time.Date(2026, time.January, 14, 16, 30, 20, 0, time.UTC))
	var stream bytes.Buffer
	for range 2 {
		_, telegram := m.Next()
		stream.Write(telegram)
	}
	var evidence line.Evidence
	evidence.Add(stream.Bytes())
	fmt.Printf("%s: %s, verdict on the line: %v\n", family, frame(stream.Bytes()), evidence.Verdict())

	recording, err := record(&stream)
	if err != nil {
		return err
	}
	return decode(capture.NewBytesReader(recording))
}

// frame describes the first frame of a stream.
func frame(b []byte) string {
	if n := p1.Length(b); n > 0 {
		if telegram, err := p1.Parse(b[:n]); err == nil {
			return fmt.Sprintf("P1 telegram with %d records", len(telegram.Records))
		}
	}
	if n := hdlc.Length(b); n > 0 {
		if f, err := hdlc.Parse(b[:n]); err == nil {
			return fmt.Sprintf("HDLC frame with %d bytes", len(f.Info))
		}
	}
	if n := mbus.Length(b); n > 0 {
		if f, err := mbus.Parse(b[:n]); err == nil {
			return fmt.Sprintf("M-Bus frame with %d bytes", len(f.Data))
		}
	}
	return "unknown framing"
}

// record masks the telegrams of a stream and returns a recording of them.
func record(stream io.Reader) (io.Reader, error) {
	masker := mask.New(stream, meter.Options{Keys: []*dlms.Key{simulate.Key()}, AcceptUnverified: true})
	var recording []byte
	for {
		t, err := masker.Next()
		if errors.Is(err, io.EOF) {
			return bytes.NewReader(recording), nil
		}
		if err != nil {
			return nil, err
		}
		recording = capture.Chunk{At: time.Unix(0, 0).UTC(), Bytes: t.Bytes}.Append(recording)
	}
}

// decode prints the power and the energy counter of each telegram.
func decode(r io.Reader) error {
	counter := obis.MustCode("1-0:1.8.0")
	d := meter.NewDecoder(r, meter.Options{Keys: []*dlms.Key{mask.NewTestKey()}})
	for {
		reading, err := d.Next()
		switch {
		case errors.Is(err, meter.ErrUnverified):
			fmt.Println("not verified yet")
			continue
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		for _, s := range reading.Samples {
			if s.ID == quantity.ImportPower {
				fmt.Println(s.ID, s.Value, s.Unit().Symbol)
			}
		}
		for _, record := range reading.Records {
			if record.Code.CDE() == counter.CDE() {
				fmt.Println(record.Code, record.Value, record.Unit)
			}
		}
	}
}
