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
func withPreset(t *testing.T, dir string, preset throttle.Preset, do func(p *port, n *recorder)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p, n := new(port), new(recorder)
		h := runWithPreset(t, dir, preset, bridge.Meter{ID: "house"}, source(p), n)
		defer h.end()
		do(p, n)
	})
}

// drawing is a telegram of powers alone.
func powerTelegram(watts int64) []byte {
	return p1.Append(nil, fmt.Appendf(nil, "/ABC5metering\r\n\r\n1-0:1.7.0(%04d.%03d*kW)\r\n!", watts/1000, watts%1000))
}

func (n *recorder) value(name string) (text string) {
	n.inspect(func(n *recorder) { text = n.values[name] })
	return text
}

// TestShortListAfterRestart: modules of other makes send short lists as Aidon does, so that one says nothing of the make.
func TestShortListAfterRestart(t *testing.T) {
	dir := t.TempDir()
	var counter string
	withState(t, dir, func(p *port, n *recorder, _ *runningBridge) {
		p.send(nextTelegram(newMeter(t, "landisgyr-no3")))
		counter = n.value("import_energy")
	})
	withState(t, dir, func(p *port, n *recorder, _ *runningBridge) {
		p.send(nextTelegram(newMeter(t, "landisgyr-no1")))
		if got := n.value("import_energy"); got != counter || got == "" {
			t.Errorf("import_energy after the restart: got %q, want %q", got, counter)
		}
		n.inspect(func(n *recorder) {
			if len(n.events) > 0 {
				t.Errorf("events: got %v, want none", n.events)
			}
		})
	})
}

// TestLastCounterIsRemembered: what is published at a stop is what the next run begins with.
func TestLastCounterIsRemembered(t *testing.T) {
	dir := t.TempDir()
	withPreset(t, dir, throttle.Balanced, func(p *port, n *recorder) {
		p.send(energyTelegram("ABC5metering", "", kWh("40140.615")))
		advance(10 * time.Second)
		p.send(energyTelegram("ABC5metering", "", kWh("40140.700")))
		if got := n.value("import_energy"); got != "40140.615" {
			t.Fatalf("published: got %q, want the first: the second is held back", got)
		}
	})
	withPreset(t, dir, throttle.Balanced, func(p *port, n *recorder) {
		p.send(powerTelegram(500))
		if got := n.value("import_energy"); got != "40140.700" {
			t.Errorf("after the restart: got %q, want what was published at the stop", got)
		}
	})
}

// TestSeldomCounterIsKeptAtOnce: one that comes once an hour is on disk before a crash, though something else was written just before.
func TestSeldomCounterIsKeptAtOnce(t *testing.T) {
	before, after := t.TempDir(), t.TempDir()
	withPreset(t, before, throttle.Balanced, func(p *port, n *recorder) {
		for _, energy := range []string{"40140.615", "40140.700"} {
			p.send(energyTelegram("ABC5metering", "", kWh(energy)))
			sendEachMinute(p, time.Hour)
		}
		p.send(nextTelegram(newMeter(t, "p1-se-aidon"))) // its quantities are kept
		advance(time.Second)
		p.send(energyTelegram("ABC5metering", "", kWh("40140.800")))
		copyFolder(t, before, after)
	})
	withPreset(t, after, throttle.Balanced, func(p *port, n *recorder) {
		p.send(powerTelegram(500))
		if got := n.value("import_energy"); got != "40140.800" {
			t.Errorf("after a crash: got %q, want what was published", got)
		}
	})
}

