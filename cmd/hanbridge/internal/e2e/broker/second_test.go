//go:build linux

package broker_test

import (
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// TestSecondBridge tests two bridges that publish different meters with one meters.id. Only the counters of the first may be published,
// whichever bridge starts or stops.
func TestSecondBridge(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*pair){
		"both at once":      (*pair).atOnce,
		"one after another": (*pair).later,
		"the first crashes": (*pair).crashes,
		"the first is gone": (*pair).gone,
		"alone":             (*pair).alone,
		"without its state": (*pair).lost,
		"older version":     (*pair).older,
		"nothing retained":  (*pair).unretained,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &pair{t: t, broker: testbed.StartMosquitto(t)}
			p.messages = p.broker.LogMessages()
			test(p)
		})
	}
}

const (
	comesSecond = "another bridge publishes this meter already"
	isFirst     = "another bridge publishes this meter too"
	staysStale  = "hanbridge takeover house"
)

// A pair holds two bridges, or the runs of one, at a common broker.
type pair struct {
	t        *testing.T
	broker   *testbed.Mosquitto
	messages *testbed.MessageLog
}

// A side is one bridge of a pair, with its meter and its state.
type side struct {
	*testbed.Process
	*testbed.Cable
	pair      *pair
	variables []string
}

// side starts a bridge with a client id, whose simulated meter has the seed.
func (p *pair) side(name string, seed uint64, more ...string) *side {
	c := testbed.PlugCable(p.t, "p1-se-aidon")
	c.Meter = testbed.NewMeter(p.t, "p1-se-aidon", seed)
	s := &side{Cable: c, pair: p, variables: slices.Concat([]string{
		p.broker.URLVariable(), c.PortVariable(), "HANBRIDGE_METER_SERIAL=115200 8N1", "HANBRIDGE_MQTT_CLIENT_ID=" + name,
		"HANBRIDGE_STATE_DIR=" + p.t.TempDir(),
	}, more)}
	s.start()
	return s
}

func (s *side) start() {
	s.Process = testbed.StartBridge(s.pair.t, s.variables...)
	s.AwaitOutput("port opened")
	s.AwaitOutput("mqtt connected")
}

// imported returns the meter's counter of imported energy.
func (s *side) imported() string { counter, _ := s.Counters(); return counter }

// speak sends telegrams until each side has published as many as times.
func (p *pair) speak(times int, sides ...*side) {
	p.t.Helper()
	for range times {
		before := p.telegrams()
		for _, s := range sides {
			s.Send()
		}
		testbed.Until(p.t, "a telegram of each", func() bool { return p.telegrams() >= before+len(sides) })
	}
}

func (p *pair) telegrams() int {
	return strings.Count(p.messages.Text(), "\nhanbridge/house/telegram {")
}

// counters returns the first two digits of all counters that were published, in topics of their own or in telegrams.
func (p *pair) counters() map[string]bool {
	all := map[string]bool{}
	for line := range strings.Lines(p.messages.Text()) {
		topic, payload, _ := strings.Cut(strings.TrimSpace(line), " ")
		_, in, found := strings.Cut(payload, `"import_energy":`)
		if topic == "hanbridge/house/import_energy" {
			all[payload[:2]] = true
		} else if topic == "hanbridge/house/telegram" && found {
			all[in[:2]] = true
		}
	}
	return all
}

// only requires that only counters of one meter were published.
func (p *pair) only(want string) {
	p.t.Helper()
	if got := slices.Sorted(maps.Keys(p.counters())); !slices.Equal(got, []string{want}) {
		p.t.Errorf("counters begin with %v, want %s alone", got, want)
	}
}

// Counters of seed 1 begin with 40, of seed 3 with 17.

func (p *pair) later() {
	one := p.side("one", 1)
	p.speak(1, one)
	two := p.side("two", 3)
	p.speak(3, two, one)
	two.AwaitOutput(comesSecond)
	one.AwaitOutput(isFirst)
	p.speak(2, two, one)
	two.RequireOutputOnce(comesSecond)
	one.RequireOutputOnce(isFirst)
	for s, text := range map[*side]string{one: isFirst, two: comesSecond} {
		check := testbed.Hanbridge(p.t, append(slices.Clone(s.variables), "HANBRIDGE_METER_ID=house"), "check")
		for !check.Ended() { // a meter that is silent is another matter, and check may take longer than that takes
			p.speak(1, two, one)
		}
		check.AwaitOutput("meters.id house: " + text)
	}
	two.Stop(syscall.SIGTERM)
	two.start()
	p.speak(2, two, one)
	p.only("40")
}

