package mqtt_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
	"github.com/hanbridge/hanbridge/pkg/quantity"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// A logRecorder records the log of an output.
type logRecorder struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *logRecorder) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(line)
}

func (r *logRecorder) count(text string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Count(r.text.String(), text)
}

// Parts of the log messages about other bridges.
const (
	firstLog      = "another bridge publishes this meter too"
	secondLog     = "another bridge publishes this meter already"
	silentLog     = "is not heard now; nothing shows that its meter is the same"
	waitingLog    = "counters are not published until it is clear"
	takenOverLog  = "another bridge published this meter before"
	unreadableLog = "cannot read the topics of these meters"
)

// A rivalBridge is one of several bridges with the meter "house" at one broker.
type rivalBridge struct {
	*testBridge
	*logRecorder
	meter *simulate.Meter
}

// A rivalConfig holds the settings in which the bridges differ.
type rivalConfig struct {
	name       string        // the client id
	family     string        // the family of the simulated meter; "" for aidon-se
	seed       uint64        // the seed of the simulated meter; another seed means another meter
	dir        string        // the state folder; "" for none
	minSilence time.Duration // 0 for the default
}

// counterOfSeed1 is how the import counter of the meter with seed 1 begins in every test.
const counterOfSeed1 = "40140."

// startRival starts a bridge. A failed test prints its log.
func startRival(t *testing.T, b *broker, c rivalConfig) *rivalBridge {
	t.Helper()
	mqttConfig := config(b.addr)
	mqttConfig.ClientID = c.name
	log := new(logRecorder)
	o := mqtt.New(mqttConfig, zerolog.New(log))
	if c.minSilence != 0 {
		o.SetMinSilence(c.minSilence)
	}
	if c.family == "" {
		c.family = "aidon-se"
	}
	f, _ := simulate.Named(c.family)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of %s:\n%s", c.name, log.text.String())
		}
	})
	return &rivalBridge{testBridge: runOutput(t, o, "house", c.dir), logRecorder: log, meter: simulate.NewMeter(f, c.seed, time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC))}
}

// sendTelegram sends a telegram, waits until the bridge has published its power, and returns its values.
func (w *rivalBridge) sendTelegram(b *broker) map[string]string {
	w.t.Helper()
	telegram := nextTelegram(w.meter)
	values := decoded(w.t, telegram)
	from := len(b.messages())
	w.send(telegram)
	b.await(w.t, "the telegram and its power", func(all []message) bool {
		return index(all[from:], "hanbridge/house/telegram", "") >= 0 && index(all[from:], "hanbridge/house/import_power", values["import_power"]) >= 0
	})
	return values
}

// awaitLog waits until a log line contains one of the texts.
func (w *rivalBridge) awaitLog(texts ...string) {
	w.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	logged := func(text string) bool { return w.count(text) > 0 }
	for deadline := time.Now().Add(2 * time.Minute); !slices.ContainsFunc(texts, logged); <-tick.C {
		if time.Now().After(deadline) {
			w.t.Fatalf("no log line within 2 minutes contains one of: %q", texts)
		}
	}
}

// publishedCounters returns the published values of the import counter, by its topic and in telegrams, in order and without repetitions.
func publishedCounters(t *testing.T, b *broker) (all []string) {
	t.Helper()
	for _, m := range b.messages() {
		if m.topic == "hanbridge/house/import_energy" {
			all = append(all, m.payload)
		}
	}
	for _, telegram := range telegrams(t, b.messages()) {
		if raw, ok := telegram.Values["import_energy"]; ok {
			all = append(all, string(raw))
		}
	}
	return all
}

// checkCountersBegin tests that counters were published, and that each counter begins with prefix. So every counter is of the same meter.
func checkCountersBegin(t *testing.T, b *broker, prefix string) {
	t.Helper()
	all := publishedCounters(t, b)
	for _, value := range all {
		if !strings.HasPrefix(value, prefix) {
			t.Errorf("the counter %s was published, want only counters that begin with %s: %v", value, prefix, all)
			return
		}
	}
	if len(all) == 0 {
		t.Error("no counter was published")
	}
}

