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

// A logRecorder records the log of an output. It is safe for concurrent use.
type logRecorder struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *logRecorder) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(line)
}

// count returns how often a text is in the log.
func (r *logRecorder) count(text string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Count(r.text.String(), text)
}

// Parts of the log messages about other bridges.
const (
	firstLog      = "another bridge publishes this meter too"             // logged by the first bridge
	secondLog     = "another bridge publishes this meter already"         // logged by the second bridge
	silentLog     = "Nothing shows that both bridges read the same meter" // the other bridge is silent, and counters are withheld
	waitingLog    = "counters are not published until it is clear"        // the other bridge is possibly silent
	takenOverLog  = "another bridge published this meter before"          // this bridge has replaced the other bridge
	unreadableLog = "cannot read the topics of these meters"              // the broker does not permit it
)

// A rivalBridge is one of several bridges with the meter "house" at one broker.
type rivalBridge struct {
	*testBridge
	*logRecorder
	meter *simulate.Meter
}

// A rivalConfig holds the settings that differ between the bridges of a test.
type rivalConfig struct {
	name       string        // the client id
	seed       uint64        // the seed of the simulated meter; another seed means another meter
	dir        string        // the state folder; "" for none
	minSilence time.Duration // the argument of SetMinSilence; 0 for the default
}

// counterOfSeed1 holds the first digits of the import counter of the meter with seed 1, in kWh. They do not change during a test.
const counterOfSeed1 = "40140."

// startRival starts a bridge with the meter "house". If the test fails, it prints the log of the bridge.
func startRival(t *testing.T, b *broker, c rivalConfig) *rivalBridge {
	t.Helper()
	mqttConfig := config(b.addr)
	mqttConfig.ClientID = c.name
	log := new(logRecorder)
	o := mqtt.New(mqttConfig, zerolog.New(log))
	if c.minSilence != 0 {
		o.SetMinSilence(c.minSilence)
	}
	f, _ := simulate.Named("aidon-se")
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of %s:\n%s", c.name, log.text.String())
		}
	})
	return &rivalBridge{testBridge: runOutput(t, o, "house", c.dir), logRecorder: log, meter: simulate.NewMeter(f, c.seed, time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC))}
}

// sendTelegram sends a telegram and waits until the bridge has published a telegram and the power of this telegram. It returns the values of
// the telegram.
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

// publishedCounters returns all published values of the import counter: first the messages under the topic of the counter, then the values in
// telegrams.
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

