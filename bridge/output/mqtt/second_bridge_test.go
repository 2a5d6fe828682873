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

func (b *logRecorder) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(line)
}

func (b *logRecorder) count(text string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Count(b.text.String(), text)
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

// A rivalConfig holds what distinguishes the bridges.
type rivalConfig struct {
	name, family string
	seed         uint64 // of the meter
	dir          string // of the state; "" for none
	minSilence   time.Duration
}

func startRival(t *testing.T, b *broker, c rivalConfig) *rivalBridge {
	t.Helper()
	to := config(b.addr)
	to.ClientID = c.name
	log := new(logRecorder)
	o := mqtt.New(to, zerolog.New(log))
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

// sendTelegram sends a telegram and returns its values when its power was published.
func (w *rivalBridge) sendTelegram(b *broker) map[string]string {
	w.t.Helper()
	telegram := nextTelegram(w.meter)
	values := decoded(w.t, telegram)
	from := len(b.messages())
	w.send(telegram)
	b.await(w.t, "the telegram of a twin", func(all []message) bool {
		return index(all[from:], "hanbridge/house/telegram", "") >= 0 && index(all[from:], "hanbridge/house/import_power", values["import_power"]) >= 0
	})
	return values
}

// awaitLog waits until one of the texts is logged.
func (w *rivalBridge) awaitLog(texts ...string) {
	w.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	logged := func(text string) bool { return w.count(text) > 0 }
	for deadline := time.Now().Add(2 * time.Minute); !slices.ContainsFunc(texts, logged); <-tick.C {
		if time.Now().After(deadline) {
			w.t.Fatalf("not logged within 2 minutes: %s", texts)
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
	for _, one := range telegrams(t, b.messages()) {
		if raw, ok := one.Values["import_energy"]; ok {
			all = append(all, string(raw))
		}
	}
	return all
}

// checkCountersBegin tests that every published counter begins with a text, so that it is of one meter.
func checkCountersBegin(t *testing.T, b *broker, begin string) {
	t.Helper()
	all := publishedCounters(t, b)
	for _, value := range all {
		if !strings.HasPrefix(value, begin) {
			t.Errorf("the counter %s was published beside %s…: %v", value, begin, all)
			return
		}
	}
	if len(all) == 0 {
		t.Error("no counter was published")
	}
}

// TestSecondBridge tests two bridges with one meters.id and different meters: only the first publishes counters.
func TestSecondBridge(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, first, second string }{
		{"both with a state", "state", "state"}, {"the second without", "state", ""}, {"both without", "", ""}, {"the first without", "", "state"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := func(of string) string {
				if of == "" {
					return ""
				}
				return t.TempDir()
			}
			b := startOpenBroker(t)
			one := startRival(t, b, rivalConfig{name: "one", seed: 1, dir: dir(tt.first)})
			one.sendTelegram(b)
			two := startRival(t, b, rivalConfig{name: "two", seed: 3, dir: dir(tt.second)})
			for range 3 {
				two.sendTelegram(b)
				one.sendTelegram(b)
			}
			two.awaitLog(secondLog)
			one.awaitLog(firstLog)
			two.sendTelegram(b)
			checkCountersBegin(t, b, "40140.")
			if n := two.count(secondLog) + two.count("hanbridge takeover house") + one.count(firstLog); n != 3 || one.count(secondLog) > 0 {
				t.Errorf("logged %d times, want once each, with what to type; by the first: %d", n, one.count(secondLog))
			}
			b.await(t, "the description says that another publishes", func([]message) bool {
				return strings.Contains(b.retained()["hanbridge/house/info"], `"other_instance":"`)
			})
			for _, m := range telegrams(t, b.messages()) {
				if _, ok := m.Values["import_power"]; !ok {
					t.Error("a telegram without its power")
				}
			}
		})
	}
}

// TestSecondBridgePublishesNoDescription tests that the description, statistics and announcement of a meter remain those of the first
// bridge.
func TestSecondBridgePublishesNoDescription(t *testing.T) {
	t.Parallel()
	b := startOpenBroker(t)
	one := startRival(t, b, rivalConfig{name: "one", seed: 1, dir: t.TempDir()})
	one.sendTelegram(b)
	b.awaitText(t, "hanbridge/house/status", "online")
	from := len(b.messages())
	two := startRival(t, b, rivalConfig{name: "two", seed: 3, dir: t.TempDir()})
	two.sendTelegram(b)
	two.awaitLog(waitingLog, secondLog) // the first bridge may answer at once
	one.sendTelegram(b)
	two.awaitLog(secondLog)
	two.sendTelegram(b)
	two.stop()
	one.awaitLog(firstLog)
	for _, m := range b.messages()[from:] {
		name := strings.TrimPrefix(m.topic, "hanbridge/house/")
		if name == "status" && m.payload == "offline" || strings.Contains(m.topic, "/hanbridge_house/") && m.payload == "" {
			t.Errorf("the second bridge publishes %s %q", m.topic, m.payload)
		}
	}
}

// TestRestartedBridgeRemainsFirst tests that a bridge recognizes its earlier runs after each kind of restart and publishes counters at once.
func TestRestartedBridgeRemainsFirst(t *testing.T) {
	t.Parallel()
	for name, dirs := range map[string][]string{"with its state": {"a", "a", "a"}, "without a state": {"", "", ""}, "with a state at last": {"", "a", "a"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, at := startOpenBroker(t), t.TempDir()
			m := newMeter(t, "aidon-se", time.Now())
			for i, dir := range dirs {
				if dir != "" {
					dir = at + "/" + dir
				}
				w := startRival(t, b, rivalConfig{name: "one", seed: 1, dir: dir})
				w.meter = m
				values := w.sendTelegram(b)
				b.await(t, "the counter", func(all []message) bool {
					return index(all, "hanbridge/house/import_energy", values["import_energy"]) >= 0
				})
				w.stop()
				b.awaitNoClients()
				for _, said := range []string{firstLog, secondLog, silentLog, waitingLog, takenOverLog, unreadableLog} {
					if w.count(said) > 0 {
						t.Errorf("run %d says %s", i, said)
					}
				}
			}
		})
	}
}

// TestMissingStateFile tests a bridge whose state file is missing, with the same meter or another one. The earlier bridge no longer runs.
func TestMissingStateFile(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		seed      uint64
		state     bool
		said      string
		publishes bool
	}{
		{"the same meter", 1, true, "", true},
		{"the same meter without a state", 1, false, "", true},
		{"another meter", 3, true, silentLog, false},
		{"another meter without a state", 3, false, silentLog, false},
		{"one that has counted more than can be", 2, true, silentLog, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := startOpenBroker(t)
			one := startRival(t, b, rivalConfig{name: "one", seed: 1, dir: t.TempDir()})
			one.sendTelegram(b)
			one.stop()
			b.awaitNoClients()
			c := rivalConfig{name: "two", seed: tt.seed, minSilence: 200 * time.Millisecond}
			if tt.state {
				c.dir = t.TempDir()
			}
			two := startRival(t, b, c)
			if tt.seed == 1 {
				two.meter = one.meter
			}
			from := len(b.messages())
			values := two.sendTelegram(b)
			if tt.publishes {
				b.await(t, "the counter goes on", func(all []message) bool {
					return index(all[from:], "hanbridge/house/import_energy", values["import_energy"]) >= 0
				})
				return
			}
			two.awaitLog(tt.said)
			two.sendTelegram(b)
			checkCountersBegin(t, b, "40140.")
			b.await(t, "the hub is told", func(all []message) bool {
				i := index(all[from:], "hanbridge/house/rejected_reason", "")
				return i >= 0 && strings.Contains(all[from+i].payload, "hanbridge takeover house")
			})
			if err := mqtt.TakeBack(t.Context(), config(b.addr), []string{"hanbridge/house/info"}); err != nil {
				t.Fatal(err)
			}
			b.await(t, "a person has acted", func(all []message) bool {
				return index(all[from:], "hanbridge/house/import_energy", "") >= 0
			})
			two.awaitLog(takenOverLog)
		})
	}
}

