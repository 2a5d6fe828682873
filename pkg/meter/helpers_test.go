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

// An outcome is a copy of one result of Next: a reading, or a *TelegramError.
type outcome struct {
	Offset int64
	Bytes  int
	// Good is true for a reading, and false for a *TelegramError.
	Good bool
	// Checked is Reading.Checked.
	Checked bool
	// Text is what describe returns for a reading. For a *TelegramError it is the protocol, the error and the bytes of the telegram.
	Text string
}

// newDecoder returns a Decoder that has the key of all simulated meters, and accepts unverified telegrams.
func newDecoder(r io.Reader) *meter.Decoder {
	return meter.NewDecoder(r, meter.Options{Keys: []*dlms.Key{simulate.Key()}, AcceptUnverified: true})
}

// outcomes decodes a stream to its end with a Decoder of newDecoder.
func outcomes(t interface{ Fatalf(string, ...any) }, r io.Reader) []outcome {
	return outcomesOfDecoder(t, newDecoder(r))
}

// outcomesOfDecoder decodes the stream of d to its end.
func outcomesOfDecoder(t interface{ Fatalf(string, ...any) }, d *meter.Decoder) []outcome {
	out := []outcome{}
	for {
		reading, err := d.Next()
		var e *meter.TelegramError
		switch {
		case errors.As(err, &e):
			out = append(out, outcome{Offset: e.Offset, Bytes: e.Bytes, Text: fmt.Sprintf("%s: %v: %q", e.Protocol, e, e.Raw)})
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

// describe returns the content of a reading as text, without Offset, Bytes, Checked, Verified and Cipher.
func describe(r *meter.Reading) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %q %+v %v\n", r.Protocol, r.Family, r.Meter, r.Time)
	for i := range r.Records {
		rec := &r.Records[i]
		fmt.Fprintf(&b, "%v %d %d×10^%d %v %v %q\n", rec.Code, rec.Kind, rec.Value.Coef, rec.Value.Exp, rec.Unit, rec.Time, rec.Text)
	}
	for i := range r.Samples {
		s := &r.Samples[i]
		fmt.Fprintf(&b, "%v %d×10^%d %d %v %q\n", s.ID, s.Value.Coef, s.Value.Exp, s.UnitIndex, s.Time, s.Text)
	}
	return b.String()
}

// readings returns the outcomes that are readings.
func readings(all []outcome) []outcome {
	good := []outcome{}
	for _, o := range all {
		if o.Good {
			good = append(good, o)
		}
	}
	return good
}

// A sentTelegram is a telegram of a simulated meter.
type sentTelegram struct {
	family  string
	bytes   string
	content string // what describe returns for its reading
	// checked is true if the telegram has a checksum or an authentication tag.
	checked bool
}

// sentTelegrams returns three telegrams of each family from a sunny day at noon, and three from its evening. It takes every eighth telegram of the
// meter, so that a Norwegian meter gives lists 2, 3 and 2. Telegrams that the Decoder cannot read alone are left out.
var sentTelegrams = sync.OnceValue(func() []sentTelegram {
	var out []sentTelegram
	start := time.Date(2026, 5, 10, 9, 59, 50, 0, time.UTC)
	for _, f := range simulate.Families() {
		for _, hours := range []time.Duration{0, 10} {
			m := simulate.NewMeter(f, 7, start.Add(hours*time.Hour))
			for i := range 17 {
				if _, telegram := m.Next(); i%8 == 0 {
					out = append(out, sentTelegram{family: f.Name, bytes: string(telegram)})
				}
			}
		}
	}
	for i := range out {
		s := &out[i]
		r, err := newDecoder(strings.NewReader(s.bytes)).Next()
		if err != nil {
			s.content = "error: " + err.Error()
			continue
		}
		s.content, s.checked = describe(r), r.Checked
	}
	return slices.DeleteFunc(out, func(s sentTelegram) bool { return strings.HasPrefix(s.content, "error: ") })
})

// A familyTelegram is one telegram of a simulated meter of a family.
type familyTelegram struct {
	family   simulate.Family
	telegram []byte
}

// familyTelegrams returns one telegram of each family. Each call returns the same telegrams. They are from a day in May on which the house
// exports solar power.
func familyTelegrams() []familyTelegram {
	at := time.Date(2026, 5, 10, 10, 20, 30, 0, time.UTC)
	families := simulate.Families()
	out := make([]familyTelegram, len(families))
	for i, f := range families {
		h := simulate.NewHousehold(1, at, f.Phases)
		s := h.State()
		out[i] = familyTelegram{f, f.Append(nil, &s)}
	}
	return out
}

// TestFamilies tests that one telegram of each family of the simulator gives one reading. The reading must have the right make, or no make if the
// telegram does not show it. It must have the right security control byte.
func TestFamilies(t *testing.T) {
	for _, s := range familyTelegrams() {
		d := newDecoder(bytes.NewReader(s.telegram))
		r, err := d.Next()
		if err != nil {
			t.Errorf("%s: %v", s.family.Name, err)
			continue
		}
		comparesMake := r.Meter.Make != "" && s.family.Name != "landisgyr-no1" // telegrams of landisgyr-no1 look like those of Aidon
		if r.Bytes != len(s.telegram) || r.Cipher.Security != s.family.Cipher || comparesMake && r.Meter.Make != s.family.Make {
			t.Errorf("%s: got %d bytes, security %02x, make %q; want %d bytes, security %02x, make %q",
				s.family.Name, r.Bytes, r.Cipher.Security, r.Meter.Make, len(s.telegram), s.family.Cipher, s.family.Make)
		}
		if _, err := d.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("%s: after the telegram: got %v, want EOF", s.family.Name, err)
		}
	}
}

// twoTelegrams returns two different telegrams of a family.
func twoTelegrams(t *testing.T, family string) (a, b sentTelegram) {
	t.Helper()
	for _, s := range sentTelegrams() {
		switch {
		case s.family != family:
		case a.bytes == "":
			a = s
		case s.content != a.content:
			return a, s
		}
	}
	t.Fatalf("no two telegrams of %s", family)
	return a, b
}

// A chunked reader returns the bytes of r in chunks. The list of their sizes repeats.
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
