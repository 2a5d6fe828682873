//go:build linux

package broker_test

import (
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// TestSecondBridge tests two bridges that publish different meters with the same meters.id. The second bridge must not publish counters, because
// a hub would count the step from one counter to the other as consumption. A single bridge must never report a second bridge.
func TestSecondBridge(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*bridgePair){
		"both start at once":         (*bridgePair).testBothAtOnce,
		"second starts later":        (*bridgePair).testSecondStartsLater,
		"first crashes":              (*bridgePair).testFirstCrashes,
		"first has stopped":          (*bridgePair).testFirstStopped,
		"single bridge":              (*bridgePair).testSingleBridge,
		"single bridge loses state":  (*bridgePair).testStateLost,
		"first is an older version":  (*bridgePair).testOlderVersion,
		"broker retains no messages": (*bridgePair).testNothingRetained,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &bridgePair{t: t, broker: testbed.StartMosquitto(t)}
			p.messages = p.broker.LogMessages()
			test(p)
		})
	}
}

// Texts in the log and in the output of check.
const (
	loggedBySecond = "another bridge publishes this meter already"
	loggedByFirst  = "another bridge publishes this meter too"
	takeoverHint   = "hanbridge takeover house" // the command after which the second bridge publishes counters
)

// testSecondStartsLater starts the second bridge after the first. Each bridge must log the other once, and the command check must report both.
func (p *bridgePair) testSecondStartsLater() {
	one := p.startBridge("one", firstSeed)
	p.sendTelegrams(1, one)
	two := p.startBridge("two", secondSeed)
	p.sendTelegrams(3, two, one)
	two.AwaitOutput(loggedBySecond)
	one.AwaitOutput(loggedByFirst)
	p.sendTelegrams(2, two, one)
	two.RequireOutputOnce(loggedBySecond)
	one.RequireOutputOnce(loggedByFirst)
	for b, text := range map[*bridge]string{one: loggedByFirst, two: loggedBySecond} {
		check := testbed.Hanbridge(p.t, append(slices.Clone(b.variables), "HANBRIDGE_METER_ID=house"), "check")
		for !check.Ended() { // check waits for a telegram of the meter
			p.sendTelegrams(1, two, one)
		}
		check.AwaitOutput("meters.id house: " + text)
	}
	two.Stop(syscall.SIGTERM)
	two.start()
	p.sendTelegrams(2, two, one)
	p.requireDigits(firstDigits)
}

// testBothAtOnce starts two bridges at the same time. Exactly one of them must publish counters.
func (p *bridgePair) testBothAtOnce() {
	one, two := p.startBridge("one", firstSeed), p.startBridge("two", secondSeed)
	p.sendTelegrams(4, one, two)
	testbed.Until(p.t, "exactly one bridge logs that it is the second", func() bool {
		return strings.Contains(one.Output(), loggedBySecond) != strings.Contains(two.Output(), loggedBySecond)
	})
	p.sendTelegrams(2, one, two)
	if n := len(p.counterDigits()); n != 1 {
		p.t.Errorf("counters of %d meters are published, want one: %v", n, p.counterDigits())
	}
}

// testFirstCrashes kills and restarts the first bridge while the second runs. The first bridge must still be the only one that publishes counters.
func (p *bridgePair) testFirstCrashes() {
	one := p.startBridge("one", firstSeed)
	p.sendTelegrams(1, one)
	two := p.startBridge("two", secondSeed)
	p.sendTelegrams(2, two, one)
	two.AwaitOutput(loggedBySecond)
	for range 3 {
		one.Kill()
		p.sendTelegrams(2, two)
		one.start()
		p.sendTelegrams(1, two, one)
	}
	p.requireDigits(firstDigits)
	if strings.Contains(one.Output(), loggedBySecond) {
		p.t.Error("after a crash the first bridge logs that it is the second")
	}
}

