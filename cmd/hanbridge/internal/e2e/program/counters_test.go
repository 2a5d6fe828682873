//go:build linux

package program_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/p1"
)

// TestCounters tests counters with glitches, over crashes and with a damaged state file.
func TestCounters(t *testing.T) {
	t.Parallel()
	for name, between := range map[string]func(*countersRig){
		"in one run":   func(*countersRig) {},
		"over crashes": (*countersRig).crashes,
		"state file cut": func(r *countersRig) {
			r.damages("the one before it is used", func(b []byte) []byte { return b[:len(b)/3] }, "hanbridge.json")
		},
		"state file garbled": func(r *countersRig) { r.damages("the one before it is used", garbled, "hanbridge.json") },
		"state file gone":    func(r *countersRig) { r.damages("the one before it is used", nil, "hanbridge.json") },
		"both files emptied": func(r *countersRig) {
			r.damages("a new one is begun", func([]byte) []byte { return nil }, "hanbridge.json", "hanbridge.json.previous")
		},
		"both files gone":         func(r *countersRig) { r.damages("", nil, "hanbridge.json", "hanbridge.json.previous") },
		"state folder unwritable": func(r *countersRig) { r.unwritable() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testCounters(t, between)
		})
	}
}

// testCounters tests a counter that reads zero once, decreases once, and jumps by 15 MWh once. Then another meter replaces the meter.
// between is called between any two of these.
func testCounters(t *testing.T, between func(*countersRig)) {
	r := newCountersRig(t)
	r.start()
	r.counts()
	for _, glitch := range []string{"0.000", "40139.100", "55140.700"} {
		between(r)
		r.counts() // where the memory is lost, it begins with this
		r.sends(glitch)
		r.counts()
		r.rejected(glitch)
	}
	between(r)
	last := r.counts()
	for i := range 4 {
		r.sends(fmt.Sprintf("12.00%d", i))
	}
	r.shows("12.003")
	r.awaitReplaced(last)
	got := published(r.messages) // 40140.6… and 12.00…, each only rising
	reset := slices.IndexFunc(got, func(s string) bool { return strings.HasPrefix(s, "12.") })
	if !slices.IsSorted(got[:reset]) || !slices.IsSorted(got[reset:]) {
		t.Errorf("published: %v", got)
	}
}

func garbled(b []byte) []byte {
	for i := range b {
		b[i] ^= byte(i*7 + 1)
	}
	return b
}

// A countersRig is a meter whose counter the test sets, and a bridge that reads the meter.
type countersRig struct {
	t        *testing.T
	program  string // its path
	state    string // the folder
	broker   *testbed.Mosquitto
	cable    *testbed.Cable
	messages *testbed.MessageLog
	run      *testbed.Process
	clock    time.Time
	true     int // Wh
}

func newCountersRig(t *testing.T) *countersRig {
	broker := testbed.StartMosquitto(t)
	return &countersRig{
		t: t, program: testbed.Program(t), state: filepath.Join(t.TempDir(), "state"), broker: broker,
		cable: testbed.PlugCable(t, "p1-se-aidon"), messages: broker.LogMessages(), clock: testbed.Noon, true: 600,
	}
}

func (r *countersRig) start() {
	r.t.Helper()
	r.run = testbed.Launch(r.t, []string{
		r.broker.URLVariable(), r.cable.PortVariable(), "HANBRIDGE_METER_ID=house", "HANBRIDGE_METER_SERIAL=115200 8N1",
		"HANBRIDGE_STATE_DIR=" + r.state, "HANBRIDGE_PUBLISH=realtime",
	}, r.program, "run")
	r.run.AwaitOutput("port opened")
	r.run.AwaitOutput("mqtt connected")
}

// sends sends the next telegram with this counter. The meter's clock is one second later.
func (r *countersRig) sends(counter string) {
	r.t.Helper()
	r.clock = r.clock.Add(time.Second)
	r.cable.Write(counterTelegram(r.t, r.clock, counter))
}

// counts sends the next correct value, which is 1 Wh more, and requires that it is published.
func (r *countersRig) counts() string {
	r.t.Helper()
	r.true++
	counter := fmt.Sprintf("40140.%03d", r.true)
	r.sends(counter)
	r.shows(counter)
	return counter
}

// counterTelegram returns a telegram of a meter that sends no serial number.
func counterTelegram(t *testing.T, at time.Time, counter string) []byte {
	t.Helper()
	energy, err := obis.ParseDecimal([]byte(counter))
	if err != nil {
		t.Fatal(err)
	}
	return p1.Append(nil, fmt.Appendf(nil, "/ABC5metering\r\n\r\n0-0:1.0.0(%sW)\r\n1-0:1.8.0(%012s*kWh)\r\n1-0:2.8.0(00000000.077*kWh)\r\n"+
		"1-0:1.7.0(0000.500*kW)\r\n1-0:2.7.0(0000.000*kW)\r\n!", at.Format("060102150405"), energy.AppendFixed(nil, 3)))
}

func (r *countersRig) shows(counter string) {
	r.t.Helper()
	r.messages.AwaitMessage("hanbridge/house/import_energy", counter)
}

// rejected requires that a rejected value is counted, and its reason published.
func (r *countersRig) rejected(glitch string) {
	r.t.Helper()
	testbed.Until(r.t, "the reason why "+glitch+" was held back", func() bool {
		payloads := r.messages.Last()
		return strings.Contains(payloads["hanbridge/house/rejected_reason"], "import_energy "+glitch) && payloads["hanbridge/house/rejected"] != "0"
	})
}

// published returns all published values of the counter, in order.
func published(messages *testbed.MessageLog) (all []string) {
	for line := range strings.Lines(messages.Text()) {
		if value, ok := strings.CutPrefix(line, "hanbridge/house/import_energy "); ok {
			all = append(all, strings.TrimSpace(value))
		}
	}
	return all
}

// awaitReplaced requires the event that the meter was replaced.
func (r *countersRig) awaitReplaced(last string) {
	r.t.Helper()
	var e struct{ Event, Quantity, From, To string }
	if err := json.Unmarshal([]byte(r.messages.AwaitMessage("hanbridge/house/event")), &e); err != nil {
		r.t.Fatal(err)
	}
	if e.Event != "counter_reset" || e.Quantity != "import_energy" || e.From != last {
		r.t.Errorf("event: got %+v, want counter_reset of import_energy from %s", e, last)
	}
}

func (r *countersRig) crashes() {
	r.t.Helper()
	r.run.Kill()
	r.start()
}

// damages kills the bridge and damages its state files, or removes them if damage is nil.
func (r *countersRig) damages(says string, damage func([]byte) []byte, names ...string) {
	r.t.Helper()
	r.run.Kill()
	for _, name := range names {
		file := filepath.Join(r.state, name)
		text, err := os.ReadFile(file)
		if err != nil {
			r.t.Fatal(err)
		}
		if damage == nil {
			err = os.Remove(file)
		} else {
			err = os.WriteFile(file, damage(text), 0o600)
		}
		if err != nil {
			r.t.Fatal(err)
		}
	}
	r.start()
	if says != "" {
		r.run.AwaitOutput(says)
	}
}

// unwritable tests a state folder that cannot be made, because a file has its name. One message says that nothing is remembered.
func (r *countersRig) unwritable() {
	r.t.Helper()
	r.run.Stop(syscall.SIGTERM)
	r.state = "/dev/null/state"
	r.start()
	r.run.RequireOutputOnce("nothing is remembered over a restart")
}
