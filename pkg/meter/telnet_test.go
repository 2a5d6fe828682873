package meter_test

import (
	"bytes"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// telnetNegotiation is the negotiation that a gateway in telnet mode sends at the start of a connection.
const telnetNegotiation = "\xFF\xFB\x03\xFF\xFB\x01\xFF\xFD\x03\xFF\xFB\x00\xFF\xFD\x00"

// countOutcomes returns the number of readings and the number of errors of a stream.
func countOutcomes(t *testing.T, d *meter.Decoder) (readings, telegramErrors int) {
	t.Helper()
	for range 1000 {
		_, err := d.Next()
		switch {
		case err == nil:
			readings++
		case isTelegramError(err):
			telegramErrors++
		default:
			return readings, telegramErrors
		}
	}
	t.Fatal("the stream does not end")
	return readings, telegramErrors
}

// TestTelnetGateways tests that a stream from a gateway in telnet mode gives the same readings as a raw stream. A raw stream that contains a
// negotiation, or begins with similar bytes, must lose no telegram.
func TestTelnetGateways(t *testing.T) {
	doubled := func(b []byte) []byte { return bytes.ReplaceAll(b, []byte{0xFF}, []byte{0xFF, 0xFF}) }
	prefixed := func(prefix string) func([]byte) []byte {
		return func(b []byte) []byte { return append([]byte(prefix), b...) }
	}
	rows := []struct {
		kind, name string
		sends      func([]byte) []byte // returns what the gateway sends for the bytes of the meter
		telnet     bool                // what TelnetNegotiated must return
	}{
		{"telnet", "negotiation, FF doubled", func(b []byte) []byte { return append([]byte(telnetNegotiation), doubled(b)...) }, true},
		{"telnet", "commands after the telegrams too", func(b []byte) []byte {
			return slices.Concat([]byte(telnetNegotiation), doubled(b), []byte("\xFF\xFA\x2C\x6B\x00\xFF\xF0\xFF\xF1"))
		}, true},
		{"telnet", "negotiation of a single option", func(b []byte) []byte { return append([]byte("\xFF\xFD\x2C"), doubled(b)...) }, true},
		{"raw", "begins with FF FD 02, bytes of a value", prefixed("\xFF\xFD\x02\x02\x0F\x00\x16\x21\n"), false},
		{"raw", "begins with a byte 00, then bytes like a negotiation", prefixed("\x00" + telnetNegotiation + "\n"), false},
		{"raw", "begins with FF", prefixed("\xFF\xFF\xFF\x00\n"), false},
	}
	for _, f := range simulate.Families() {
		m := simulate.NewMeter(f, 3, time.Date(2026, 5, 1, 11, 59, 30, 0, time.UTC))
		var b []byte
		for range 4 {
			_, telegram := m.Next()
			b = append(b, telegram...)
		}
		wantReadings, wantErrors := countOutcomes(t, meter.NewDecoder(bytes.NewReader(b), meter.Options{AcceptUnverified: true}))
		for _, row := range rows {
			in := row.sends(b)
			for _, d := range []*meter.Decoder{
				meter.NewDecoder(bytes.NewReader(in), meter.Options{AcceptUnverified: true}),
				meter.NewDecoder(iotest.OneByteReader(bytes.NewReader(in)), meter.Options{AcceptUnverified: true}),
			} {
				readings, telegramErrors := countOutcomes(t, d)
				if readings != wantReadings || telegramErrors != wantErrors || d.TelnetNegotiated() != row.telnet {
					t.Errorf("%s, %s, %s: got %d readings, %d errors, telnet %v; want %d, %d, %v",
						f.Name, row.kind, row.name, readings, telegramErrors, d.TelnetNegotiated(), wantReadings, wantErrors, row.telnet)
				}
			}
		}
	}
}

// TestTelnetEndsWithConnection tests that a raw stream is read after Reset, although the previous stream began with a telnet negotiation.
func TestTelnetEndsWithConnection(t *testing.T) {
	f, _ := simulate.Named("aidon-se")
	_, b := simulate.NewMeter(f, 3, time.Date(2026, 5, 1, 11, 59, 30, 0, time.UTC)).Next()
	b = slices.Clone(b)
	d := meter.NewDecoder(bytes.NewReader(append([]byte(telnetNegotiation), bytes.ReplaceAll(b, []byte{0xFF}, []byte{0xFF, 0xFF})...)), meter.Options{AcceptUnverified: true})
	for i, wantTelnet := range []bool{true, false} {
		if readings, telegramErrors := countOutcomes(t, d); readings != 1 || telegramErrors != 0 || d.TelnetNegotiated() != wantTelnet {
			t.Errorf("connection %d: got %d readings, %d errors, telnet %v; want 1, 0, %v", i, readings, telegramErrors, d.TelnetNegotiated(), wantTelnet)
		}
		d.Reset(bytes.NewReader(b))
	}
}
