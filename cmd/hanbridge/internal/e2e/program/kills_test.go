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

// TestKills kills broker, bridge, or both in any order, again and again: each time everything comes back right. It does so at
// several places at once.
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

func testKills(t *testing.T, kills int) {
	broker, cable := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon")
	variables := []string{broker.URLVariable(), cable.PortVariable(), "HANBRIDGE_METER_SERIAL=115200 8N1",
		"HANBRIDGE_STATE_DIR=" + filepath.Join(t.TempDir(), "state"), "HANBRIDGE_PUBLISH=realtime"}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 0))
	run := testbed.StartBridge(t, variables...)
	messages := broker.LogMessages()
	awaitRight(t, "everything at the start", messages, cable)
	entities := announcedKeys(t, messages.Last())
	last := map[string]string{}
	for kill := range kills {
		which := chance.IntN(4)
		if which != 1 {
			broker.Process.Kill()
		}
		if which != 0 {
			run.Kill()
		}
		mostly := time.Duration(chance.IntN(300)) * time.Millisecond
		restart := []func(){
			func() { broker.Start() }, func() { run = testbed.StartBridge(t, variables...) },
			func() { broker.Start(); <-time.After(mostly); run = testbed.StartBridge(t, variables...) },
			func() { run = testbed.StartBridge(t, variables...); <-time.After(mostly); broker.Start() },
		}
		restart[which]()
		noteCounters(t, last, messages)
		messages = broker.LogMessages()
		awaitRight(t, fmt.Sprintf("everything after kill %d (%d)", kill, which), messages, cable)
		if diff := cmp.Diff(entities, announcedKeys(t, messages.Last())); diff != "" {
			t.Fatalf("entities after kill %d (-before +after):\n%s", kill, diff)
		}
	}
	noteCounters(t, last, messages)
}

// awaitRight sends telegrams until all values of the last one are at the broker. It waits longer each time, so that a slow machine gets
// there too.
func awaitRight(t *testing.T, what string, messages *testbed.MessageLog, cable *testbed.Cable) {
	t.Helper()
	due, pause := time.Now(), 300*time.Millisecond
	testbed.Until(t, what, func() bool {
		if !time.Now().Before(due) {
			cable.Send()
			due, pause = time.Now().Add(pause), pause*3/2
		}
		return isRight(messages.Last(), cable)
	})
}

// isRight reports whether every retained topic exists and the values are those of the last telegram.
func isRight(payloads map[string]string, c *testbed.Cable) bool {
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

// announcedKeys returns the entities of the meter. Their announcement must be valid.
func announcedKeys(t *testing.T, payloads map[string]string) map[string]bool {
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

// noteCounters requires that no published counter decreases.
func noteCounters(t *testing.T, last map[string]string, messages *testbed.MessageLog) {
	t.Helper()
	for line := range strings.Lines(messages.Text()) {
		topic, payload, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.HasPrefix(topic, "hanbridge/house/") || !strings.HasSuffix(topic, "_energy") {
			continue
		}
		now, err := obis.ParseDecimal([]byte(payload))
		before, _ := obis.ParseDecimal([]byte(last[topic]))
		if err != nil || last[topic] != "" && now.Cmp(before) < 0 {
			t.Fatalf("%s: %q after %q (%v)", topic, payload, last[topic], err)
		}
		last[topic] = payload
	}
}
