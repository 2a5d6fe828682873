package bridge_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/p1"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// withState calls do while a bridge with the state in dir runs.
func withState(t *testing.T, dir string, do func(p *port, rec *recorder, running *runningBridge)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p, rec := new(port), new(recorder)
		running := runWithState(t, dir, bridge.Meter{ID: "house"}, sourceOf(p), rec)
		defer running.end()
		do(p, rec, running)
	})
}

// TestHourlyCountersAfterRestart checks that hourly counters of the earlier run are announced at once, and published with the first telegram.
func TestHourlyCountersAfterRestart(t *testing.T) {
	dir := t.TempDir()
	var counters map[string]string
	var quantities []string
	withState(t, dir, func(p *port, rec *recorder, _ *runningBridge) {
		f, _ := simulate.Named("aidon-no")
		m := simulate.NewMeter(f, 1, time.Now().Truncate(time.Hour))
		for range 8 { // the hourly list comes 10 s after the hour
			p.send(nextTelegram(m))
			advance(2 * time.Second)
		}
		rec.inspect(func(rec *recorder) {
			counters = maps.Clone(rec.values)
			maps.DeleteFunc(counters, func(name, _ string) bool { return !strings.HasSuffix(name, "_energy") })
			quantities = slices.Clone(rec.quantities)
		})
	})
	if len(counters) != 4 || len(quantities) < 10 {
		t.Fatalf("the first run published the counters %v and announced %v", counters, quantities)
	}
	withState(t, dir, func(p *port, rec *recorder, _ *runningBridge) {
		rec.inspect(func(rec *recorder) {
			if !slices.Equal(rec.quantities, quantities) {
				t.Errorf("quantities at the start: got %v, want %v", rec.quantities, quantities)
			}
			if len(rec.values) > 0 {
				t.Errorf("published before the first telegram: %v", rec.values)
			}
			if rec.description.Make != "Aidon" {
				t.Errorf("description at the start: got %+v, want that of the earlier run", rec.description)
			}
		})
		p.send(nextTelegram(newMeter(t, "aidon-no1"))) // the short list, which comes every 2.5 s
		rec.inspect(func(rec *recorder) {
			for name, want := range counters {
				if rec.values[name] != want {
					t.Errorf("%s: got %q, want %q", name, rec.values[name], want)
				}
			}
			if _, ok := rec.values["import_power"]; !ok {
				t.Error("no import_power from the first telegram")
			}
		})
	})
}

// TestRecordingTwice checks that a recording can be replayed although its counters are below the stored ones, and that the replay does not change
// the state of the meter with the same id.
func TestRecordingTwice(t *testing.T) {
	dir := t.TempDir()
	replay := func(energy string) (got string) {
		synctest.Test(t, func(t *testing.T) {
			rec := new(recorder)
			s := sourceOf(&port{greeting: energyTelegram("ABC5metering", "", kWh(energy))})
			s.Recorded = true
			running := runWithState(t, dir, bridge.Meter{ID: "house"}, s, rec)
			advance(time.Second)
			running.stop()
			if err := <-running.done; err != nil {
				t.Log(err) // the pipe is closed before the end of the recording
			}
			rec.inspect(func(rec *recorder) { got = rec.values["import_energy"] })
		})
		return got
	}
	withState(t, dir, func(p *port, _ *recorder, _ *runningBridge) {
		p.send(energyTelegram("ABC5metering", "", kWh("40140.615")))
	})
	for _, energy := range []string{"300.000", "200.000"} {
		if got := replay(energy); got != energy {
			t.Errorf("recording: got %q, want %s", got, energy)
		}
	}
	withState(t, dir, func(p *port, rec *recorder, _ *runningBridge) {
		p.send(energyTelegram("ABC5metering", "", kWh("40140.616")))
		rec.inspect(func(rec *recorder) {
			if got := rec.values["import_energy"]; got != "40140.616" || rec.stats.Rejected > 0 {
				t.Errorf("the meter after the recordings: got %q and %d rejected values", got, rec.stats.Rejected)
			}
		})
	})
}

// energyTelegram returns a P1 telegram with import_energy. It has no serial number if serial is "".
func energyTelegram(ident, serial string, energy obis.Decimal) []byte {
	text := fmt.Sprintf("/%s\r\n\r\n1-0:1.8.0(%012s*kWh)\r\n1-0:1.7.0(0000.500*kW)\r\n", ident, energy.AppendFixed(nil, 3))
	if serial != "" {
		text += "0-0:96.1.1(" + serial + ")\r\n"
	}
	return p1.Append(nil, []byte(text+"!"))
}

