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

// withPreset runs a bridge with a preset, and with the state in dir if it is not "", while do runs.
func withPreset(t *testing.T, dir string, preset throttle.Preset, do func(p *port, n *recorder)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p, n := new(port), new(recorder)
		h := runWithPreset(t, dir, preset, bridge.Meter{ID: "house"}, source(p), n)
		defer h.end()
		do(p, n)
	})
}

// powerTelegram returns a telegram with import_power and no other quantity.
func powerTelegram(watts int64) []byte {
	return p1.Append(nil, fmt.Appendf(nil, "/ABC5metering\r\n\r\n1-0:1.7.0(%04d.%03d*kW)\r\n!", watts/1000, watts%1000))
}

// value returns the last value of a quantity; "" if there is none.
func (n *recorder) value(name string) (text string) {
	n.inspect(func(n *recorder) { text = n.values[name] })
	return text
}

// TestShortListAfterRestart checks that a short list after a restart does not count as another make. Modules of other makes send short lists
// like those of Aidon.
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

// TestWithheldCounterIsStored checks that a counter that the throttle withheld is published at the stop, and that the next run starts with it.
func TestWithheldCounterIsStored(t *testing.T) {
	dir := t.TempDir()
	withPreset(t, dir, throttle.Balanced, func(p *port, n *recorder) {
		p.send(energyTelegram("ABC5metering", "", kWh("40140.615")))
		advance(10 * time.Second)
		p.send(energyTelegram("ABC5metering", "", kWh("40140.700")))
		if got := n.value("import_energy"); got != "40140.615" {
			t.Fatalf("published: got %q, want the first: the throttle withholds the second", got)
		}
	})
	withPreset(t, dir, throttle.Balanced, func(p *port, n *recorder) {
		p.send(powerTelegram(500))
		if got := n.value("import_energy"); got != "40140.700" {
			t.Errorf("after the restart: got %q, want what was published at the stop", got)
		}
	})
}

// TestHourlyCounterIsWrittenAtOnce checks that a counter that comes once an hour is on disk at once, within 10 s after another write.
func TestHourlyCounterIsWrittenAtOnce(t *testing.T) {
	before, after := t.TempDir(), t.TempDir()
	withPreset(t, before, throttle.Balanced, func(p *port, n *recorder) {
		for _, energy := range []string{"40140.615", "40140.700"} {
			p.send(energyTelegram("ABC5metering", "", kWh(energy)))
			sendEachMinute(p, time.Hour)
		}
		p.send(nextTelegram(newMeter(t, "p1-se-aidon"))) // its quantities are written
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

// copyFolder copies the files of a folder, as they would be after a crash.
func copyFolder(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// TestJumpIsAcceptedAfterADay checks that two restarts within the day do not change that.
func TestJumpIsAcceptedAfterADay(t *testing.T) {
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

// TestHourlyAfterRestart checks that the announced cadence of a quantity stays the same over a restart.
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

// sendEachMinute sends the power each minute for a time.
func sendEachMinute(p *port, d time.Duration) {
	for range int(d / time.Minute) {
		advance(time.Minute)
		p.send(powerTelegram(500))
	}
}

// TestExpiredQuantityReturns checks that an expired quantity that returns is published at once, although its value is the same.
func TestExpiredQuantityReturns(t *testing.T) {
	withPreset(t, "", throttle.Balanced, func(p *port, n *recorder) {
		p.send(energyTelegram("ABC5metering", "", kWh("40140.615")))
		for range 2 * 51 {
			advance(30 * time.Minute)
			p.send(powerTelegram(500))
		}
		n.inspect(func(n *recorder) {
			if slices.Contains(n.quantities, "import_energy") {
				t.Fatal("import_energy has not expired")
			}
			delete(n.values, "import_energy")
		})
		p.send(energyTelegram("ABC5metering", "", kWh("40140.615")))
		if got := n.value("import_energy"); got != "40140.615" {
			t.Errorf("got %q", got)
		}
	})
}

// TestCounterResetIsPublished checks that the value of a counter that was reset is published together with its event.
func TestCounterResetIsPublished(t *testing.T) {
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

// TestResyncPublishesWithheld checks that the first telegram after Resync is published completely.
func TestResyncPublishesWithheld(t *testing.T) {
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

// TestTwoMetersOnOneWire checks that telegrams of two meters that alternate cause few updates of the description and the counts.
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
				t.Errorf("counts were new %d times in two minutes", n.statsCount)
			}
			if strings.Join(n.events, ", ") != "" {
				t.Errorf("events: %v", n.events)
			}
		})
	})
}

// TestStoredPortIsSilent checks that other ports are tried if the port of the earlier run is silent.
func TestStoredPortIsSilent(t *testing.T) {
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
