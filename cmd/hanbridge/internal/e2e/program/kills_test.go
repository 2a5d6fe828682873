//go:build linux

package program_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// TestKills kills and restarts the broker, the bridge or both many times. After each restart all messages must be published again and the
// announced entities must be the same. Counters must never decrease. Four subtests run at the same time, so that the machine is under load.
func TestKills(t *testing.T) {
	t.Parallel()
	kills := 12
	if testing.Short() {
		kills = 2
	}
	for i := range 4 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			testKills(t, kills)
		})
	}
}

// What testKills kills, and which of two programs it starts first.
const (
	killBroker = iota
	killBridge
	killBothBrokerFirst
	killBothBridgeFirst
	killKinds // the number of constants above
)

// testKills kills programs that are chosen at random, and starts them again.
func testKills(t *testing.T, kills int) {
	broker, cable := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon")
	variables := []string{broker.URLVariable(), cable.PortVariable(), "HANBRIDGE_METER_SERIAL=115200 8N1",
		"HANBRIDGE_STATE_DIR=" + filepath.Join(t.TempDir(), "state"), "HANBRIDGE_PUBLISH=realtime"}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	run := testbed.StartBridge(t, variables...)
	messages := broker.LogMessages()
	awaitComplete(t, "everything at the start", messages, cable)
	entities := announcedEntities(t, messages.Last())
	lastCounters := map[string]string{} // by topic
	for kill := range kills {
		kind := random.IntN(killKinds)
		if kind != killBridge {
			broker.Process.Kill()
		}
		if kind != killBroker {
			run.Kill()
		}
		pause := time.Duration(random.IntN(300)) * time.Millisecond
		restart := []func(){
			killBroker:          func() { broker.Start() },
			killBridge:          func() { run = testbed.StartBridge(t, variables...) },
			killBothBrokerFirst: func() { broker.Start(); <-time.After(pause); run = testbed.StartBridge(t, variables...) },
			killBothBridgeFirst: func() { run = testbed.StartBridge(t, variables...); <-time.After(pause); broker.Start() },
		}
		restart[kind]()
		checkCounters(t, lastCounters, messages)
		messages = broker.LogMessages()
		awaitComplete(t, fmt.Sprintf("everything after kill %d (of kind %d)", kill, kind), messages, cable)
		if diff := cmp.Diff(entities, announcedEntities(t, messages.Last())); diff != "" {
			t.Fatalf("entities after kill %d (-before +after):\n%s", kill, diff)
		}
	}
	checkCounters(t, lastCounters, messages)
}

// awaitComplete sends telegrams until isComplete holds. The time between two telegrams grows, so that a slow machine can publish one telegram
// before the next is sent.
func awaitComplete(t *testing.T, what string, messages *testbed.MessageLog, cable *testbed.Cable) {
	t.Helper()
	due, pause := time.Now(), 300*time.Millisecond
	testbed.Until(t, what, func() bool {
		if !time.Now().Before(due) {
			cable.Send()
			due, pause = time.Now().Add(pause), pause*3/2
		}
		return isComplete(messages.Last(), cable)
	})
}

// isComplete reports whether everything is published, and the counters are those of the last telegram.
func isComplete(payloads map[string]string, c *testbed.Cable) bool {
	imported, exported := c.Counters()
	want := map[string]string{
		"hanbridge/status": "online", "hanbridge/house/status": "online",
		"hanbridge/house/import_energy": imported, "hanbridge/house/export_energy": exported,
	}
	for topic, payload := range want {
		if payloads[topic] != payload {
			return false
		}
	}
	for _, name := range []string{"info", "telegrams", "telegram_errors", "rejected", "last_telegram", "import_power", "voltage_l1", "current_l3"} {
		if payloads["hanbridge/house/"+name] == "" {
			return false
		}
	}
	return payloads["homeassistant/device/hanbridge_house/config"] != "" && payloads["homeassistant/device/hanbridge_bridge/config"] != ""
}

// announcedEntities returns the set of announced entities, each as "topic key". It fails the test if an announcement is not valid.
func announcedEntities(t *testing.T, payloads map[string]string) map[string]bool {
	t.Helper()
	keys := map[string]bool{}
	for topic, payload := range testbed.Announcements(t, payloads) {
		var p struct{ Components map[string]json.RawMessage }
		if err := json.Unmarshal(payload, &p); err != nil {
			t.Fatal(err)
		}
		for key := range p.Components {
			keys[topic+" "+key] = true
		}
	}
	return keys
}

// checkCounters requires that no published counter decreases. last has the last counter of each topic, and checkCounters updates it.
func checkCounters(t *testing.T, last map[string]string, messages *testbed.MessageLog) {
	t.Helper()
	for line := range strings.Lines(messages.Text()) {
		topic, payload, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.HasPrefix(topic, "hanbridge/house/") || !strings.HasSuffix(topic, "_energy") {
			continue
		}
		now, err := obis.ParseDecimal([]byte(payload))
		previous, _ := obis.ParseDecimal([]byte(last[topic]))
		if err != nil || last[topic] != "" && now.Cmp(previous) < 0 {
			t.Fatalf("%s: %q after %q (%v), want no decrease", topic, payload, last[topic], err)
		}
		last[topic] = payload
	}
}