// TestSecondBridge tests that only the first of two bridges with the same meters.id and different meters publishes counters.
func TestSecondBridge(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name                    string
		firstState, secondState bool // the bridge has a state file
	}{
		{"both have a state file", true, true},
		{"only the first has a state file", true, false},
		{"none has a state file", false, false},
		{"only the second has a state file", false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := func(hasState bool) string {
				if !hasState {
					return ""
				}
				return t.TempDir()
			}
			b := startOpenBroker(t)
			one := startRival(t, b, rivalConfig{name: "one", seed: 1, dir: dir(tt.firstState)})
			one.sendTelegram(b)
			two := startRival(t, b, rivalConfig{name: "two", seed: 3, dir: dir(tt.secondState)})
			for range 3 {
				two.sendTelegram(b)
				one.sendTelegram(b)
			}
			two.awaitLog(secondLog)
			one.awaitLog(firstLog)
			two.sendTelegram(b)
			checkCountersBegin(t, b, counterOfSeed1)
			for text, got := range map[string]int{
				secondLog: two.count(secondLog), "hanbridge takeover house": two.count("hanbridge takeover house"), firstLog: one.count(firstLog),
			} {
				if got != 1 {
					t.Errorf("%q is logged %d times, want once", text, got)
				}
			}
			if n := one.count(secondLog); n > 0 {
				t.Errorf("the first bridge logs %d times that it is second", n)
			}
			b.await(t, "the description with the mark of the other bridge", func([]message) bool {
				return strings.Contains(b.retained()["hanbridge/house/info"], `"other_instance":"`)
			})
			for _, m := range telegrams(t, b.messages()) {
				if _, ok := m.Values["import_power"]; !ok {
					t.Error("a telegram has no import_power")
				}
			}
		})
	}
}

// TestSecondBridgePublishesNoDescription tests that a second bridge neither publishes that the meter is offline nor removes its announcement
// when it stops.
func TestSecondBridgePublishesNoDescription(t *testing.T) {
	t.Parallel()
	b := startOpenBroker(t)
	one := startRival(t, b, rivalConfig{name: "one", seed: 1, dir: t.TempDir()})
	one.sendTelegram(b)
	b.awaitText(t, "hanbridge/house/status", "online")
	from := len(b.messages())
	two := startRival(t, b, rivalConfig{name: "two", seed: 3, dir: t.TempDir()})
	two.sendTelegram(b)
	two.awaitLog(waitingLog, secondLog) // secondLog if the first bridge answers at once
	one.sendTelegram(b)
	two.awaitLog(secondLog)
	two.sendTelegram(b)
	two.stop()
	one.awaitLog(firstLog)
	for _, m := range b.messages()[from:] {
		if m.topic == "hanbridge/house/status" && m.payload == "offline" || strings.Contains(m.topic, "/hanbridge_house/") && m.payload == "" {
			t.Errorf("the second bridge publishes %s %q", m.topic, m.payload)
		}
	}
}

// TestRestartedBridgeRemainsFirst tests that a bridge recognizes its earlier runs after each kind of restart and publishes counters at once.
func TestRestartedBridgeRemainsFirst(t *testing.T) {
	t.Parallel()
	for name, hasState := range map[string][]bool{ // for each run
		"always with a state file": {true, true, true}, "never with a state file": {false, false, false}, "with a state file from the second run": {false, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, stateDir := startOpenBroker(t), t.TempDir()
			m := newMeter(t, "aidon-se", time.Now())
			for i := range hasState {
				dir := ""
				if hasState[i] {
					dir = stateDir
				}
				w := startRival(t, b, rivalConfig{name: "one", seed: 1, dir: dir})
				w.meter = m
				values := w.sendTelegram(b)
				b.await(t, "the counter", func(all []message) bool {
					return index(all, "hanbridge/house/import_energy", values["import_energy"]) >= 0
				})
				w.stop()
				b.awaitNoClients()
				for _, text := range []string{firstLog, secondLog, silentLog, waitingLog, takenOverLog, unreadableLog} {
					if w.count(text) > 0 {
						t.Errorf("run %d logs %q, want no message about another bridge", i, text)
					}
				}
			}
		})
	}
}