// TestBridgesWithoutMarks tests that telegrams of a version without marks count as those of another bridge.
func TestBridgesWithoutMarks(t *testing.T) {
	t.Parallel()
	const info, telegram = `{"make":"Aidon"}`, `{"meter":"house","seq":%d,"values":{"import_energy":17425.823}}`
	b := startOpenBroker(t)
	say := func(topic, payload string, retain bool) {
		if err := b.Publish(topic, []byte(payload), retain, 0); err != nil {
			t.Error(err)
		}
	}
	say("hanbridge/status", "online", true)
	say("hanbridge/house/info", info, true)
	second := startRival(t, b, rivalConfig{name: "one", seed: 1, dir: t.TempDir()})
	second.send(nextTelegram(second.meter))
	second.awaitLog(waitingLog)
	say("hanbridge/house/telegram", fmt.Sprintf(telegram, 1), false)
	second.awaitLog(secondLog)
	for i := range 3 {
		second.send(nextTelegram(second.meter))
		say("hanbridge/house/telegram", fmt.Sprintf(telegram, 2+i), false)
	}
	checkCountersBegin(t, b, "17425.")
}

// TestOwnMessagesAreIgnored tests that the bridge's own messages have no effect when they come back late, twice, or retained.
func TestOwnMessagesAreIgnored(t *testing.T) {
	t.Parallel()
	b, dir := startOpenBroker(t), t.TempDir()
	m := newMeter(t, "aidon-se", time.Now())
	var sent []string
	for range 3 {
		w := startRival(t, b, rivalConfig{name: "one", seed: 1, dir: dir})
		w.meter = m
		w.sendTelegram(b)
		for _, one := range b.messages() {
			if one.topic == "hanbridge/house/telegram" || one.topic == "hanbridge/house/info" {
				sent = append(sent, one.topic+" "+one.payload)
			}
		}
		for _, one := range sent {
			topic, payload, _ := strings.Cut(one, " ")
			if err := b.Publish(topic, []byte(payload), topic == "hanbridge/house/telegram", 1); err != nil {
				t.Fatal(err)
			}
		}
		values := w.sendTelegram(b)
		b.await(t, "the counter", func(all []message) bool {
			return index(all, "hanbridge/house/import_energy", values["import_energy"]) >= 0
		})
		w.stop()
		b.awaitNoClients()
		for _, said := range []string{firstLog, secondLog, silentLog, waitingLog, takenOverLog} {
			if w.count(said) > 0 {
				t.Errorf("says %s", said)
			}
		}
	}
}

