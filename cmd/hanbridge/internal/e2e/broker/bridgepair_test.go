//go:build linux

package broker_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// Seeds of the two simulated meters, and the digits with which their counters of imported energy begin.
const (
	firstSeed, firstDigits   = 1, "40"
	secondSeed, secondDigits = 3, "17"
)

// A bridgePair is a broker at which the test runs two bridges, or one bridge several times. Each bridge has the meter id "house".
type bridgePair struct {
	t        *testing.T
	broker   *testbed.Mosquitto
	messages *testbed.MessageLog
}

// A bridge is a bridge of a pair, with the cable of its meter.
type bridge struct {
	*testbed.Process
	*testbed.Cable
	pair      *bridgePair
	variables []string // environment variables, which start gives to the bridge
}

// startBridge starts a bridge with a client id and an empty state folder. The seed chooses the simulated meter.
func (p *bridgePair) startBridge(clientID string, seed uint64) *bridge {
	cable := testbed.PlugCable(p.t, "p1-se-aidon")
	cable.Meter = testbed.NewMeter(p.t, "p1-se-aidon", seed)
	b := &bridge{Cable: cable, pair: p, variables: []string{
		p.broker.URLVariable(), cable.PortVariable(), "HANBRIDGE_METER_SERIAL=115200 8N1", "HANBRIDGE_MQTT_CLIENT_ID=" + clientID,
		"HANBRIDGE_STATE_DIR=" + p.t.TempDir(),
	}}
	b.start()
	return b
}

func (b *bridge) start() {
	b.Process = testbed.StartBridge(b.pair.t, b.variables...)
	b.AwaitOutput("port opened")
	b.AwaitOutput("mqtt connected")
}

// imported returns the meter's counter of imported energy, as it is published.
func (b *bridge) imported() string { counter, _ := b.Counters(); return counter }

// sendTelegrams sends as many telegrams to each bridge as count, one to each bridge in the given order. It waits until these telegrams are published,
// and then sends the next telegram to each bridge.
func (p *bridgePair) sendTelegrams(count int, bridges ...*bridge) {
	p.t.Helper()
	for range count {
		countBefore := p.telegramCount()
		for _, b := range bridges {
			b.Send()
		}
		testbed.Until(p.t, "a telegram of each bridge", func() bool { return p.telegramCount() >= countBefore+len(bridges) })
	}
}

// telegramCount returns the number of published telegrams.
func (p *bridgePair) telegramCount() int {
	return strings.Count(p.messages.Text(), "\nhanbridge/house/telegram {")
}

// counterDigits returns the set of the first two digits of all published counters of imported energy. A bridge publishes a counter in the topic of
// the counter and in the topic telegram.
func (p *bridgePair) counterDigits() map[string]bool {
	digits := map[string]bool{}
	for line := range strings.Lines(p.messages.Text()) {
		topic, payload, _ := strings.Cut(strings.TrimSpace(line), " ")
		_, inTelegram, found := strings.Cut(payload, `"import_energy":`)
		if topic == "hanbridge/house/import_energy" {
			digits[payload[:2]] = true
		} else if topic == "hanbridge/house/telegram" && found {
			digits[inTelegram[:2]] = true
		}
	}
	return digits
}

// requireDigits requires that only counters that begin with the given digits were published.
func (p *bridgePair) requireDigits(want string) {
	p.t.Helper()
	if got := slices.Sorted(maps.Keys(p.counterDigits())); !slices.Equal(got, []string{want}) {
		p.t.Errorf("counters begin with %v, want only %s", got, want)
	}
}
