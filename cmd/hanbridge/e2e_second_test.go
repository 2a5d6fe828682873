//go:build linux

package main_test

import (
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// TestSecondBridge runs bridges of two meters with one meters.id at a Mosquitto: the counters of the first alone are published, whatever
// starts and stops.
func TestSecondBridge(t *testing.T) {
	t.Parallel()
	needPeer(t, "mosquitto")
	needPeer(t, "mosquitto_sub")
	hanbridge := buildProgram(t)
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
			p := &pair{t: t, hanbridge: hanbridge, broker: startedMosquitto(t)}
			p.ears = p.broker.listens()
			test(p)
		})
	}
}

const (
	comesSecond = "another bridge publishes this meter already"
	isFirst     = "another bridge publishes this meter too"
	staysStale  = "hanbridge takeover house"
)

// A pair is two bridges, or the runs of one.
type pair struct {
	t         *testing.T
	hanbridge string
	broker    *mosquitto
	ears      *listener
}

// A side is one bridge with its meter and its state.
type side struct {
	*process
	*cable
	pair      *pair
	variables []string
}

// side starts a bridge under a name, whose meter is of the seed.
func (p *pair) side(name string, seed uint64, more ...string) *side {
	c := pluggedCable(p.t, "p1-se-aidon")
	f, _ := simulate.Named("p1-se-aidon")
	c.meter = simulate.NewMeter(f, seed, noon)
	s := &side{cable: c, pair: p, variables: slices.Concat([]string{
		p.broker.url(), c.variable(), "HANBRIDGE_METER_SERIAL=115200 8N1", "HANBRIDGE_MQTT_CLIENT_ID=" + name,
		"HANBRIDGE_STATE_DIR=" + p.t.TempDir(),
	}, more)}
	s.start()
	return s
}

func (s *side) start() {
	s.process = startRun(s.pair.t, s.pair.hanbridge, s.variables...)
	s.awaits(10*time.Second, "port opened")
	s.awaits(10*time.Second, "mqtt connected")
}

// speaks sends telegrams until each has been published with as many.
func (p *pair) speak(times int, sides ...*side) {
	p.t.Helper()
	for range times {
		before := p.telegrams()
		for _, s := range sides {
			s.send()
		}
		until(p.t, 15*time.Second, "a telegram of each", func() bool { return p.telegrams() >= before+len(sides) })
	}
}

func (p *pair) telegrams() int { return strings.Count(p.ears.said(), "\nhanbridge/house/telegram {") }

