package meter_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// TestReset: a Decoder that goes on with another stream forgets the half telegram at the end of the first, and still knows
// the meter's last frame counter.
func TestReset(t *testing.T) {
	f, _ := simulate.Named("kamstrup-dk")
	m := simulate.NewMeter(f, 1, time.Date(2026, 6, 1, 15, 7, 0, 0, time.UTC))
	_, b := m.Next()
	telegram := bytes.Clone(b)
	d := meter.NewDecoder(bytes.NewReader(append(bytes.Clone(telegram), telegram[:100]...)), meter.Options{Keys: []*dlms.Key{simulate.Key()}, AcceptUnverified: true})
	if r, err := d.Next(); err != nil || r.Repeated {
		t.Fatalf("first: got %v, %v", r, err)
	}
	d.Reset(bytes.NewReader(telegram))
	r, err := d.Next()
	if err != nil {
		t.Fatal(err)
	}
	if !r.Repeated || r.Offset != 0 {
		t.Errorf("got repeated %v at byte %d, want a repeated telegram at byte 0", r.Repeated, r.Offset)
	}
}