// testFirstStopped stops the first bridge and starts the second. The second bridge must publish counters only after the command takeover.
func (p *bridgePair) testFirstStopped() {
	one := p.startBridge("one", firstSeed)
	p.sendTelegrams(1, one)
	one.Stop(syscall.SIGTERM)
	two := p.startBridge("two", secondSeed)
	p.sendTelegrams(2, two)
	two.AwaitOutput(takeoverHint)
	p.requireDigits(firstDigits)
	testbed.Until(p.t, "the command takeover in rejected_reason", func() bool {
		return p.messages.Count("hanbridge/house/rejected_reason", "counters: another bridge published this meter before") > 0
	})
	two.Stop(syscall.SIGTERM)
	variables := append(slices.Clone(two.variables), "HANBRIDGE_METER_ID=house")
	testbed.Hanbridge(p.t, variables, "check").AwaitOutput("meters.id house: another bridge published this meter before")
	testbed.Hanbridge(p.t, variables, "takeover", "cellar").AwaitOutput("no meter of the configuration")
	testbed.Hanbridge(p.t, variables, "takeover", "house").RequireSuccess()
	two.start()
	p.sendTelegrams(2, two)
	testbed.Until(p.t, "counters of the second meter", func() bool { return p.counterDigits()[secondDigits] })
}

// testSingleBridge kills and stops a single bridge several times. It must not log another bridge.
func (p *bridgePair) testSingleBridge() {
	one := p.startBridge("one", firstSeed)
	for i := range 4 {
		p.sendTelegrams(2, one)
		p.messages.AwaitMessage("hanbridge/house/import_energy", one.imported())
		if i%2 == 0 {
			one.Kill()
		} else {
			one.Stop(syscall.SIGTERM)
		}
		if output := one.Output(); strings.Contains(output, "another bridge") || strings.Contains(output, "cannot") {
			p.t.Errorf("the log of a single bridge has another bridge or an error:\n%s", output)
		}
		one.start()
	}
}

// testStateLost restarts a single bridge without its state and with another client id. Because the meter is the same, the bridge must publish
// its counters.
func (p *bridgePair) testStateLost() {
	one := p.startBridge("one", firstSeed)
	p.sendTelegrams(2, one)
	one.Kill()
	one.variables = append(one.variables, "HANBRIDGE_STATE_DIR="+p.t.TempDir(), "HANBRIDGE_MQTT_CLIENT_ID=two")
	one.start()
	p.sendTelegrams(2, one)
	p.messages.AwaitMessage("hanbridge/house/import_energy", one.imported())
}

// testOlderVersion tests a first bridge of a version that does not publish its instance. The test publishes the messages of the first bridge,
// whose counter begins with secondDigits.
func (p *bridgePair) testOlderVersion() {
	p.broker.Publish(testbed.Message{Topic: "hanbridge/status", Payload: "online", Retained: true})
	p.broker.Publish(testbed.Message{Topic: "hanbridge/house/info", Payload: `{"make":"Aidon"}`, Retained: true})
	p.broker.Publish(testbed.Message{Topic: "hanbridge/house/import_energy", Payload: "17425.823", Retained: true})
	two := p.startBridge("two", firstSeed)
	p.sendTelegrams(1, two)
	p.broker.Publish(testbed.Message{Topic: "hanbridge/house/telegram", Payload: `{"meter":"house","seq":7,"values":{"import_energy":17425.823}}`})
	two.AwaitOutput(loggedBySecond)
	p.sendTelegrams(2, two)
	p.requireDigits(secondDigits)
}

// testNothingRetained tests a broker that retains no messages. The second bridge must notice the first bridge when the first publishes the next
// telegram, also after a restart of the second.
func (p *bridgePair) testNothingRetained() {
	p.broker = testbed.StartMosquitto(p.t, "allow_anonymous true", "retain_available false")
	p.messages = p.broker.LogMessages()
	one := p.startBridge("one", firstSeed)
	p.sendTelegrams(2, one)
	two := p.startBridge("two", secondSeed)
	p.sendTelegrams(3, two, one)
	two.AwaitOutput(loggedBySecond)
	one.AwaitOutput(loggedByFirst)
	two.Stop(syscall.SIGTERM)
	two.start()
	p.sendTelegrams(3, two, one)
	p.requireDigits(firstDigits)
	testbed.Hanbridge(p.t, append(slices.Clone(two.variables), "HANBRIDGE_METER_ID=house"), "takeover", "house").RequireSuccess()
}