// TestForbiddenToRead tests that a bridge that may not read its topics logs that once and publishes all values.
func TestForbiddenToRead(t *testing.T) {
	t.Parallel()
	b := startBroker(t, "127.0.0.1:0", "hanbridge/house/")
	w := startRival(t, b, rivalConfig{name: "one", seed: 1, dir: t.TempDir()})
	values := w.sendTelegram(b)
	b.awaitText(t, "hanbridge/house/import_energy", values["import_energy"])
	w.awaitLog(unreadableLog)
	if n := w.count("hanbridge/+/+"); n != 1 {
		t.Errorf("what to allow is said %d times, want once", n)
	}
}

// TestReadPermissionGrantedLater tests that a bridge that may read only on a later connection waits for other bridges there before it
// publishes counters.
func TestReadPermissionGrantedLater(t *testing.T) {
	t.Parallel()
	b := startBroker(t, "127.0.0.1:0", "hanbridge/house/")
	w := startRival(t, b, rivalConfig{name: "one", seed: 1, dir: t.TempDir()})
	w.awaitLog(unreadableLog)
	b.openAndReconnect()
	b.await(t, "it comes again", func([]message) bool { return strings.HasSuffix(b.connectionLog(), "disconnect connect") })
	began := time.Now()
	w.send(nextTelegram(w.meter))
	all := b.await(t, "a counter", func(all []message) bool { return index(all, "hanbridge/house/import_energy", "") >= 0 })
	if index(all, "hanbridge/house/info", "") > index(all, "hanbridge/house/import_energy", "") {
		t.Error("the counter comes before the description that claims the meter")
	}
	counter := all[index(all, "hanbridge/house/import_energy", "")].at // the description may be recorded late
	if waited := counter.Sub(began); waited < 100*time.Millisecond {
		t.Errorf("waited %v for others, want 0.1 s at least", waited)
	}
}

// TestStatusArrivesLast tests a broker that sends the status of another bridge after everything else that it retains.
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
	var status []byte
	late := replacePackets(t, b.addr, func(packet []byte) [][]byte {
		if packet[0]>>4 == packets.Publish && status == nil && bytes.Contains(packet, []byte("hanbridge/status")) {
			status = packet
			return nil
		}
		if packet[0]>>4 == packets.Publish && status != nil && bytes.Contains(packet, []byte("hanbridge/house/info")) {
			return [][]byte{packet, status}
		}
		return [][]byte{packet}
	})
	two := startRival(t, &broker{addr: late}, rivalConfig{name: "two", seed: 3, dir: t.TempDir()})
	two.sendTelegram(b)
	two.awaitLog(waitingLog)
	if two.count(silentLog) > 0 {
		t.Error("a bridge that is online is called gone")
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
			t.Errorf("%s is no counter", id)
		}
	}
}
