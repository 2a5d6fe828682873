package meter_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// telnetNegotiation is what a gateway in telnet mode sends at the start of a connection.
const telnetNegotiation = "\xFF\xFB\x03\xFF\xFB\x01\xFF\xFD\x03\xFF\xFB\x00\xFF\xFD\x00"

// countOutcomes returns how many readings and how many errors a stream gives.
func countOutcomes(t *testing.T, d *meter.Decoder) (good, bad int) {
	t.Helper()
	for range 1000 {
		_, err := d.Next()
		damaged := new(meter.TelegramError)
		switch {
		case err == nil:
			good++
		case errors.As(err, &damaged):
			bad++
		default:
			return good, bad
		}
	}
	t.Fatal("the stream does not end")
	return good, bad
}

// TestTelnetGateways tests that a gateway in telnet mode gives the same readings as a raw one, for each meter and in any chunks. A raw
// stream that begins similar to a negotiation, or contains one, loses no telegram.
func TestTelnetGateways(t *testing.T) {
	twice := func(b []byte) []byte { return bytes.ReplaceAll(b, []byte{0xFF}, []byte{0xFF, 0xFF}) }
	with := func(begin string) func([]byte) []byte {
		return func(b []byte) []byte { return append([]byte(begin), b...) }
	}
	rows := []struct {
		kind, name string
		sends      func([]byte) []byte
		telnet     bool
	}{
		{"telnet", "FF doubled", func(b []byte) []byte { return append([]byte(telnetNegotiation), twice(b)...) }, true},
		{"telnet", "a negotiation behind each telegram", func(b []byte) []byte {
			return slices.Concat([]byte(telnetNegotiation), twice(b), []byte("\xFF\xFA\x2C\x6B\x00\xFF\xF0\xFF\xF1"))
		}, true},
		{"telnet", "an option alone", func(b []byte) []byte { return append([]byte("\xFF\xFD\x2C"), twice(b)...) }, true},
		{"raw", "begins within a value of -3", with("\xFF\xFD\x02\x02\x0F\x00\x16\x21\n"), false},
		{"raw", "commands in front, behind a byte", with("\x00" + telnetNegotiation + "\n"), false},
		{"raw", "FF in front", with("\xFF\xFF\xFF\x00\n"), false},
	}
	for _, f := range simulate.Families() {
		m := simulate.NewMeter(f, 3, time.Date(2026, 5, 1, 11, 59, 30, 0, time.UTC))
		var b []byte
		for range 4 {
			_, telegram := m.Next()
			b = append(b, telegram...)
		}
		want, damaged := countOutcomes(t, meter.NewDecoder(bytes.NewReader(b), meter.Options{AcceptUnverified: true}))
		for _, row := range rows {
			in := row.sends(b)
			for _, d := range []*meter.Decoder{
				meter.NewDecoder(bytes.NewReader(in), meter.Options{AcceptUnverified: true}), meter.NewDecoder(iotest.OneByteReader(bytes.NewReader(in)), meter.Options{AcceptUnverified: true}),
			} {
				good, bad := countOutcomes(t, d)
				if good != want || bad != damaged || d.TelnetNegotiated() != row.telnet {
					t.Errorf("%s, %s, %s: %d good, %d damaged, telnet %v, want %d, %d, %v", f.Name, row.kind, row.name, good, bad, d.TelnetNegotiated(),
						want, damaged, row.telnet)
				}
			}
		}
	}
}

// TestTelnetEndsWithConnection tests that after Reset the next connection may be raw.
func TestTelnetEndsWithConnection(t *testing.T) {
	f, _ := simulate.Named("aidon-se")
	_, b := simulate.NewMeter(f, 3, time.Date(2026, 5, 1, 11, 59, 30, 0, time.UTC)).Next()
	b = slices.Clone(b)
	d := meter.NewDecoder(bytes.NewReader(append([]byte(telnetNegotiation), bytes.ReplaceAll(b, []byte{0xFF}, []byte{0xFF, 0xFF})...)), meter.Options{AcceptUnverified: true})
	for i, telnet := range []bool{true, false} {
		if good, bad := countOutcomes(t, d); good != 1 || bad != 0 || d.TelnetNegotiated() != telnet {
			t.Errorf("connection %d: %d good, %d damaged, telnet %v, want 1, 0, %v", i, good, bad, d.TelnetNegotiated(), telnet)
		}
		d.Reset(bytes.NewReader(b))
	}
}
