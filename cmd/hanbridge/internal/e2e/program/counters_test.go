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

// TestCounters tests that wrong counters are not published, also after a crash and with a damaged state file.
func TestCounters(t *testing.T) {
	t.Parallel()
	for name, restart := range map[string]func(*counterTest){
		"no restart":    func(*counterTest) {},
		"bridge killed": (*counterTest).crash,
		"state file truncated": func(c *counterTest) {
			c.damageState("the previous file is used", func(b []byte) []byte { return b[:len(b)/3] }, "hanbridge.json")
		},
		"state file garbled": func(c *counterTest) { c.damageState("the previous file is used", garble, "hanbridge.json") },
		"state file removed": func(c *counterTest) { c.damageState("the previous file is used", nil, "hanbridge.json") },
		"both files emptied": func(c *counterTest) {
			c.damageState("a new file is begun", func([]byte) []byte { return nil }, "hanbridge.json", "hanbridge.json.previous")
		},
		"both files removed":      func(c *counterTest) { c.damageState("", nil, "hanbridge.json", "hanbridge.json.previous") },
		"state folder unwritable": (*counterTest).useUnwritableState,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testCounters(t, restart)
		})
	}
}

// testCounters sends three wrong counters: zero, a counter that is too low, and a counter that is 15 MWh too high. The bridge must publish none
// of the three. Then a second meter replaces the first, and the bridge must report this in an event. testCounters calls restart before each wrong
// counter, and before the replacement. restart is a function that possibly restarts the bridge and damages its state.
func testCounters(t *testing.T, restart func(*counterTest)) {
	c := newCounterTest(t)
	c.start()
	c.sendNext()
	// A bridge without a state file accepts a retained counter only if the broker retains the time of the telegram too.
	c.messages.AwaitMessage("hanbridge/house/last_telegram")
	for _, wrongCounter := range []string{"0.000", "40139.100", "55140.700"} {
		restart(c)
		c.sendNext() // a bridge that has lost its state needs a right counter first
		c.send(wrongCounter)
		c.sendNext()
		c.awaitRejected(wrongCounter)
	}
	restart(c)
	lastOfFirstMeter := c.sendNext()
	for i := range 4 { // the bridge accepts the second meter after three telegrams, and publishes the counter of the fourth
		c.send(fmt.Sprintf("12.00%d", i))
	}
	c.awaitCounter("12.003")
	c.awaitReplaced(lastOfFirstMeter)
	got := publishedCounters(c.messages) // 40140.6… of the first meter, then 12.00… of the second
	secondMeter := slices.IndexFunc(got, func(counter string) bool { return strings.HasPrefix(counter, "12.") })
	if !slices.IsSorted(got[:secondMeter]) || !slices.IsSorted(got[secondMeter:]) {
		t.Errorf("published counters: got %v, want no decrease for each of the two meters", got)
	}
}

// garble inverts every bit.
func garble(b []byte) []byte {
	for i := range b {
		b[i] ^= 0xFF
	}
	return b
}

// A counterTest is a meter whose counter the test sets, and a bridge that reads the meter.
type counterTest struct {
	t         *testing.T
	program   string // path of the program
	state     string // path of the state folder
	broker    *testbed.Mosquitto
	cable     *testbed.Cable
	messages  *testbed.MessageLog
	run       *testbed.Process
	clock     time.Time // of the meter
	wattHours int       // the right counter is 40140 kWh plus wattHours
}

func newCounterTest(t *testing.T) *counterTest {
	broker := testbed.StartMosquitto(t)
	return &counterTest{
		t: t, program: testbed.Program(t), state: filepath.Join(t.TempDir(), "state"), broker: broker,
		cable: testbed.PlugCable(t, "p1-se-aidon"), messages: broker.LogMessages(), clock: testbed.Noon, wattHours: 600,
	}
}

func (c *counterTest) start() {
	c.t.Helper()
	c.run = testbed.Launch(c.t, []string{
		c.broker.URLVariable(), c.cable.PortVariable(), "HANBRIDGE_METER_ID=house", "HANBRIDGE_METER_SERIAL=115200 8N1",
		"HANBRIDGE_STATE_DIR=" + c.state, "HANBRIDGE_PUBLISH=realtime",
	}, c.program, "run")
	c.run.AwaitOutput("port opened")
	c.run.AwaitOutput("mqtt connected")
}