// kWh returns a number of kilowatt-hours, such as "40140.615".
func kWh(text string) obis.Decimal {
	d, err := obis.ParseDecimal([]byte(text))
	if err != nil {
		panic(err)
	}
	return d
}

// TestCounterOverRestart checks that the first value of a counter is compared with the last one of the earlier run, unless the meter is another
// one. If the value is rejected, the stored value is not published in its place, because the broker can have a later value.
func TestCounterOverRestart(t *testing.T) {
	tests := []struct {
		name, oldIdent, ident, serial string
		energy, want                  string // sent after the restart, and published
		event                         string // the prefix of the only event; "" for none
	}{
		{"the counter continues", "ABC5metering", "ABC5metering", "", "40140.700", "40140.700", ""},
		{"the counter decreases", "ABC5metering", "ABC5metering", "", "40139.000", "", ""},
		{"the counter reads zero", "ABC5metering", "ABC5metering", "", "0.000", "", ""},
		{"the counter jumps", "ABC5metering", "ABC5metering", "", "55140.615", "", ""},
		{"a meter of another make", "KFM5KAIFA-METER", "ISK5\\2M550T-1012", "", "12.000", "12.000", "meter_changed"},
		{"a meter with another serial number", "ABC5metering", "ABC5metering", "3939393939393939", "12.000", "12.000", "meter_changed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			oldSerial := ""
			if tt.serial != "" {
				oldSerial = "3131313131313131"
			}
			withState(t, dir, func(p *port, _ *recorder, _ *runningBridge) {
				p.send(energyTelegram(tt.oldIdent, oldSerial, kWh("40140.615")))
			})
			withState(t, dir, func(p *port, rec *recorder, _ *runningBridge) {
				p.send(energyTelegram(tt.ident, tt.serial, kWh(tt.energy)))
				rec.inspect(func(rec *recorder) {
					if got := rec.values["import_energy"]; got != tt.want {
						t.Errorf("import_energy: got %q, want %q", got, tt.want)
					}
					if got := strings.Join(rec.events, ", "); !strings.HasPrefix(got, tt.event) || tt.event == "" && got != "" {
						t.Errorf("events: got %q, want %q", got, tt.event)
					}
				})
			})
		})
	}
}

// TestRejectedValue checks that a rejected value is in no telegram, is counted once with its reason, and is logged.
func TestRejectedValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, rec := new(port), new(recorder)
		running := run(t, sourceOf(p), rec)
		defer running.end()
		for _, energy := range []string{"40140.615", "0.000", "0.000", "40140.616"} {
			p.send(energyTelegram("ABC5metering", "", kWh(energy)))
			advance(time.Second)
		}
		rec.inspect(func(rec *recorder) {
			if rec.stats.Rejected != 1 || rec.stats.RejectedReason != "import_energy 0.000: it read zero, last 40140.615" {
				t.Errorf("got %d rejected values, the last for the reason %q, want 1, the zero", rec.stats.Rejected, rec.stats.RejectedReason)
			}
			for i, telegram := range rec.telegrams {
				rejected := i == 1 || i == 2 // those with 0.000
				if has := slices.ContainsFunc(telegram.Values, func(v bridge.Value) bool { return v.ID.String() == "import_energy" }); has == rejected {
					t.Errorf("telegram %d has import_energy: got %v, want %v", i, has, !rejected)
				}
			}
		})
		if got := running.countLines("counter value rejected"); got != 1 {
			t.Errorf("logged %d times, want once", got)
		}
	})
}

// TestRejectedRepeatedly checks that a counter that is wrong in each second telegram causes few updates of the counts. A hub stores each change
// in its database.
func TestRejectedRepeatedly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, rec := new(port), new(recorder)
		running := run(t, sourceOf(p), rec)
		defer running.end()
		for i := range 600 {
			p.send(energyTelegram("ABC5metering", "", kWh([]string{"40140.615", "0.000"}[i%2])))
			advance(time.Second)
		}
		rec.inspect(func(rec *recorder) {
			if rec.statsCount > 20 {
				t.Errorf("the output got new counts %d times in 10 min, want at most 20", rec.statsCount)
			}
			if rec.stats.Rejected < 100 {
				t.Errorf("got %d rejected values, want nearly 300", rec.stats.Rejected)
			}
		})
	})
}

