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
		"both start together":        (*bridgePair).testStartTogether,
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

// testSecondStartsLater starts the second bridge after the first. Each bridge must log the other bridge once. The command check, with the
// configuration of either bridge, must report the other bridge too.
func (p *bridgePair) testSecondStartsLater() {
	first := p.startBridge("first", firstSeed)
	p.sendTelegrams(1, first)
	second := p.startBridge("second", secondSeed)
	p.sendTelegrams(3, second, first)
	second.AwaitOutput(loggedBySecond)
	first.AwaitOutput(loggedByFirst)
	p.sendTelegrams(2, second, first)
	second.RequireOutputOnce(loggedBySecond)
	first.RequireOutputOnce(loggedByFirst)
	for b, text := range map[*bridge]string{first: loggedByFirst, second: loggedBySecond} {
		check := testbed.Hanbridge(p.t, append(slices.Clone(b.variables), "HANBRIDGE_METER_ID=house"), "check")
		for !check.Ended() { // check waits for a telegram of the meter
			p.sendTelegrams(1, second, first)
		}
		check.AwaitOutput("meters.id house: " + text)
	}
	second.Stop(syscall.SIGTERM)
	second.start()
	p.sendTelegrams(2, second, first)
	p.requireDigits(firstDigits)
}

// testStartTogether starts two bridges at the same time. Exactly one of them must publish counters.
func (p *bridgePair) testStartTogether() {
	a, b := p.startBridge("first", firstSeed), p.startBridge("second", secondSeed)
	p.sendTelegrams(4, a, b)
	testbed.Until(p.t, "exactly one bridge logs that it is the second", func() bool {
		return strings.Contains(a.Output(), loggedBySecond) != strings.Contains(b.Output(), loggedBySecond)
	})
	p.sendTelegrams(2, a, b)
	if n := len(p.counterDigits()); n != 1 {
		p.t.Errorf("counters of %d meters are published, want one: %v", n, p.counterDigits())
	}
}

// testFirstCrashes kills and restarts the first bridge while the second runs. Only the first bridge must publish counters.
func (p *bridgePair) testFirstCrashes() {
	first := p.startBridge("first", firstSeed)
	p.sendTelegrams(1, first)
	second := p.startBridge("second", secondSeed)
	p.sendTelegrams(2, second, first)
	second.AwaitOutput(loggedBySecond)
	for range 3 {
		first.Kill()
		p.sendTelegrams(2, second)
		first.start()
		p.sendTelegrams(1, second, first)
	}
	p.requireDigits(firstDigits)
	if strings.Contains(first.Output(), loggedBySecond) {
		p.t.Error("after a crash the first bridge logs that it is the second")
	}
}

// testFirstStopped stops the first bridge and starts the second. The second bridge must publish counters only after the command takeover.
func (p *bridgePair) testFirstStopped() {
	first := p.startBridge("first", firstSeed)
	p.sendTelegrams(1, first)
	first.Stop(syscall.SIGTERM)
	second := p.startBridge("second", secondSeed)
	p.sendTelegrams(2, second)
	second.AwaitOutput(takeoverHint)
	p.requireDigits(firstDigits)
	testbed.Until(p.t, "the command takeover in rejected_reason", func() bool {
		reason := p.messages.Last()["hanbridge/house/rejected_reason"]
		return strings.HasPrefix(reason, "counters: another bridge published this meter before") && strings.Contains(reason, takeoverHint)
	})
	second.Stop(syscall.SIGTERM)
	variables := append(slices.Clone(second.variables), "HANBRIDGE_METER_ID=house")
	testbed.Hanbridge(p.t, variables, "check").AwaitOutput("meters.id house: another bridge published this meter before")
	testbed.Hanbridge(p.t, variables, "takeover", "cellar").AwaitOutput("no meter of the configuration")
	testbed.Hanbridge(p.t, variables, "takeover", "house").RequireSuccess()
	second.start()
	p.sendTelegrams(2, second)
	testbed.Until(p.t, "counters of the second meter", func() bool { return p.counterDigits()[secondDigits] })
}

// testSingleBridge kills and stops a single bridge several times. The bridge must not log that there is another bridge.
func (p *bridgePair) testSingleBridge() {
	single := p.startBridge("single", firstSeed)
	for i := range 4 {
		p.sendTelegrams(2, single)
		p.messages.AwaitMessage("hanbridge/house/import_energy", single.imported())
		if i%2 == 0 {
			single.Kill()
		} else {
			single.Stop(syscall.SIGTERM)
		}
		if output := single.Output(); strings.Contains(output, "another bridge") || strings.Contains(output, "cannot") {
			p.t.Errorf("the log of a single bridge contains \"another bridge\" or an error:\n%s", output)
		}
		single.start()
	}
}

// testStateLost restarts a single bridge without its state and with another client id. Because the meter is the same, the bridge must publish
// its counters.
func (p *bridgePair) testStateLost() {
	single := p.startBridge("single", firstSeed)
	p.sendTelegrams(2, single)
	single.Kill()
	single.variables = append(single.variables, "HANBRIDGE_STATE_DIR="+p.t.TempDir(), "HANBRIDGE_MQTT_CLIENT_ID=second")
	single.start()
	p.sendTelegrams(2, single)
	p.messages.AwaitMessage("hanbridge/house/import_energy", single.imported())
}

// testOlderVersion tests a first bridge of an older version, whose info does not say which bridge has published it. The test publishes the messages
// of the first bridge. The counter in these messages begins with secondDigits.
func (p *bridgePair) testOlderVersion() {
	p.broker.Publish(testbed.Message{Topic: "hanbridge/status", Payload: "online", Retained: true})
	p.broker.Publish(testbed.Message{Topic: "hanbridge/house/info", Payload: `{"make":"Aidon"}`, Retained: true})
	p.broker.Publish(testbed.Message{Topic: "hanbridge/house/import_energy", Payload: "17425.823", Retained: true})
	second := p.startBridge("second", firstSeed)
	p.sendTelegrams(1, second)
	p.broker.Publish(testbed.Message{Topic: "hanbridge/house/telegram", Payload: `{"meter":"house","seq":7,"values":{"import_energy":17425.823}}`})
	second.AwaitOutput(loggedBySecond)
	p.sendTelegrams(2, second)
	p.requireDigits(secondDigits)
}

// testNothingRetained tests a broker that retains no messages. The second bridge must notice the first bridge when the first bridge publishes its
// next telegram, also after a restart of the second bridge.
func (p *bridgePair) testNothingRetained() {
	p.broker = testbed.StartMosquitto(p.t, "allow_anonymous true", "retain_available false")
	p.messages = p.broker.LogMessages()
	first := p.startBridge("first", firstSeed)
	p.sendTelegrams(2, first)
	second := p.startBridge("second", secondSeed)
	p.sendTelegrams(3, second, first)
	second.AwaitOutput(loggedBySecond)
	first.AwaitOutput(loggedByFirst)
	second.Stop(syscall.SIGTERM)
	second.start()
	p.sendTelegrams(3, second, first)
	p.requireDigits(firstDigits)
	testbed.Hanbridge(p.t, append(slices.Clone(second.variables), "HANBRIDGE_METER_ID=house"), "takeover", "house").RequireSuccess()
}
