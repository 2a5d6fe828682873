package meter_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// An outcome is one answer of Next, copied so that it can be kept: a reading, or a *TelegramError.
type outcome struct {
	Offset int64
	Bytes  int
	Good   bool
	// Checked is that of the reading.
	Checked bool
	// Text is all that a reading says, or the error with the bytes that it is about.
	Text string
}

// newDecoder returns one that has the key of all simulated meters.
func newDecoder(r io.Reader) *meter.Decoder {
	d := meter.NewDecoder(r, meter.Options{Keys: []*dlms.Key{simulate.Key()}, AcceptUnverified: true})
	return d
}

// outcomes decodes a stream to its end.
func outcomes(t interface{ Fatalf(string, ...any) }, r io.Reader) []outcome {
	return outcomesOf(t, newDecoder(r))
}

func outcomesOf(t interface{ Fatalf(string, ...any) }, d *meter.Decoder) []outcome {
	out := []outcome{}
	for {
		reading, err := d.Next()
		var damaged *meter.TelegramError
		switch {
		case errors.As(err, &damaged):
			out = append(out, outcome{
				Offset: damaged.Offset, Bytes: damaged.Bytes,
				Text: fmt.Sprintf("%s: %v: %q", damaged.Protocol, damaged, damaged.Raw),
			})
		case errors.Is(err, io.EOF):
			return out
		case err != nil:
			t.Fatalf("got error %v, want a *TelegramError or EOF", err)
		default:
			out = append(out, outcome{
				Offset: reading.Offset, Bytes: reading.Bytes, Good: true, Checked: reading.Checked, Text: describe(reading),
			})
		}
	}
}

// describe tells all that a reading says but where it stands and how it was proved.
func describe(r *meter.Reading) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %q %+v %v\n", r.Protocol, r.Family, r.Meter, r.Time)
	for i := range r.Records {
		rec := &r.Records[i]
		fmt.Fprintf(&b, "%v %d %d×10^%d %v %v %q\n", rec.Code, rec.Kind, rec.Value.Coef, rec.Value.Exp, rec.Unit, rec.Time, rec.Text)
	}
	for i := range r.Samples {
		s := &r.Samples[i]
		fmt.Fprintf(&b, "%v %d×10^%d %d %v %q\n", s.ID, s.Value.Coef, s.Value.Exp, s.As, s.Time, s.Text)
	}
	return b.String()
}

// readings are the good ones among the outcomes.
func readings(all []outcome) []outcome {
	good := []outcome{}
	for _, o := range all {
		if o.Good {
			good = append(good, o)
		}
	}
	return good
}

// A known telegram is one of a simulated meter, with what it says.
type known struct {
	family, wire, text string
	// checked tells that something vouches for it. Meters of old have no checksum, and some ciphers no tag.
	checked bool
}

// knownTelegrams are some of each family, from a day with sun and its evening. Of a Norwegian meter they are lists 2, 3 and 2.
var knownTelegrams = sync.OnceValue(func() []known {
	var out []known
	start := time.Date(2026, 5, 10, 9, 59, 50, 0, time.UTC)
	for _, f := range simulate.Families() {
		for _, hours := range []time.Duration{0, 10} {
			m := simulate.NewMeter(f, 7, start.Add(hours*time.Hour))
			for i := range 17 {
				if _, wire := m.Next(); i%8 == 0 {
					out = append(out, known{family: f.Name, wire: string(wire)})
				}
			}
		}
	}
	for i := range out {
		k := &out[i]
		r, err := newDecoder(strings.NewReader(k.wire)).Next()
		if err != nil {
			k.text = "error: " + err.Error()
			continue
		}
		k.text, k.checked = describe(r), r.Checked
	}
	return slices.DeleteFunc(out, func(k known) bool { return strings.HasPrefix(k.text, "error: ") })
})

// TestFamilies: every family of the simulator is read, whole and as what it is.
func TestFamilies(t *testing.T) {
	for _, s := range samples() {
		d := newDecoder(bytes.NewReader(s.telegram))
		r, err := d.Next()
		if err != nil {
			t.Errorf("%s: %v", s.family.Name, err)
			continue
		}
		known := r.Meter.Make != "" && s.family.Name != "landisgyr-no1" // its frames and its single item are just like Aidon's
		if r.Bytes != len(s.telegram) || r.Cipher.Security != s.family.Cipher || known && r.Meter.Make != s.family.Make {
			t.Errorf("%s: %d of %d bytes, security %02x, make %q; want security %02x, make %q",
				s.family.Name, r.Bytes, len(s.telegram), r.Cipher.Security, r.Meter.Make, s.family.Cipher, s.family.Make)
		}
		if _, err := d.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("%s: behind the telegram: got %v, want EOF", s.family.Name, err)
		}
	}
}

// of returns the first two telegrams of a family that are not the same.
func of(t *testing.T, family string) (a, b known) {
	t.Helper()
	for _, k := range knownTelegrams() {
		switch {
		case k.family != family:
		case a.wire == "":
			a = k
		case k.text != a.text:
			return a, k
		}
	}
	t.Fatalf("no two telegrams of %s", family)
	return a, b
}

// chunked reads its bytes in pieces of the given lengths, again and again.
type chunked struct {
	r     *bytes.Reader
	sizes []int
	next  int
}

func (c *chunked) Read(p []byte) (int, error) {
	n := c.sizes[c.next%len(c.sizes)]
	c.next++
	return c.r.Read(p[:min(n, len(p))])
}