// TestRejectedForEveryReason checks that the first rejection for each reason is logged, also directly after a rejection for another reason. The
// advice to wait a day is logged only for a jump.
func TestRejectedForEveryReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, rec := new(port), new(recorder)
		running := run(t, sourceOf(p), rec)
		defer running.end()
		for _, energy := range []string{"0.000", "40140.615", "0.000", "40139.000", "55140.615"} {
			p.send(energyTelegram("ABC5metering", "", kWh(energy)))
			advance(time.Second)
		}
		for text, want := range map[string]int{
			"counter value rejected": 3, "it stepped back": 1, "it rose by more": 1, "after a day": 1, `it read zero"`: 1,
		} {
			if got := running.countLines(text); got != want {
				t.Errorf("%q was logged %d times, want %d", text, got, want)
			}
		}
	})
}

// TestQuantityExpires checks that a quantity expires between 50 and 51 h after its last value.
func TestQuantityExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, rec := new(port), new(recorder)
		running := run(t, sourceOf(p), rec)
		defer running.end()
		p.send(nextTelegram(newMeter(t, "p1-se-aidon")))
		announced := func() (found bool) {
			rec.inspect(func(rec *recorder) { found = slices.Contains(rec.quantities, "voltage_l1") })
			return found
		}
		for hour := range 51 {
			if hour < 50 && !announced() {
				t.Fatalf("expired after %d h", hour)
			}
			for range 2 {
				advance(30 * time.Minute)
				p.send(energyTelegram("ADN9 6534", "", kWh("40140.7")))
			}
		}
		if announced() {
			t.Error("not expired after 51 h")
		}
	})
}

// TestScalingOverRestart checks that the scaling of currents is used after a restart, but not for another meter. The decoder learns the scaling
// from telegrams with a load.
func TestScalingOverRestart(t *testing.T) {
	telegram := func(name string, power, current int64) []byte {
		f, ok := simulate.Named(name)
		if !ok {
			t.Fatalf("no family %s", name)
		}
		s := simulate.NewHousehold(1, time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC), 3).State()
		for i := range s.Power {
			s.Power[i], s.ReactivePower[i], s.Current[i] = power, 0, current
		}
		return f.Append(nil, &s)
	}
	const transformer, direct = "kamstrup-dk-ct", "kamstrup-dk-plain" // with and without current transformers
	for _, tt := range []struct{ name, oldFamily, newFamily, want string }{
		{"the same meter", transformer, transformer, "0.036"},
		{"another meter", direct, transformer, ""},
	} {
		dir := t.TempDir()
		withState(t, dir, func(p *port, rec *recorder, _ *runningBridge) {
			p.send(telegram(tt.oldFamily, 2300, 10_000))
			rec.inspect(func(rec *recorder) {
				if rec.values["current_l1"] == "" {
					t.Errorf("%s: the telegram with a load gives no current", tt.name)
				}
			})
		})
		withState(t, dir, func(p *port, rec *recorder, _ *runningBridge) {
			p.send(telegram(tt.newFamily, 0, 3))
			rec.inspect(func(rec *recorder) {
				if got := rec.values["current_l1"]; got != tt.want {
					t.Errorf("%s: current without a load: got %q, want %q", tt.name, got, tt.want)
				}
			})
		})
	}
}

// TestStateFolderRemoved checks that the removal of the state folder while the bridge runs is logged once, and that the state is written again.
func TestStateFolderRemoved(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	withState(t, dir, func(p *port, _ *recorder, running *runningBridge) {
		for i, energy := range []string{"40140.615", "40140.616", "40140.617"} {
			if i == 1 {
				if err := os.RemoveAll(dir); err != nil {
					t.Fatal(err)
				}
			}
			p.send(energyTelegram("ABC5metering", "", kWh(energy)))
			advance(11 * time.Second)
		}
		if got := running.countLines("another program has changed the state file"); got != 1 || running.countLines("it was removed") != 1 {
			t.Errorf("logged %d times, want once:\n%s", got, running.log)
		}
	})
	withState(t, dir, func(p *port, rec *recorder, _ *runningBridge) {
		p.send(energyTelegram("ABC5metering", "", kWh("300.000")))
		rec.inspect(func(rec *recorder) {
			if rec.values["import_energy"] != "" || rec.stats.Rejected != 1 {
				t.Errorf("got %q and %d rejected values, want the lower value rejected", rec.values["import_energy"], rec.stats.Rejected)
			}
		})
	})
}