// send sends a telegram with this counter, in kWh. In each telegram the meter's clock is one second later.
func (c *counterTest) send(counter string) {
	c.t.Helper()
	c.clock = c.clock.Add(time.Second)
	c.cable.Write(counterTelegram(c.t, c.clock, counter))
}

// sendNext sends the next right counter, which is 1 Wh higher. It returns the counter when it is published.
func (c *counterTest) sendNext() string {
	c.t.Helper()
	c.wattHours++
	counter := fmt.Sprintf("40140.%03d", c.wattHours)
	c.send(counter)
	c.awaitCounter(counter)
	return counter
}

// counterTelegram returns a P1 telegram with this counter of imported energy. It contains no serial number, because the test is about
// a second meter that the bridge can recognise only by its counter.
func counterTelegram(t *testing.T, at time.Time, counter string) []byte {
	t.Helper()
	energy, err := obis.ParseDecimal([]byte(counter))
	if err != nil {
		t.Fatal(err)
	}
	return p1.Append(nil, fmt.Appendf(nil, "/ABC5metering\r\n\r\n0-0:1.0.0(%sW)\r\n1-0:1.8.0(%012s*kWh)\r\n1-0:2.8.0(00000000.077*kWh)\r\n"+
		"1-0:1.7.0(0000.500*kW)\r\n1-0:2.7.0(0000.000*kW)\r\n!", at.Format("060102150405"), energy.AppendFixed(nil, 3)))
}

// awaitCounter waits until this counter is published.
func (c *counterTest) awaitCounter(counter string) {
	c.t.Helper()
	c.messages.AwaitMessage("hanbridge/house/import_energy", counter)
}

// awaitRejected waits until the bridge publishes that it has rejected this counter.
func (c *counterTest) awaitRejected(counter string) {
	c.t.Helper()
	testbed.Until(c.t, "the reason why "+counter+" is rejected", func() bool {
		payloads := c.messages.Last()
		return strings.Contains(payloads["hanbridge/house/rejected_reason"], "import_energy "+counter) && payloads["hanbridge/house/rejected"] != "0"
	})
}

// publishedCounters returns all published values of the counter, in the order of their publication.
func publishedCounters(messages *testbed.MessageLog) (all []string) {
	for line := range strings.Lines(messages.Text()) {
		if value, ok := strings.CutPrefix(line, "hanbridge/house/import_energy "); ok {
			all = append(all, strings.TrimSpace(value))
		}
	}
	return all
}

// awaitReplaced waits for the event that the meter was replaced. The event must contain the last counter of the first meter.
func (c *counterTest) awaitReplaced(lastOfFirstMeter string) {
	c.t.Helper()
	var e struct{ Event, Quantity, From string }
	if err := json.Unmarshal([]byte(c.messages.AwaitMessage("hanbridge/house/event")), &e); err != nil {
		c.t.Fatal(err)
	}
	if e.Event != "counter_reset" || e.Quantity != "import_energy" || e.From != lastOfFirstMeter {
		c.t.Errorf("event: got %+v, want counter_reset of import_energy from %s", e, lastOfFirstMeter)
	}
}

// crash kills the bridge and starts it again.
func (c *counterTest) crash() {
	c.t.Helper()
	c.run.Kill()
	c.start()
}

// damageState kills the bridge, damages the named state files, and starts the bridge again. If damage is nil, the files are removed. If logged
// is not empty, the bridge must log this text.
func (c *counterTest) damageState(logged string, damage func([]byte) []byte, names ...string) {
	c.t.Helper()
	c.run.Kill()
	for _, name := range names {
		file := filepath.Join(c.state, name)
		text, err := os.ReadFile(file)
		if err != nil {
			c.t.Fatal(err)
		}
		if damage == nil {
			err = os.Remove(file)
		} else {
			err = os.WriteFile(file, damage(text), 0o600)
		}
		if err != nil {
			c.t.Fatal(err)
		}
	}
	c.start()
	if logged != "" {
		c.run.AwaitOutput(logged)
	}
}

// useUnwritableState starts the bridge again with a state folder that cannot be created, because its parent is not a folder. The bridge must
// log this once.
func (c *counterTest) useUnwritableState() {
	c.t.Helper()
	c.run.Stop(syscall.SIGTERM)
	c.state = "/dev/null/state"
	c.start()
	c.run.RequireOutputOnce("nothing is remembered over a restart")
}