// checkCountersBegin tests that values of the import counter were published, and that all of them begin with prefix. So no value is from a
// meter whose counter begins differently.
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
		name                          string
		firstHasState, secondHasState bool // whether the bridge has a state file
	}{
		{"both have a state file", true, true},
		{"only the first has a state file", true, false},
		{"neither has a state file", false, false},
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
			first := startRival(t, b, rivalConfig{name: "one", seed: 1, dir: dir(tt.firstHasState)})
			first.sendTelegram(b)
			second := startRival(t, b, rivalConfig{name: "two", seed: 3, dir: dir(tt.secondHasState)})
			for range 3 {
				second.sendTelegram(b)
				first.sendTelegram(b)
			}
			second.awaitLog(secondLog)
			first.awaitLog(firstLog)
			second.sendTelegram(b)
			checkCountersBegin(t, b, counterOfSeed1)
			for text, got := range map[string]int{
				secondLog: second.count(secondLog), "hanbridge takeover house": second.count("hanbridge takeover house"), firstLog: first.count(firstLog),
			} {
				if got != 1 {
					t.Errorf("%q is logged %d times, want once", text, got)
				}
			}
			if n := first.count(secondLog); n > 0 {
				t.Errorf("the first bridge logs %d times that another bridge is the first", n)
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

// TestSecondBridgeStops tests that a second bridge neither publishes the status offline of the meter nor removes the announcement of the meter.
// The second bridge must not do so while it runs, nor when it stops.
func TestSecondBridgeStops(t *testing.T) {
	t.Parallel()
	b := startOpenBroker(t)
	first := startRival(t, b, rivalConfig{name: "one", seed: 1, dir: t.TempDir()})
	first.sendTelegram(b)
	b.awaitText(t, "hanbridge/house/status", "online")
	from := len(b.messages())
	second := startRival(t, b, rivalConfig{name: "two", seed: 3, dir: t.TempDir()})
	second.sendTelegram(b)
	second.awaitLog(waitingLog, secondLog) // secondLog if the first bridge has already published its description again
	first.sendTelegram(b)
	second.awaitLog(secondLog)
	second.sendTelegram(b)
	second.stop()
	first.awaitLog(firstLog)
	for _, m := range b.messages()[from:] {
		if m.topic == "hanbridge/house/status" && m.payload == "offline" || strings.Contains(m.topic, "/hanbridge_house/") && m.payload == "" {
			t.Errorf("the second bridge publishes %s %q", m.topic, m.payload)
		}
	}
}

// TestRestartedBridgeRemainsFirst tests that a restarted bridge recognizes the messages of its earlier runs. The bridge must publish the counter
// of its first telegram and log nothing about another bridge.
func TestRestartedBridgeRemainsFirst(t *testing.T) {
	t.Parallel()
	for name, hasState := range map[string][]bool{ // whether each of the three runs has a state file
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

// TestMissingStateFile tests a bridge that does not have the state file of an earlier, stopped bridge. It must publish counters if the meter is
// the same. Otherwise it must wait until a person has removed the description of the earlier bridge (the retained message under
// hanbridge/house/info).
func TestMissingStateFile(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		seed      uint64 // the seed of the meter; the meter of the earlier bridge has the seed 1
		hasState  bool   // whether the bridge has a new state file
		publishes bool   // whether the bridge publishes counters before the description is removed
	}{
		{"the same meter, new state file", 1, true, true},
		{"the same meter, no state file", 1, false, true},
		{"a meter with a lower counter, new state file", 3, true, false},
		{"a meter with a lower counter, no state file", 3, false, false},
		{"a meter with a much higher counter, new state file", 2, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := startOpenBroker(t)
			earlier := startRival(t, b, rivalConfig{name: "one", seed: 1, dir: t.TempDir()})
			earlier.sendTelegram(b)
			earlier.stop()
			b.awaitNoClients()
			c := rivalConfig{name: "two", seed: tt.seed, minSilence: 200 * time.Millisecond}
			if tt.hasState {
				c.dir = t.TempDir()
			}
			later := startRival(t, b, c)
			if tt.seed == 1 {
				later.meter = earlier.meter
			}
			from := len(b.messages())
			values := later.sendTelegram(b)
			if tt.publishes {
				b.await(t, "the next value of the counter", func(all []message) bool {
					return index(all[from:], "hanbridge/house/import_energy", values["import_energy"]) >= 0
				})
				return
			}
			later.awaitLog(silentLog)
			later.sendTelegram(b)
			checkCountersBegin(t, b, counterOfSeed1)
			b.await(t, "the command hanbridge takeover under rejected_reason", func(all []message) bool {
				i := index(all[from:], "hanbridge/house/rejected_reason", "")
				return i >= 0 && strings.Contains(all[from+i].payload, "hanbridge takeover house")
			})
			if err := mqtt.RemoveRetained(t.Context(), config(b.addr), []string{"hanbridge/house/info"}); err != nil {
				t.Fatal(err)
			}
			b.await(t, "the counter after the description was removed", func(all []message) bool {
				return index(all[from:], "hanbridge/house/import_energy", "") >= 0
			})
			later.awaitLog(takenOverLog)
		})
	}
}

// TestBridgesWithoutMarks tests that a bridge publishes no counters if an earlier version of hanbridge publishes the meter. That version does
// not write the field "instance" into its descriptions and telegrams.
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
	checkCountersBegin(t, b, "17425.") // the counter of the earlier version
}

// TestOwnMessagesAreIgnored tests that the bridge ignores its own messages if it receives them again. They are descriptions that are not
// retained, and retained telegrams.
func TestOwnMessagesAreIgnored(t *testing.T) {
	t.Parallel()
	b, dir := startOpenBroker(t), t.TempDir()
	meter := newMeter(t, "aidon-se", time.Now())
	var repeated []string // the messages to publish again, each as the topic, a space, and the payload
	for range 3 {
		w := startRival(t, b, rivalConfig{name: "one", seed: 1, dir: dir})
		w.meter = meter
		w.sendTelegram(b)
		for _, m := range b.messages() {
			if m.topic == "hanbridge/house/telegram" || m.topic == "hanbridge/house/info" {
				repeated = append(repeated, m.topic+" "+m.payload)
			}
		}
		for _, message := range repeated {
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
		t.Errorf("the topic filter that the broker should permit is logged %d times, want once", n)
	}
}

// TestReadPermissionGrantedLater tests a bridge that is permitted to read only on its second connection. On that connection the bridge must wait
// for messages of other bridges before it publishes counters.
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
	if waited := counterAt.Sub(began); waited < 100*time.Millisecond { // the value of sessionIdleTime
		t.Errorf("the bridge waited %v for other bridges, want 0.1 s at least", waited)
	}
}

// TestStatusArrivesLast tests that a bridge notices that another bridge is online, even if the broker sends the status after all other retained
// messages.
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
		isPublish := packet[0]>>4 == packets.Publish
		if isPublish && status == nil && bytes.Contains(packet, []byte("hanbridge/status")) {
			status = packet
			return nil
		}
		if isPublish && status != nil && bytes.Contains(packet, []byte("hanbridge/house/info")) {
			return [][]byte{packet, status}
		}
		return [][]byte{packet}
	})
	second := startRival(t, &broker{addr: proxy}, rivalConfig{name: "two", seed: 3, dir: t.TempDir()})
	second.sendTelegram(b)
	second.awaitLog(waitingLog)
	if second.count(silentLog) > 0 {
		t.Error("the log says that the other bridge sends nothing, although that bridge is online")
	}
}

// TestCountersAreTotalIncreasing tests that energies and volumes of several kinds are counters.
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
