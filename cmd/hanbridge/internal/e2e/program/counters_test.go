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

// TestCounters tests counters with glitches, also across crashes and with damaged state files.
func TestCounters(t *testing.T) {
	t.Parallel()
	for name, restart := range map[string]func(*counterTest){
		"in one run":   func(*counterTest) {},
		"with crashes": (*counterTest).crash,
		"state file cut": func(c *counterTest) {
			c.damageState("the previous file is used", func(b []byte) []byte { return b[:len(b)/3] }, "hanbridge.json")
		},
		"state file garbled": func(c *counterTest) { c.damageState("the previous file is used", garble, "hanbridge.json") },
		"state file removed": func(c *counterTest) { c.damageState("the previous file is used", nil, "hanbridge.json") },
		"both files emptied": func(c *counterTest) {
			c.damageState("a new one is begun", func([]byte) []byte { return nil }, "hanbridge.json", "hanbridge.json.previous")
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

// testCounters tests a counter that is zero in one telegram, decreases in another, and jumps by 15 MWh in a third. The bridge must publish
// none of these. Then another meter replaces the meter, which the bridge must report. restart is called before each of these events.
func testCounters(t *testing.T, restart func(*counterTest)) {
	c := newCounterTest(t)
	c.start()
	c.sendNext()
	for _, glitch := range []string{"0.000", "40139.100", "55140.700"} {
		restart(c)
		c.sendNext() // the first counter that a bridge without state knows
		c.send(glitch)
		c.sendNext()
		c.awaitRejected(glitch)
	}
	restart(c)
	last := c.sendNext()
	for i := range 4 {
		c.send(fmt.Sprintf("12.00%d", i))
	}
	c.awaitCounter("12.003")
	c.awaitReplaced(last)
	got := publishedCounters(c.messages) // 40140.6… of the first meter, then 12.00… of the second; each must rise
	reset := slices.IndexFunc(got, func(s string) bool { return strings.HasPrefix(s, "12.") })
	if !slices.IsSorted(got[:reset]) || !slices.IsSorted(got[reset:]) {
		t.Errorf("published: %v, want the counters of each meter never to decrease", got)
	}
}

// garble changes every byte.
func garble(b []byte) []byte {
	for i := range b {
		b[i] ^= byte(i*7 + 1)
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
	wattHours int       // of the true counter, above 40140 kWh
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

// send sends a telegram with this counter, in kWh. The meter's clock is one second later each time.
func (c *counterTest) send(counter string) {
	c.t.Helper()
	c.clock = c.clock.Add(time.Second)
	c.cable.Write(counterTelegram(c.t, c.clock, counter))
}

// sendNext sends the next correct counter, which is 1 Wh more, and waits until it is published.
func (c *counterTest) sendNext() string {
	c.t.Helper()
	c.wattHours++
	counter := fmt.Sprintf("40140.%03d", c.wattHours)
	c.send(counter)
	c.awaitCounter(counter)
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

// awaitCounter waits until this counter is published.
func (c *counterTest) awaitCounter(counter string) {
	c.t.Helper()
	c.messages.AwaitMessage("hanbridge/house/import_energy", counter)
}

// awaitRejected waits until the bridge publishes why it holds this counter back, and that it has rejected a value.
func (c *counterTest) awaitRejected(glitch string) {
	c.t.Helper()
	testbed.Until(c.t, "the reason why "+glitch+" is held back", func() bool {
		payloads := c.messages.Last()
		return strings.Contains(payloads["hanbridge/house/rejected_reason"], "import_energy "+glitch) && payloads["hanbridge/house/rejected"] != "0"
	})
}

// publishedCounters returns all published values of the counter, in order.
func publishedCounters(messages *testbed.MessageLog) (all []string) {
	for line := range strings.Lines(messages.Text()) {
		if value, ok := strings.CutPrefix(line, "hanbridge/house/import_energy "); ok {
			all = append(all, strings.TrimSpace(value))
		}
	}
	return all
}

// awaitReplaced waits for the event that the meter was replaced, and requires the last counter of the first meter in it.
func (c *counterTest) awaitReplaced(last string) {
	c.t.Helper()
	var e struct{ Event, Quantity, From, To string }
	if err := json.Unmarshal([]byte(c.messages.AwaitMessage("hanbridge/house/event")), &e); err != nil {
		c.t.Fatal(err)
	}
	if e.Event != "counter_reset" || e.Quantity != "import_energy" || e.From != last {
		c.t.Errorf("event: got %+v, want counter_reset of import_energy from %s", e, last)
	}
}

// crash kills the bridge and starts it again.
func (c *counterTest) crash() {
	c.t.Helper()
	c.run.Kill()
	c.start()
}

// damageState kills the bridge, damages state files, or removes them if damage is nil, and starts the bridge again. logged is the message
// about it.
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

// useUnwritableState starts the bridge again with a state folder that cannot be made, because its parent is no folder. The bridge must log it
// once.
func (c *counterTest) useUnwritableState() {
	c.t.Helper()
	c.run.Stop(syscall.SIGTERM)
	c.state = "/dev/null/state"
	c.start()
	c.run.RequireOutputOnce("nothing is remembered over a restart")
}
