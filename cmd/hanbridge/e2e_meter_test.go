//go:build linux

package main_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// A cable is a serial port that can be unplugged: a pseudo-terminal under a name that stays, as in /dev/serial/by-id.
type cable struct {
	t             *testing.T
	name          string
	meter         *simulate.Meter
	control, port *os.File
}

// noon is when the household of every cable begins.
var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.FixedZone("CET", 3600))

// newCable is not plugged in yet.
func newCable(t *testing.T, family string) *cable {
	t.Helper()
	f, ok := simulate.Named(family)
	if !ok {
		t.Fatalf("no family %s", family)
	}
	c := &cable{t: t, name: filepath.Join(t.TempDir(), "port0"), meter: simulate.NewMeter(f, 1, noon)}
	t.Cleanup(c.unplug)
	return c
}

func pluggedCable(t *testing.T, family string) *cable {
	t.Helper()
	c := newCable(t, family)
	c.plug()
	return c
}

// plug makes the port appear. Its bytes are those that are sent: a fresh terminal would echo them.
func (c *cable) plug() {
	c.t.Helper()
	var err error
	if c.control, c.port, err = pty.Open(); err != nil {
		c.t.Fatal(err)
	}
	raw, err := unix.IoctlGetTermios(int(c.port.Fd()), unix.TCGETS)
	if err != nil {
		c.t.Fatal(err)
	}
	raw.Iflag, raw.Oflag, raw.Lflag = 0, 0, 0
	if err := unix.IoctlSetTermios(int(c.port.Fd()), unix.TCSETS, raw); err != nil {
		c.t.Fatal(err)
	}
	if err := os.Symlink(c.port.Name(), c.name); err != nil {
		c.t.Fatal(err)
	}
}

// unplug makes the port vanish. A second call does nothing.
func (c *cable) unplug() {
	if c.control == nil {
		return
	}
	_ = os.Remove(c.name)
	_ = c.control.Close()
	_ = c.port.Close()
	c.control = nil
}

func (c *cable) variable() string { return "HANBRIDGE_METER_PORT=" + c.name }

// send writes one telegram.
func (c *cable) send() {
	c.t.Helper()
	_, telegram := c.meter.Next()
	if _, err := c.control.Write(telegram); err != nil {
		c.t.Fatal(err)
	}
}

// sends writes telegrams until something holds.
func (c *cable) sends(every, within time.Duration, what string, holds func() bool) {
	c.t.Helper()
	due := time.Now()
	until(c.t, within, what, func() bool {
		if !time.Now().Before(due) {
			c.send()
			due = due.Add(every)
		}
		return holds()
	})
}
