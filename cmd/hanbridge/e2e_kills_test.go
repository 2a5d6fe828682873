//go:build linux

package main_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/discovery/hatest"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// TestKills kills broker, bridge, or both in any order, again and again: each time everything comes back right.
func TestKills(t *testing.T) {
	needPeer(t, "mosquitto")
	needPeer(t, "mosquitto_sub")
	t.Parallel()
	hanbridge := buildProgram(t)
	kills := 50
	if testing.Short() {
		kills = 5
	}
	broker, cable := startedMosquitto(t), pluggedCable(t, "p1-se-aidon")
	variables := []string{broker.url(), cable.variable(), "HANBRIDGE_METER_SERIAL=115200 8N1",
		"HANBRIDGE_STATE_DIR=" + filepath.Join(t.TempDir(), "state"), "HANBRIDGE_PUBLISH=realtime"}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 0))
	run := startRun(t, hanbridge, variables...)
	ears := broker.listens()
	right := func() bool { return isRight(ears.heard(), cable) }
	cable.sends(300*time.Millisecond, 15*time.Second, "everything at the start", right)
	entities := announcedKeys(t, ears.heard())
	last := map[string]string{}
	for kill := range kills {
		which := chance.IntN(4)
		if which != 1 {
			broker.process.kill()
		}
		if which != 0 {
			run.kill()
		}
		mostly := time.Duration(chance.IntN(300)) * time.Millisecond
		restart := []func(){
			func() { broker.start() }, func() { run = startRun(t, hanbridge, variables...) },
			func() { broker.start(); wait(t, mostly); run = startRun(t, hanbridge, variables...) },
			func() { run = startRun(t, hanbridge, variables...); wait(t, mostly); broker.start() },
		}
		restart[which]()
		noteCounters(t, last, ears)
		ears = broker.listens()
		cable.sends(300*time.Millisecond, 15*time.Second, fmt.Sprintf("everything after kill %d (%d)", kill, which), right)
		if diff := cmp.Diff(entities, announcedKeys(t, ears.heard())); diff != "" {
			t.Fatalf("entities after kill %d (-before +after):\n%s", kill, diff)
		}
	}
	noteCounters(t, last, ears)
}

func wait(t *testing.T, long time.Duration) {
	t.Helper()
	over := time.NewTimer(long)
	defer over.Stop()
	<-over.C
}

// isRight tells if every retained topic is there and the values are those of the last telegram.
func isRight(heard map[string]string, c *cable) bool {
	state := c.meter.State()
	want := map[string]string{
		"hanbridge/status": "online", "hanbridge/house/status": "online",
		"hanbridge/house/import_energy": fixed(state.Energies.Import), "hanbridge/house/export_energy": fixed(state.Energies.Export),
	}
	for topic, payload := range want {
		if heard[topic] != payload {
			return false
		}
	}
	for _, name := range []string{"info", "telegrams", "telegram_errors", "rejected", "last_telegram", "import_power", "voltage_l1", "current_l3"} {
		if heard["hanbridge/house/"+name] == "" {
			return false
		}
	}
	return heard["homeassistant/device/hanbridge_house/config"] != "" && heard["homeassistant/device/hanbridge_bridge/config"] != ""
}

// fixed writes Ws as kWh, as meters cut them.
func fixed(wattSeconds int64) string {
	return string(obis.Decimal{Coef: wattSeconds / 3600, Exp: -3}.AppendFixed(nil, 3))
}

// announcedKeys are the entities of the meter; their announcement must be sound.
func announcedKeys(t *testing.T, heard map[string]string) map[string]bool {
	t.Helper()
	set := map[string][]byte{}
	for topic, payload := range heard {
		if strings.HasPrefix(topic, "homeassistant/") && strings.HasSuffix(topic, "/config") {
			set[topic] = []byte(payload)
		}
	}
	for _, err := range hatest.CheckSet(set) {
		t.Error(err)
	}
	keys := map[string]bool{}
	for topic, payload := range set {
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

// noteCounters wants that no counter ever steps back in what was heard.
func noteCounters(t *testing.T, last map[string]string, ears *listener) {
	t.Helper()
	for line := range strings.Lines(ears.said()) {
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
