package bridge_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/pkg/p1"
)

// planned runs a bridge with a preset for as long as do lasts; it remembers in dir where there is one.
func planned(t *testing.T, dir string, preset throttle.Preset, do func(p *port, n *notebook)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p, n := new(port), new(notebook)
		h := runPlanned(t, dir, preset, bridge.Meter{ID: "house"}, source(p), n)
		defer h.end()
		do(p, n)
	})
}

// drawing is a telegram of powers alone.
func drawing(watts int64) []byte {
	return p1.Append(nil, fmt.Appendf(nil, "/ABC5metering\r\n\r\n1-0:1.7.0(%04d.%03d*kW)\r\n!", watts/1000, watts%1000))
}

func (n *notebook) value(name string) (text string) {
	n.read(func(n *notebook) { text = n.values[name] })
	return text
}

// TestShortListAfterRestart: modules of other makes send short lists as Aidon does, so that one says nothing of the make.
func TestShortListAfterRestart(t *testing.T) {
	dir := t.TempDir()
	var counter string
	lives(t, dir, func(p *port, n *notebook, _ *house) {
		p.send(next(meterOf(t, "landisgyr-no3")))
		counter = n.value("import_energy")
	})
	lives(t, dir, func(p *port, n *notebook, _ *house) {
		p.send(next(meterOf(t, "landisgyr-no1")))
		if got := n.value("import_energy"); got != counter || got == "" {
			t.Errorf("import_energy after the restart: got %q, want %q", got, counter)
		}
		n.read(func(n *notebook) {
			if len(n.events) > 0 {
				t.Errorf("events: got %v, want none", n.events)
			}
		})
	})
}

// TestLastCounterIsRemembered: what is published at a stop is what the next run begins with.
func TestLastCounterIsRemembered(t *testing.T) {
	dir := t.TempDir()
	planned(t, dir, throttle.Balanced, func(p *port, n *notebook) {
		p.send(counting("ABC5metering", "", kWh("40140.615")))
		pass(10 * time.Second)
		p.send(counting("ABC5metering", "", kWh("40140.700")))
		if got := n.value("import_energy"); got != "40140.615" {
			t.Fatalf("published: got %q, want the first: the second is held back", got)
		}
	})
	planned(t, dir, throttle.Balanced, func(p *port, n *notebook) {
		p.send(drawing(500))
		if got := n.value("import_energy"); got != "40140.700" {
			t.Errorf("after the restart: got %q, want what was published at the stop", got)
		}
	})
}

// TestSeldomCounterIsKeptAtOnce: one that comes once an hour is on disk before a crash, though something else was written just before.
func TestSeldomCounterIsKeptAtOnce(t *testing.T) {
	before, after := t.TempDir(), t.TempDir()
	planned(t, before, throttle.Balanced, func(p *port, n *notebook) {
		for _, energy := range []string{"40140.615", "40140.700"} {
			p.send(counting("ABC5metering", "", kWh(energy)))
			minutes(p, time.Hour)
		}
		p.send(next(meterOf(t, "p1-se-aidon"))) // its quantities are kept
		pass(time.Second)
		p.send(counting("ABC5metering", "", kWh("40140.800")))
		copyAll(t, before, after)
	})
	planned(t, after, throttle.Balanced, func(p *port, n *notebook) {
		p.send(drawing(500))
		if got := n.value("import_energy"); got != "40140.800" {
			t.Errorf("after a crash: got %q, want what was published", got)
		}
	})
}

