//go:build linux

package testbed

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// A Cable is a serial port that can be unplugged: a pseudo-terminal under a name that stays, as in /dev/serial/by-id.
type Cable struct {
	Name    string
	Meter   *simulate.Meter
	Port    *os.File // the terminal behind Name; nil while it is unplugged
	control *os.File
	t       testing.TB
}

// Noon is when the household of every cable begins.
var Noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.FixedZone("CET", 3600))

// NewMeter returns a simulated meter of a family, whose household begins at Noon.
func NewMeter(t testing.TB, family string, seed uint64) *simulate.Meter {
	t.Helper()
	f, ok := simulate.Named(family)
	if !ok {
		t.Fatalf("no family %s", family)
	}
	return simulate.NewMeter(f, seed, Noon)
}

// PlugCable returns a cable with a meter of a family behind it.
func PlugCable(t testing.TB, family string) *Cable {
	t.Helper()
	c := &Cable{t: t, Name: filepath.Join(t.TempDir(), "port0"), Meter: NewMeter(t, family, 1)}
	t.Cleanup(c.Unplug)
	c.Plug()
	return c
}

// OpenPTY returns both ends of a pseudo-terminal that changes no byte and echoes none.
func OpenPTY(t testing.TB) (control, port *os.File) {
	t.Helper()
	control, port, err := pty.Open()
	if err == nil {
		_, err = term.MakeRaw(int(port.Fd()))
	}
	if err != nil {
		t.Fatal(err)
	}
	return control, port
}

// Plug makes the port appear again after it was unplugged.
func (c *Cable) Plug() {
	c.t.Helper()
	c.control, c.Port = OpenPTY(c.t)
	if err := os.Symlink(c.Port.Name(), c.Name); err != nil {
		c.t.Fatal(err)
	}
}

// Unplug makes the port vanish. A second call does nothing.
func (c *Cable) Unplug() {
	_ = os.Remove(c.Name)
	_ = c.control.Close()
	_ = c.Port.Close()
}

// Variable is that of a bridge that reads the cable.
func (c *Cable) Variable() string { return "HANBRIDGE_METER_PORT=" + c.Name }

// Write sends bytes.
func (c *Cable) Write(b []byte) {
	c.t.Helper()
	if _, err := c.control.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

// Send sends the next telegram.
func (c *Cable) Send() {
	c.t.Helper()
	_, telegram := c.Meter.Next()
	c.Write(telegram)
}

// SendUntil sends a telegram again and again until something holds.
func (c *Cable) SendUntil(every time.Duration, what string, holds func() bool) {
	c.t.Helper()
	due := time.Now()
	Until(c.t, what, func() bool {
		if !time.Now().Before(due) {
			c.Send()
			due = time.Now().Add(every)
		}
		return holds()
	})
}

// Counters returns the two counters of the meter as they are published, in kWh.
func (c *Cable) Counters() (imported, exported string) {
	kWh := func(wattSeconds int64) string { // meters cut what is less than a Wh
		return string(obis.Decimal{Coef: wattSeconds / 3600, Exp: -3}.AppendFixed(nil, 3))
	}
	energies := c.Meter.State().Energies
	return kWh(energies.Import), kWh(energies.Export)
}

var where = regexp.MustCompile(`meter on (\S+)\n`)

// Simulate starts a simulated meter on a pseudo-terminal, twenty times as fast as a real one unless flags of the command say
// otherwise, and returns where it is.
func Simulate(t testing.TB, flags ...string) (p *Process, address string) {
	t.Helper()
	p = Hanbridge(t, nil, append([]string{"simulate", "--to", "pty", "--speed", "20"}, flags...)...)
	Until(t, "where the meter is", func() bool { return where.MatchString(p.Said()) })
	return p, where.FindStringSubmatch(p.Said())[1]
}
