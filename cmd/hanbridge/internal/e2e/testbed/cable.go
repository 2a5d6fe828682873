//go:build linux

package testbed

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

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

// NewCable returns a cable with a meter of a family behind it. It is not plugged in yet.
func NewCable(t testing.TB, family string) *Cable {
	t.Helper()
	c := &Cable{t: t, Name: filepath.Join(t.TempDir(), "port0"), Meter: NewMeter(t, family, 1)}
	t.Cleanup(c.Unplug)
	return c
}

// NewMeter returns a simulated meter of a family, whose household begins at Noon.
func NewMeter(t testing.TB, family string, seed uint64) *simulate.Meter {
	t.Helper()
	f, ok := simulate.Named(family)
	if !ok {
		t.Fatalf("no family %s", family)
	}
	return simulate.NewMeter(f, seed, Noon)
}

// PlugCable is NewCable, plugged in.
func PlugCable(t testing.TB, family string) *Cable {
	t.Helper()
	c := NewCable(t, family)
	c.Plug()
	return c
}

// Plug makes the port appear. Its bytes are those that are sent: a fresh terminal would echo them.
func (c *Cable) Plug() {
	c.t.Helper()
	var err error
	if c.control, c.Port, err = pty.Open(); err != nil {
		c.t.Fatal(err)
	}
	raw, err := unix.IoctlGetTermios(int(c.Port.Fd()), unix.TCGETS)
	if err != nil {
		c.t.Fatal(err)
	}
	raw.Iflag, raw.Oflag, raw.Lflag = 0, 0, 0
	if err := unix.IoctlSetTermios(int(c.Port.Fd()), unix.TCSETS, raw); err != nil {
		c.t.Fatal(err)
	}
	if err := os.Symlink(c.Port.Name(), c.Name); err != nil {
		c.t.Fatal(err)
	}
}

// Unplug makes the port vanish. A second call does nothing.
func (c *Cable) Unplug() {
	if c.control == nil {
		return
	}
	_ = os.Remove(c.Name)
	_ = c.control.Close()
	_ = c.Port.Close()
	c.control, c.Port = nil, nil
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

// PlugSimulated starts a simulated meter on a pseudo-terminal, twenty times as fast as a real one unless flags say otherwise, and
// returns the variable of a bridge that reads it.
func PlugSimulated(t testing.TB, flags ...string) (variable string) {
	t.Helper()
	_, address := Simulate(t, append([]string{"--to", "pty", "--speed", "20"}, flags...)...)
	return "HANBRIDGE_METER_PORT=" + address
}

var where = regexp.MustCompile(`meter on (\S+)\n`)

// Simulate starts a simulated meter with flags of the command, and returns where it is.
func Simulate(t testing.TB, flags ...string) (p *Process, address string) {
	t.Helper()
	p = Hanbridge(t, nil, append([]string{"simulate"}, flags...)...)
	p.Await("meter on ")
	Until(t, "where the meter is", func() bool { return where.MatchString(p.Said()) })
	return p, where.FindStringSubmatch(p.Said())[1]
}