// copyAll copies the files of a folder as a crash would leave them.
func copyAll(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// TestJumpThatGoesOn is believed after a day, also where the bridge is restarted twice in it.
func TestJumpThatGoesOn(t *testing.T) {
	dir := t.TempDir()
	lives(t, dir, func(p *port, _ *notebook, _ *house) { p.send(counting("ABC5metering", "", kWh("40140.615"))) })
	for i, want := range []string{"", "", "95140.615"} {
		lives(t, dir, func(p *port, n *notebook, _ *house) {
			for range 10 * 60 {
				p.send(counting("ABC5metering", "", kWh("95140.615")))
				pass(time.Minute)
			}
			if got := n.value("import_energy"); got != want {
				t.Errorf("run %d: got %q, want %q", i, got, want)
			}
		})
	}
}

// TestHourlyAfterRestart: how often a quantity came does not change by the restart, which is no gap of the meter's.
func TestHourlyAfterRestart(t *testing.T) {
	for _, every := range []time.Duration{15 * time.Minute, time.Hour} {
		t.Run(every.String(), func(t *testing.T) {
			dir := t.TempDir()
			lives(t, dir, func(p *port, _ *notebook, _ *house) {
				for range 3 {
					p.send(counting("ABC5metering", "", kWh("40140.615")))
					minutes(p, every)
				}
			})
			lives(t, dir, func(p *port, n *notebook, _ *house) {
				n.read(func(n *notebook) { n.everies = n.everies[:0] })
				minutes(p, 12*time.Minute)
				for range 3 {
					p.send(counting("ABC5metering", "", kWh("40140.615")))
					minutes(p, every)
				}
				n.read(func(n *notebook) {
					if slices.ContainsFunc(n.everies, func(e time.Duration) bool { return e != every }) {
						t.Errorf("announced as every %v, want %v all the time", n.everies, every)
					}
				})
			})
		})
	}
}

// minutes sends the power each minute.
func minutes(p *port, d time.Duration) {
	for range int(d / time.Minute) {
		pass(time.Minute)
		p.send(drawing(500))
	}
}

// TestQuantityThatComesBack is published at once, though it is what it was: the broker was told to forget it.
func TestQuantityThatComesBack(t *testing.T) {
	planned(t, "", throttle.Balanced, func(p *port, n *notebook) {
		p.send(counting("ABC5metering", "", kWh("40140.615")))
		for range 2 * 51 {
			pass(30 * time.Minute)
			p.send(drawing(500))
		}
		n.read(func(n *notebook) {
			if slices.Contains(n.known, "import_energy") {
				t.Fatal("it is known still")
			}
			delete(n.values, "import_energy")
		})
		p.send(counting("ABC5metering", "", kWh("40140.615")))
		if got := n.value("import_energy"); got != "40140.615" {
			t.Errorf("got %q", got)
		}
	})
}

// TestCounterThatBeginsAgain is published with its event.
func TestCounterThatBeginsAgain(t *testing.T) {
	planned(t, "", throttle.Frugal, func(p *port, n *notebook) {
		for _, energy := range []string{"40140.615", "12.000", "12.000", "12.001"} {
			p.send(counting("ABC5metering", "", kWh(energy)))
			pass(10 * time.Second)
		}
		n.read(func(n *notebook) {
			if len(n.events) != 1 || n.values["import_energy"] != "12.001" {
				t.Errorf("got %q with events %v", n.values["import_energy"], n.events)
			}
		})
	})
}

// TestWholeAfterResync: the first telegram behind a reconnect has what was held back.
func TestWholeAfterResync(t *testing.T) {
	planned(t, "", throttle.Balanced, func(p *port, n *notebook) {
		p.send(drawing(500))
		pass(10 * time.Second)
		p.send(drawing(501))
		n.resync()
		pass(10 * time.Second)
		p.send(drawing(502))
		if got := n.value("import_power"); got != "502" {
			t.Errorf("got %s, want 502", got)
		}
	})
}

// TestTwoMetersOnOneWire: telegrams that alternate do not have the meter described anew with each, nor each rejection told.
func TestTwoMetersOnOneWire(t *testing.T) {
	planned(t, "", throttle.Balanced, func(p *port, n *notebook) {
		for range 60 {
			p.send(counting("ABC5metering", "3131313131313131", kWh("40140.615")))
			pass(time.Second)
			p.send(counting("ABC5metering", "3939393939393939", kWh("12.000")))
			pass(time.Second)
		}
		n.read(func(n *notebook) {
			if n.described > 2 {
				t.Errorf("described %d times", n.described)
			}
			if n.counted > 10 {
				t.Errorf("counts told %d times in two minutes", n.counted)
			}
			if strings.Join(n.events, ", ") != "" {
				t.Errorf("events: %v", n.events)
			}
		})
	})
}

// TestRememberedPortIsNotTheOnlyOne: a silent port where an earlier run found the meter does not keep the others from being tried.
func TestRememberedPortIsNotTheOnlyOne(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		first, second := new(port), new(port)
		h := runIn(t, dir, bridge.Meter{ID: "house"}, source(first, second))
		first.send(drawing(500))
		h.end()
	})
	synctest.Test(t, func(t *testing.T) {
		first, second, n := new(port), new(port), new(notebook)
		h := runIn(t, dir, bridge.Meter{ID: "house"}, source(first, second), n)
		defer h.end()
		pass(2 * time.Minute)
		for range 60 {
			second.send(drawing(500))
			pass(10 * time.Second)
		}
		if n.count() == 0 {
			t.Error("not found in ten minutes")
		}
	})
}
