package bridge_test

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/pkg/p1"
)

// withPreset calls do while a bridge with a preset of the throttle runs. Its state is in dir; it has none if dir is "".
func withPreset(t *testing.T, dir string, preset throttle.Preset, do func(p *port, rec *recorder)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p, rec := new(port), new(recorder)
		running := runWithPreset(t, dir, preset, bridge.Meter{ID: "house"}, sourceOf(p), rec)
		defer running.end()
		do(p, rec)
	})
}

// powerTelegram returns a P1 telegram with import_power only.
func powerTelegram(watts int64) []byte {
	return p1.Append(nil, fmt.Appendf(nil, "/ABC5metering\r\n\r\n1-0:1.7.0(%04d.%03d*kW)\r\n!", watts/1000, watts%1000))
}

// value returns the last recorded value of a quantity; "" if there is none.
func (r *recorder) value(name string) (text string) {
	r.inspect(func(r *recorder) { text = r.values[name] })
	return text
}

// TestShortListAfterRestart checks that a short list after a restart is not taken for a change to a meter of another make. The short lists of
// Landis+Gyr modules look like those of Aidon.
func TestShortListAfterRestart(t *testing.T) {
	dir := t.TempDir()
	var counter string
	withState(t, dir, func(p *port, rec *recorder, _ *runningBridge) {
		p.send(nextTelegram(newMeter(t, "landisgyr-no3")))
		counter = rec.value("import_energy")
	})
	withState(t, dir, func(p *port, rec *recorder, _ *runningBridge) {
		p.send(nextTelegram(newMeter(t, "landisgyr-no1")))
		if got := rec.value("import_energy"); got != counter || got == "" {
			t.Errorf("import_energy after the restart: got %q, want %q", got, counter)
		}
		rec.inspect(func(rec *recorder) {
			if len(rec.events) > 0 {
				t.Errorf("events: got %v, want none", rec.events)
			}
		})
	})
}

// TestWithheldCounterIsStored checks that a counter value that the throttle withheld is published when the bridge stops, and that the next run
// begins with this value.
func TestWithheldCounterIsStored(t *testing.T) {
	dir := t.TempDir()
	var first *recorder
	withPreset(t, dir, throttle.Balanced, func(p *port, rec *recorder) {
		first = rec
		p.send(energyTelegram("ABC5metering", "", kWh("40140.615")))
		advance(10 * time.Second)
		p.send(energyTelegram("ABC5metering", "", kWh("40140.700")))
		if got := rec.value("import_energy"); got != "40140.615" {
			t.Fatalf("published: got %q, want the first value, since the throttle withholds the second", got)
		}
	})
	if got := first.values["import_energy"]; got != "40140.700" {
		t.Errorf("when the bridge stopped: got %q, want 40140.700", got)
	}
	withPreset(t, dir, throttle.Balanced, func(p *port, rec *recorder) {
		p.send(powerTelegram(500))
		if got := rec.value("import_energy"); got != "40140.700" {
			t.Errorf("after the restart: got %q, want 40140.700, which was published when the bridge stopped", got)
		}
	})
}

// TestHourlyCounterIsWrittenAtOnce checks that a counter that the meter sends once an hour is written to disk at once, also less than 10 s after
// another write.
func TestHourlyCounterIsWrittenAtOnce(t *testing.T) {
	dir, dirAfterCrash := t.TempDir(), t.TempDir()
	withPreset(t, dir, throttle.Balanced, func(p *port, rec *recorder) {
		for _, energy := range []string{"40140.615", "40140.700"} {
			p.send(energyTelegram("ABC5metering", "", kWh(energy)))
			sendEachMinute(p, time.Hour)
		}
		p.send(nextTelegram(newMeter(t, "p1-se-aidon"))) // the state is written because it has new quantities
		advance(time.Second)
		p.send(energyTelegram("ABC5metering", "", kWh("40140.800")))
		copyFolder(t, dir, dirAfterCrash)
	})
	withPreset(t, dirAfterCrash, throttle.Balanced, func(p *port, rec *recorder) {
		p.send(powerTelegram(500))
		if got := rec.value("import_energy"); got != "40140.800" {
			t.Errorf("after a crash: got %q, want 40140.800, which was published before the crash", got)
		}
	})
}