// copyAll copies the files of a folder as a crash would leave them.
func copyFolder(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// TestJumpThatGoesOn is believed after a day, also where the bridge is restarted twice in it.
func TestJumpThatGoesOn(t *testing.T) {
	dir := t.TempDir()
	withState(t, dir, func(p *port, _ *recorder, _ *runningBridge) {
		p.send(energyTelegram("ABC5metering", "", kWh("40140.615")))
	})
	for i, want := range []string{"", "", "95140.615"} {
		withState(t, dir, func(p *port, n *recorder, _ *runningBridge) {
			for range 10 * 60 {
				p.send(energyTelegram("ABC5metering", "", kWh("95140.615")))
				advance(time.Minute)
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
			withState(t, dir, func(p *port, _ *recorder, _ *runningBridge) {
				for range 3 {
					p.send(energyTelegram("ABC5metering", "", kWh("40140.615")))
					sendEachMinute(p, every)
				}
			})
			withState(t, dir, func(p *port, n *recorder, _ *runningBridge) {
				n.inspect(func(n *recorder) { n.energyIntervals = n.energyIntervals[:0] })
				sendEachMinute(p, 12*time.Minute)
				for range 3 {
					p.send(energyTelegram("ABC5metering", "", kWh("40140.615")))
					sendEachMinute(p, every)
				}
				n.inspect(func(n *recorder) {
					if slices.ContainsFunc(n.energyIntervals, func(e time.Duration) bool { return e != every }) {
						t.Errorf("announced as every %v, want %v all the time", n.energyIntervals, every)
					}
				})
			})
		})
	}
}

// minutes sends the power each minute.
func sendEachMinute(p *port, d time.Duration) {
	for range int(d / time.Minute) {
		advance(time.Minute)
		p.send(powerTelegram(500))
	}
}

// TestQuantityThatComesBack is published at once, though it is what it was: the broker was told to forget it.
func TestQuantityThatComesBack(t *testing.T) {
	withPreset(t, "", throttle.Balanced, func(p *port, n *recorder) {
		p.send(energyTelegram("ABC5metering", "", kWh("40140.615")))
		for range 2 * 51 {
			advance(30 * time.Minute)
			p.send(powerTelegram(500))
		}
		n.inspect(func(n *recorder) {
			if slices.Contains(n.quantities, "import_energy") {
				t.Fatal("it is known still")
			}
			delete(n.values, "import_energy")
		})
		p.send(energyTelegram("ABC5metering", "", kWh("40140.615")))
		if got := n.value("import_energy"); got != "40140.615" {
			t.Errorf("got %q", got)
		}
	})
}

// TestCounterThatBeginsAgain is published with its event.
func TestCounterThatBeginsAgain(t *testing.T) {
	withPreset(t, "", throttle.Frugal, func(p *port, n *recorder) {
		for _, energy := range []string{"40140.615", "12.000", "12.000", "12.001"} {
			p.send(energyTelegram("ABC5metering", "", kWh(energy)))
			advance(10 * time.Second)
		}
		n.inspect(func(n *recorder) {
			if len(n.events) != 1 || n.values["import_energy"] != "12.001" {
				t.Errorf("got %q with events %v", n.values["import_energy"], n.events)
			}
		})
	})
}

// TestWholeAfterResync: the first telegram behind a reconnect has what was held back.
func TestWholeAfterResync(t *testing.T) {
	withPreset(t, "", throttle.Balanced, func(p *port, n *recorder) {
		p.send(powerTelegram(500))
		advance(10 * time.Second)
		p.send(powerTelegram(501))
		n.resync()
		advance(10 * time.Second)
		p.send(powerTelegram(502))
		if got := n.value("import_power"); got != "502" {
			t.Errorf("got %s, want 502", got)
		}
	})
}

// TestTwoMetersOnOneWire: telegrams that alternate do not have the meter described anew with each, nor each rejection told.
func TestTwoMetersOnOneWire(t *testing.T) {
	withPreset(t, "", throttle.Balanced, func(p *port, n *recorder) {
		for range 60 {
			p.send(energyTelegram("ABC5metering", "3131313131313131", kWh("40140.615")))
			advance(time.Second)
			p.send(energyTelegram("ABC5metering", "3939393939393939", kWh("12.000")))
			advance(time.Second)
		}
		n.inspect(func(n *recorder) {
			if n.descriptionCount > 2 {
				t.Errorf("described %d times", n.descriptionCount)
			}
			if n.statsCount > 10 {
				t.Errorf("counts told %d times in two minutes", n.statsCount)
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
		h := runWithState(t, dir, bridge.Meter{ID: "house"}, source(first, second))
		first.send(powerTelegram(500))
		h.end()
	})
	synctest.Test(t, func(t *testing.T) {
		first, second, n := new(port), new(port), new(recorder)
		h := runWithState(t, dir, bridge.Meter{ID: "house"}, source(first, second), n)
		defer h.end()
		advance(2 * time.Minute)
		for range 60 {
			second.send(powerTelegram(500))
			advance(10 * time.Second)
		}
		if n.telegramCount() == 0 {
			t.Error("not found in ten minutes")
		}
	})
}