// counters are those that were published by topic or in a telegram, by their first two digits.
func (p *pair) counters() map[string]bool {
	all := map[string]bool{}
	for line := range strings.Lines(p.ears.said()) {
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

// only wants counters of one meter.
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
	two.awaits(5*time.Second, comesSecond)
	one.awaits(5*time.Second, isFirst)
	p.speak(2, two, one)
	two.saidOnce(comesSecond)
	one.saidOnce(isFirst)
	for s, said := range map[*side]string{one: isFirst, two: comesSecond} {
		check := launch(p.t, append(slices.Clone(s.variables), "HANBRIDGE_METER_ID=house"), p.hanbridge, "check")
		check.awaits(15*time.Second, "meters.id house: "+said)
	}
	two.ends(syscall.SIGTERM, 4*time.Second)
	two.start()
	p.speak(2, two, one)
	p.only("40")
}

func (p *pair) atOnce() {
	one, two := p.side("one", 1), p.side("two", 3)
	p.speak(4, one, two)
	until(p.t, 10*time.Second, "one is the first, the other says that it is not", func() bool {
		return strings.Contains(one.said(), comesSecond) != strings.Contains(two.said(), comesSecond)
	})
	p.speak(2, one, two)
	if n := len(p.counters()); n != 1 {
		p.t.Errorf("counters of %d meters, want those of one: %v", n, p.counters())
	}
}

// crashes has the first killed and started again while the second runs.
func (p *pair) crashes() {
	one := p.side("one", 1)
	p.speak(1, one)
	two := p.side("two", 3)
	p.speak(2, two, one)
	two.awaits(5*time.Second, comesSecond)
	for range 3 {
		one.kill()
		p.speak(2, two)
		one.start()
		p.speak(1, two, one)
	}
	p.only("40")
	if strings.Contains(one.said(), comesSecond) {
		p.t.Error("the first takes itself for the second after a crash")
	}
}

// gone has the second alone, until a person says that it is the one.
func (p *pair) gone() {
	one := p.side("one", 1)
	p.speak(1, one)
	one.ends(syscall.SIGTERM, 4*time.Second)
	two := p.side("two", 3)
	p.speak(2, two)
	two.awaits(10*time.Second, staysStale)
	p.only("40")
	if reason := p.ears.hears(5*time.Second, "hanbridge/house/rejected_reason"); !strings.Contains(reason, "takeover") {
		p.ears.hears(5*time.Second, "hanbridge/house/status", "online")
	}
	two.ends(syscall.SIGTERM, 4*time.Second)
	named := append(slices.Clone(two.variables), "HANBRIDGE_METER_ID=house")
	launch(p.t, named, p.hanbridge, "check").awaits(15*time.Second, "meters.id house: another bridge published this meter before")
	launch(p.t, named, p.hanbridge, "takeover", "cellar").awaits(5*time.Second, "no meter of the configuration")
	launch(p.t, named, p.hanbridge, "takeover", "house").endsWell(10 * time.Second)
	two.start()
	p.speak(2, two)
	until(p.t, 10*time.Second, "its counters", func() bool { return p.counters()["17"] })
}

// alone has one bridge crash and stop.
func (p *pair) alone() {
	one := p.side("one", 1)
	for i := range 4 {
		p.speak(2, one)
		p.ears.hears(5*time.Second, "hanbridge/house/import_energy", fixed(one.meter.State().Energies.Import))
		if i%2 == 0 {
			one.kill()
		} else {
			one.ends(syscall.SIGTERM, 4*time.Second)
		}
		if said := one.said(); strings.Contains(said, "another bridge") || strings.Contains(said, "cannot") {
			p.t.Errorf("it accuses itself:\n%s", said)
		}
		one.start()
	}
}

// lost has the same meter behind a bridge whose state is gone, and whose name is another.
func (p *pair) lost() {
	one := p.side("one", 1)
	p.speak(2, one)
	one.kill()
	one.variables = append(one.variables, "HANBRIDGE_STATE_DIR="+p.t.TempDir(), "HANBRIDGE_MQTT_CLIENT_ID=two")
	one.start()
	p.speak(2, one)
	p.ears.hears(10*time.Second, "hanbridge/house/import_energy", fixed(one.meter.State().Energies.Import))
}

// older has a bridge of a version without marks, which the test plays.
func (p *pair) older() {
	p.broker.say("hanbridge/status", "online", "-r")
	p.broker.say("hanbridge/house/info", `{"make":"Aidon"}`, "-r")
	p.broker.say("hanbridge/house/import_energy", "17425.823", "-r")
	one := p.side("one", 1)
	p.speak(1, one)
	p.broker.say("hanbridge/house/telegram", `{"meter":"house","seq":7,"values":{"import_energy":17425.823}}`)
	one.awaits(5*time.Second, comesSecond)
	p.speak(2, one)
	p.only("17")
}

// unretained has a broker that keeps nothing: the second learns from the first alone that it is not the first, also after a restart.
func (p *pair) unretained() {
	p.broker = startedMosquitto(p.t, "allow_anonymous true", "retain_available false")
	p.ears = p.broker.listensUnretained()
	one := p.side("one", 1)
	p.speak(2, one)
	two := p.side("two", 3)
	p.speak(3, two, one)
	two.awaits(5*time.Second, comesSecond)
	one.awaits(5*time.Second, isFirst)
	two.ends(syscall.SIGTERM, 4*time.Second)
	two.start()
	p.speak(3, two, one)
	p.only("40")
	launch(p.t, append(slices.Clone(two.variables), "HANBRIDGE_METER_ID=house"), p.hanbridge, "takeover", "house").endsWell(10 * time.Second)
}