func (p *pair) atOnce() {
	one, two := p.side("one", 1), p.side("two", 3)
	p.speak(4, one, two)
	testbed.Until(p.t, "one is the first, the other says that it is not", func() bool {
		return strings.Contains(one.Output(), comesSecond) != strings.Contains(two.Output(), comesSecond)
	})
	p.speak(2, one, two)
	if n := len(p.counters()); n != 1 {
		p.t.Errorf("counters of %d meters, want those of one: %v", n, p.counters())
	}
}

// crashes kills the first bridge and starts it again while the second runs.
func (p *pair) crashes() {
	one := p.side("one", 1)
	p.speak(1, one)
	two := p.side("two", 3)
	p.speak(2, two, one)
	two.AwaitOutput(comesSecond)
	for range 3 {
		one.Kill()
		p.speak(2, two)
		one.start()
		p.speak(1, two, one)
	}
	p.only("40")
	if strings.Contains(one.Output(), comesSecond) {
		p.t.Error("the first takes itself for the second after a crash")
	}
}

// gone stops the first bridge. The second publishes counters only after the command takeover.
func (p *pair) gone() {
	one := p.side("one", 1)
	p.speak(1, one)
	one.Stop(syscall.SIGTERM)
	two := p.side("two", 3)
	p.speak(2, two)
	two.AwaitOutput(staysStale)
	p.only("40")
	if reason := p.messages.AwaitMessage("hanbridge/house/rejected_reason"); !strings.Contains(reason, "takeover") {
		p.messages.AwaitMessage("hanbridge/house/status", "online")
	}
	two.Stop(syscall.SIGTERM)
	named := append(slices.Clone(two.variables), "HANBRIDGE_METER_ID=house")
	testbed.Hanbridge(p.t, named, "check").AwaitOutput("meters.id house: another bridge published this meter before")
	testbed.Hanbridge(p.t, named, "takeover", "cellar").AwaitOutput("no meter of the configuration")
	testbed.Hanbridge(p.t, named, "takeover", "house").RequireSuccess()
	two.start()
	p.speak(2, two)
	testbed.Until(p.t, "its counters", func() bool { return p.counters()["17"] })
}

// alone tests crash and stop of a single bridge.
func (p *pair) alone() {
	one := p.side("one", 1)
	for i := range 4 {
		p.speak(2, one)
		p.messages.AwaitMessage("hanbridge/house/import_energy", one.imported())
		if i%2 == 0 {
			one.Kill()
		} else {
			one.Stop(syscall.SIGTERM)
		}
		if output := one.Output(); strings.Contains(output, "another bridge") || strings.Contains(output, "cannot") {
			p.t.Errorf("it accuses itself:\n%s", output)
		}
		one.start()
	}
}

// lost tests the same meter with a new bridge that has no state and another client id.
func (p *pair) lost() {
	one := p.side("one", 1)
	p.speak(2, one)
	one.Kill()
	one.variables = append(one.variables, "HANBRIDGE_STATE_DIR="+p.t.TempDir(), "HANBRIDGE_MQTT_CLIENT_ID=two")
	one.start()
	p.speak(2, one)
	p.messages.AwaitMessage("hanbridge/house/import_energy", one.imported())
}

// older tests a first bridge of a version without marks. The test publishes its messages.
func (p *pair) older() {
	p.broker.Publish(testbed.Message{Topic: "hanbridge/status", Payload: "online", Retained: true})
	p.broker.Publish(testbed.Message{Topic: "hanbridge/house/info", Payload: `{"make":"Aidon"}`, Retained: true})
	p.broker.Publish(testbed.Message{Topic: "hanbridge/house/import_energy", Payload: "17425.823", Retained: true})
	one := p.side("one", 1)
	p.speak(1, one)
	p.broker.Publish(testbed.Message{Topic: "hanbridge/house/telegram", Payload: `{"meter":"house","seq":7,"values":{"import_energy":17425.823}}`})
	one.AwaitOutput(comesSecond)
	p.speak(2, one)
	p.only("17")
}

// unretained tests a broker that retains nothing. The second bridge learns of the first only from its messages, also after a restart.
func (p *pair) unretained() {
	p.broker = testbed.StartMosquitto(p.t, "allow_anonymous true", "retain_available false")
	p.messages = p.broker.LogMessages()
	one := p.side("one", 1)
	p.speak(2, one)
	two := p.side("two", 3)
	p.speak(3, two, one)
	two.AwaitOutput(comesSecond)
	one.AwaitOutput(isFirst)
	two.Stop(syscall.SIGTERM)
	two.start()
	p.speak(3, two, one)
	p.only("40")
	testbed.Hanbridge(p.t, append(slices.Clone(two.variables), "HANBRIDGE_METER_ID=house"), "takeover", "house").RequireSuccess()
}