// TestMissingStateFile tests that a bridge without the state file of an earlier bridge publishes counters only if the meter is the same.
func TestMissingStateFile(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		seed      uint64 // the seed of the earlier bridge's meter is 1
		hasState  bool   // the bridge has a new state file
		logged    string // part of a log line; "" for none
		publishes bool   // the bridge publishes the counter at once
	}{
		{"the same meter", 1, true, "", true},
		{"the same meter, no state file", 1, false, "", true},
		{"another meter", 3, true, silentLog, false},
		{"another meter, no state file", 3, false, silentLog, false},
		{"a meter whose counter is too high", 2, true, silentLog, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := startOpenBroker(t)
			one := startRival(t, b, rivalConfig{name: "one", seed: 1, dir: t.TempDir()})
			one.sendTelegram(b)
			one.stop()
			b.awaitNoClients()
			c := rivalConfig{name: "two", seed: tt.seed, minSilence: 200 * time.Millisecond}
			if tt.hasState {
				c.dir = t.TempDir()
			}
			two := startRival(t, b, c)
			if tt.seed == 1 {
				two.meter = one.meter
			}
			from := len(b.messages())
			values := two.sendTelegram(b)
			if tt.publishes {
				b.await(t, "the next value of the counter", func(all []message) bool {
					return index(all[from:], "hanbridge/house/import_energy", values["import_energy"]) >= 0
				})
				return
			}
			two.awaitLog(tt.logged)
			two.sendTelegram(b)
			checkCountersBegin(t, b, counterOfSeed1)
			b.await(t, "the reason and the command under rejected_reason", func(all []message) bool {
				i := index(all[from:], "hanbridge/house/rejected_reason", "")
				return i >= 0 && strings.Contains(all[from+i].payload, "hanbridge takeover house")
			})
			if err := mqtt.TakeBack(t.Context(), config(b.addr), []string{"hanbridge/house/info"}); err != nil {
				t.Fatal(err)
			}
			b.await(t, "the counter after the description was removed", func(all []message) bool {
				return index(all[from:], "hanbridge/house/import_energy", "") >= 0
			})
			two.awaitLog(takenOverLog)
		})
	}
}

// TestBridgesWithoutMarks tests that a bridge is second if an earlier version, which has no instance mark, publishes the meter.
func TestBridgesWithoutMarks(t *testing.T) {
	t.Parallel()
	const info, telegram = `{"make":"Aidon"}`, `{"meter":"house","seq":%d,"values":{"import_energy":17425.823}}`
	b := startOpenBroker(t)
	publish := func(topic, payload string, retain bool) {
		if err := b.Publish(topic, []byte(payload), retain, 0); err != nil {
			t.Error(err)
		}
	}
	publish("hanbridge/status", "online", true)
	publish("hanbridge/house/info", info, true)
	second := startRival(t, b, rivalConfig{name: "one", seed: 1, dir: t.TempDir()})
	second.send(nextTelegram(second.meter))
	second.awaitLog(waitingLog)
	publish("hanbridge/house/telegram", fmt.Sprintf(telegram, 1), false)
	second.awaitLog(secondLog)
	for i := range 3 {
		second.send(nextTelegram(second.meter))
		publish("hanbridge/house/telegram", fmt.Sprintf(telegram, 2+i), false)
	}
	checkCountersBegin(t, b, "17425.")
}

// TestOwnMessagesAreIgnored tests that the bridge's own messages have no effect when they come back late, twice, or retained.
func TestOwnMessagesAreIgnored(t *testing.T) {
	t.Parallel()
	b, dir := startOpenBroker(t), t.TempDir()
	meter := newMeter(t, "aidon-se", time.Now())
	var sent []string // "topic payload" of each message to repeat
	for range 3 {
		w := startRival(t, b, rivalConfig{name: "one", seed: 1, dir: dir})
		w.meter = meter
		w.sendTelegram(b)
		for _, m := range b.messages() {
			if m.topic == "hanbridge/house/telegram" || m.topic == "hanbridge/house/info" {
				sent = append(sent, m.topic+" "+m.payload)
			}
		}
		for _, message := range sent {
			topic, payload, _ := strings.Cut(message, " ")
			retain := topic == "hanbridge/house/telegram"
			if err := b.Publish(topic, []byte(payload), retain, 1); err != nil {
				t.Fatal(err)
			}
		}
		values := w.sendTelegram(b)
		b.await(t, "the counter", func(all []message) bool {
			return index(all, "hanbridge/house/import_energy", values["import_energy"]) >= 0
		})
		w.stop()
		b.awaitNoClients()
		for _, text := range []string{firstLog, secondLog, silentLog, waitingLog, takenOverLog} {
			if w.count(text) > 0 {
				t.Errorf("the bridge logs %q, want no message about another bridge", text)
			}
		}
	}
}

