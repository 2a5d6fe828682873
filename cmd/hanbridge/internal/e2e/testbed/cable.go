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

// A Cable is a serial port that can be unplugged, with a simulated meter. Each call of Plug opens a new pseudo-terminal. The path of the port
// stays the same, because it is a symbolic link, as in /dev/serial/by-id.
type Cable struct {
	Path    string // of the symbolic link
	Meter   *simulate.Meter
	Port    *os.File // the terminal that Path links to; closed while the cable is unplugged
	control *os.File // the end of the pseudo-terminal on which the meter writes
	t       testing.TB
}

// Noon is the meter's time in the first telegram of each meter that NewMeter returns.
var Noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.FixedZone("CET", 3600))

// NewMeter returns a simulated meter of a family of package simulate, such as "aidon-se".
func NewMeter(t testing.TB, family string, seed uint64) *simulate.Meter {
	t.Helper()
	f, ok := simulate.Named(family)
	if !ok {
		t.Fatalf("the simulator has no family %q", family)
	}
	return simulate.NewMeter(f, seed, Noon)
}

// PlugCable returns a plugged-in cable with a simulated meter of a family.
func PlugCable(t testing.TB, family string) *Cable {
	t.Helper()
	c := &Cable{t: t, Path: filepath.Join(t.TempDir(), "port0"), Meter: NewMeter(t, family, 1)}
	t.Cleanup(c.Unplug)
	c.Plug()
	return c
}

// OpenPTY returns both ends of a pseudo-terminal in raw mode. In this mode the terminal changes and echoes no byte.
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

// Plug plugs the cable in. It opens a new pseudo-terminal and creates the link to its port.
func (c *Cable) Plug() {
	c.t.Helper()
	c.control, c.Port = OpenPTY(c.t)
	if err := os.Symlink(c.Port.Name(), c.Path); err != nil {
		c.t.Fatal(err)
	}
}

// Unplug removes the port. A second call does nothing.
func (c *Cable) Unplug() {
	_ = os.Remove(c.Path)
	_ = c.control.Close()
	_ = c.Port.Close()
}

// PortVariable returns the environment variable that makes a bridge read the cable.
func (c *Cable) PortVariable() string { return "HANBRIDGE_METER_PORT=" + c.Path }

// Write sends bytes to the port.
func (c *Cable) Write(b []byte) {
	c.t.Helper()
	if _, err := c.control.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

// Send sends the meter's next telegram to the port.
func (c *Cable) Send() {
	c.t.Helper()
	_, telegram := c.Meter.Next()
	c.Write(telegram)
}

// SendUntil sends telegrams at an interval until a condition holds. what describes the condition.
func (c *Cable) SendUntil(interval time.Duration, what string, condition func() bool) {
	c.t.Helper()
	due := time.Now()
	Until(c.t, what, func() bool {
		if !time.Now().Before(due) {
			c.Send()
			due = time.Now().Add(interval)
		}
		return condition()
	})
}

// Counters returns the meter's counters of imported and exported energy as they are published, in kWh.
func (c *Cable) Counters() (imported, exported string) {
	kWh := func(wattSeconds int64) string { // the meters drop fractions of a Wh
		return string(obis.Decimal{Coef: wattSeconds / 3600, Exp: -3}.AppendFixed(nil, 3))
	}
	energies := c.Meter.State().Energies
	return kWh(energies.Import), kWh(energies.Export)
}

// meterLine matches the line in which the command simulate prints the port of its meter.
var meterLine = regexp.MustCompile(`meter on (\S+)\n`)

// Simulate starts the command "hanbridge simulate", and returns the port on which its meter sends. flags are added to the command. Without the flag
// --to the port is a pseudo-terminal. Without the flag --speed the meter is twenty times as fast as a real meter.
func Simulate(t testing.TB, flags ...string) (p *Process, port string) {
	t.Helper()
	p = Hanbridge(t, nil, append([]string{"simulate", "--to", "pty", "--speed", "20"}, flags...)...)
	Until(t, "the port of the simulated meter", func() bool { return meterLine.MatchString(p.Output()) })
	return p, meterLine.FindStringSubmatch(p.Output())[1]
}