// copyFolder copies the files of a folder. The copy is what the folder would have after a crash.
func copyFolder(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// TestJumpIsAcceptedAfterADay checks that a counter that has jumped is accepted after a day, also if the bridge was restarted twice meanwhile.
func TestJumpIsAcceptedAfterADay(t *testing.T) {
	dir := t.TempDir()
	withState(t, dir, func(p *port, _ *recorder, _ *runningBridge) {
		p.send(energyTelegram("ABC5metering", "", kWh("40140.615")))
	})
	for i, want := range []string{"", "", "95140.615"} {
		withState(t, dir, func(p *port, rec *recorder, _ *runningBridge) {
			for range 10 * 60 {
				p.send(energyTelegram("ABC5metering", "", kWh("95140.615")))
				advance(time.Minute)
			}
			if got := rec.value("import_energy"); got != want {
				t.Errorf("run %d after the jump: import_energy: got %q, want %q", i+1, got, want)
			}
		})
	}
}

// TestCadenceAfterRestart checks that the announced Descriptor.Every of a quantity stays the same after a restart.
func TestCadenceAfterRestart(t *testing.T) {
	for _, every := range []time.Duration{15 * time.Minute, time.Hour} {
		t.Run(every.String(), func(t *testing.T) {
			dir := t.TempDir()
			withState(t, dir, func(p *port, _ *recorder, _ *runningBridge) {
				for range 3 {
					p.send(energyTelegram("ABC5metering", "", kWh("40140.615")))
					sendEachMinute(p, every)
				}
			})
			withState(t, dir, func(p *port, rec *recorder, _ *runningBridge) {
				// Only the intervals that telegrams of this run give are compared.
				rec.inspect(func(rec *recorder) { rec.energyIntervals = rec.energyIntervals[:0] })
				sendEachMinute(p, 12*time.Minute)
				for range 3 {
					p.send(energyTelegram("ABC5metering", "", kWh("40140.615")))
					sendEachMinute(p, every)
				}
				rec.inspect(func(rec *recorder) {
					if slices.ContainsFunc(rec.energyIntervals, func(e time.Duration) bool { return e != every }) {
						t.Errorf("announced intervals of import_energy: got %v, want only %v", rec.energyIntervals, every)
					}
				})
			})
		})
	}
}

// sendEachMinute sends a telegram with import_power each minute for the time d.
func sendEachMinute(p *port, d time.Duration) {
	for range int(d / time.Minute) {
		advance(time.Minute)
		p.send(powerTelegram(500))
	}
}

// TestExpiredQuantityReturns checks that an expired quantity that the meter sends again is published at once, although its value is the same.
func TestExpiredQuantityReturns(t *testing.T) {
	withPreset(t, "", throttle.Balanced, func(p *port, rec *recorder) {
		p.send(energyTelegram("ABC5metering", "", kWh("40140.615")))
		for range 2 * 51 {
			advance(30 * time.Minute)
			p.send(powerTelegram(500))
		}
		rec.inspect(func(rec *recorder) {
			if slices.Contains(rec.quantities, "import_energy") {
				t.Fatal("import_energy has not expired after 51 h")
			}
			delete(rec.values, "import_energy")
		})
		p.send(energyTelegram("ABC5metering", "", kWh("40140.615")))
		if got := rec.value("import_energy"); got != "40140.615" {
			t.Errorf("got %q, want the same value as before", got)
		}
	})
}

// TestCounterResetIsPublished checks that after the event of a counter reset, the output has the new value of the counter, even if the throttle
// would withhold that value.
func TestCounterResetIsPublished(t *testing.T) {
	withPreset(t, "", throttle.Frugal, func(p *port, rec *recorder) {
		for _, energy := range []string{"40140.615", "12.000", "12.000", "12.001"} { // the third telegram after the decrease confirms the reset
			p.send(energyTelegram("ABC5metering", "", kWh(energy)))
			advance(10 * time.Second)
		}
		rec.inspect(func(rec *recorder) {
			if len(rec.events) != 1 || rec.values["import_energy"] != "12.001" {
				t.Errorf("got import_energy %q and events %v, want 12.001 and one event", rec.values["import_energy"], rec.events)
			}
		})
	})
}

// TestResyncPublishesWithheld checks that Resync publishes the newest values, also those that the throttle has withheld, and that the throttle then
// continues from them.
func TestResyncPublishesWithheld(t *testing.T) {
	withPreset(t, "", throttle.Balanced, func(p *port, rec *recorder) {
		p.send(powerTelegram(500))
		advance(10 * time.Second)
		p.send(powerTelegram(520)) // balanced withholds changes below 30 W
		rec.resync()
		if got := rec.value("import_power"); got != "520" {
			t.Errorf("after Resync: got import_power %q, want 520", got)
		}
		advance(10 * time.Second)
		p.send(powerTelegram(540))
		if got := rec.value("import_power"); got != "520" {
			t.Errorf("10 s after Resync: got import_power %q, want 520, because 540 differs too little from it", got)
		}
	})
}

// TestTwoMetersOnOneLine checks that telegrams of two meters that alternate cause few updates of Description and of Stats.
func TestTwoMetersOnOneLine(t *testing.T) {
	withPreset(t, "", throttle.Balanced, func(p *port, rec *recorder) {
		for range 60 {
			p.send(energyTelegram("ABC5metering", "3131313131313131", kWh("40140.615")))
			advance(time.Second)
			p.send(energyTelegram("ABC5metering", "3939393939393939", kWh("12.000")))
			advance(time.Second)
		}
		rec.inspect(func(rec *recorder) {
			if rec.descriptionCount > 2 {
				t.Errorf("the output got a new description %d times, want at most 2", rec.descriptionCount)
			}
			if rec.statsCount > 10 {
				t.Errorf("the output got new Stats %d times in two minutes, want at most 10", rec.statsCount)
			}
			if len(rec.events) > 0 {
				t.Errorf("events: got %v, want none", rec.events)
			}
		})
	})
}

// TestStoredEndpointIsSilent checks that another endpoint is tried if the stored endpoint of the earlier run is silent.
func TestStoredEndpointIsSilent(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		first, second := new(port), new(port)
		running := runWithState(t, dir, bridge.Meter{ID: "house"}, sourceOf(first, second))
		first.send(powerTelegram(500))
		running.end()
	})
	synctest.Test(t, func(t *testing.T) {
		first, second, rec := new(port), new(port), new(recorder)
		running := runWithState(t, dir, bridge.Meter{ID: "house"}, sourceOf(first, second), rec)
		defer running.end()
		advance(2 * time.Minute)
		for range 60 {
			second.send(powerTelegram(500))
			advance(10 * time.Second)
		}
		if rec.telegramCount() == 0 {
			t.Error("the meter was not found in ten minutes")
		}
	})
}