// TestForbiddenToRead tests that a bridge that is not permitted to read its topics logs this once and publishes all values.
func TestForbiddenToRead(t *testing.T) {
	t.Parallel()
	b := startBroker(t, "127.0.0.1:0", "hanbridge/house/")
	w := startRival(t, b, rivalConfig{name: "one", seed: 1, dir: t.TempDir()})
	values := w.sendTelegram(b)
	b.awaitText(t, "hanbridge/house/import_energy", values["import_energy"])
	w.awaitLog(unreadableLog)
	if n := w.count("hanbridge/+/+"); n != 1 {
		t.Errorf("the topic to permit is logged %d times, want once", n)
	}
}

// TestReadPermissionGrantedLater tests a bridge that is permitted to read only on its second connection. It must wait there for other bridges
// before it publishes counters.
func TestReadPermissionGrantedLater(t *testing.T) {
	t.Parallel()
	b := startBroker(t, "127.0.0.1:0", "hanbridge/house/")
	w := startRival(t, b, rivalConfig{name: "one", seed: 1, dir: t.TempDir()})
	w.awaitLog(unreadableLog)
	b.openAndReconnect()
	b.await(t, "the second connection", func([]message) bool { return strings.HasSuffix(b.connectionLog(), "disconnect connect") })
	began := time.Now()
	w.send(nextTelegram(w.meter))
	all := b.await(t, "a counter", func(all []message) bool { return index(all, "hanbridge/house/import_energy", "") >= 0 })
	if index(all, "hanbridge/house/info", "") > index(all, "hanbridge/house/import_energy", "") {
		t.Error("the counter was published before the description")
	}
	counterAt := all[index(all, "hanbridge/house/import_energy", "")].at
	if waited := counterAt.Sub(began); waited < 100*time.Millisecond {
		t.Errorf("the bridge waited %v for other bridges, want 0.1 s at least", waited)
	}
}

// TestStatusArrivesLast tests that another bridge counts as online if the broker sends its status after all other retained messages.
func TestStatusArrivesLast(t *testing.T) {
	t.Parallel()
	b := startOpenBroker(t)
	for topic, payload := range map[string]string{
		"hanbridge/status": "online", "hanbridge/house/info": `{"instance":"another","since":"2026-01-31T11:00:00Z"}`,
	} {
		if err := b.Publish(topic, []byte(payload), true, 0); err != nil {
			t.Fatal(err)
		}
	}
	var status []byte // the proxy sends the status only after the description
	proxy := replacePackets(t, b.addr, func(packet []byte) [][]byte {
		if packet[0]>>4 == packets.Publish && status == nil && bytes.Contains(packet, []byte("hanbridge/status")) {
			status = packet
			return nil
		}
		if packet[0]>>4 == packets.Publish && status != nil && bytes.Contains(packet, []byte("hanbridge/house/info")) {
			return [][]byte{packet, status}
		}
		return [][]byte{packet}
	})
	two := startRival(t, &broker{addr: proxy}, rivalConfig{name: "two", seed: 3, dir: t.TempDir()})
	two.sendTelegram(b)
	two.awaitLog(waitingLog)
	if two.count(silentLog) > 0 {
		t.Error("a bridge that is online is logged as silent")
	}
}

// TestCountersAreTotalIncreasing tests that every energy and volume is a counter.
func TestCountersAreTotalIncreasing(t *testing.T) {
	t.Parallel()
	for _, id := range []quantity.ID{
		quantity.ImportEnergy, quantity.ExportEnergyT2, quantity.ImportReactiveEnergy, quantity.Gas, quantity.Water,
		quantity.ThermalEnergy, quantity.AbsoluteEnergy,
	} {
		if id.Row().StateClass != quantity.TotalIncreasing {
			t.Errorf("%s is not a counter", id)
		}
	}
}
