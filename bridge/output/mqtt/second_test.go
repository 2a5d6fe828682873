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

// A book keeps what an output logs.
type book struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *book) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(line)
}

func (b *book) count(text string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Count(b.text.String(), text)
}

const (
	firstSaid  = "another bridge publishes this meter too"
	secondSaid = "another bridge publishes this meter already"
	staleSaid  = "is not heard now; nothing shows that its meter is the same"
	waitsSaid  = "counters are not published until it is clear"
	takenSaid  = "another bridge published this meter before"
	deafSaid   = "cannot read the topics of these meters"
)

// A twin is one of the bridges with the meter "house" at one broker.
type twin struct {
	*house
	*book
	meter *simulate.Meter
}

// A twinConfig is what twins differ in.
type twinConfig struct {
	name, family string
	seed         uint64 // of the meter
	dir          string // of the state; "" for none
	patience     time.Duration
}

func startTwin(t *testing.T, b *broker, c twinConfig) *twin {
	t.Helper()
	to := config(b.addr)
	to.ClientID = c.name
	log := new(book)
	o := mqtt.New(to, zerolog.New(log))
	if c.patience != 0 {
		o.SetPatience(c.patience)
	}
	if c.family == "" {
		c.family = "aidon-se"
	}
	f, _ := simulate.Named(c.family)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s said:\n%s", c.name, log.text.String())
		}
	})
	return &twin{house: runOutput(t, o, "house", c.dir), book: log, meter: simulate.NewMeter(f, c.seed, time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC))}
}

// sends sends a telegram, and returns when its power was published.
func (w *twin) sends(b *broker) map[string]string {
	w.t.Helper()
	telegram := next(w.meter)
	values := decoded(w.t, telegram)
	from := len(b.messages())
	w.send(telegram)
	b.await(w.t, "the telegram of a twin", func(all []message) bool {
		return index(all[from:], "hanbridge/house/telegram", "") >= 0 && index(all[from:], "hanbridge/house/import_power", values["import_power"]) >= 0
	})
	return values
}

// awaitsSaid waits until one of the texts is said.
func (w *twin) awaitsSaid(texts ...string) {
	w.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	said := func(text string) bool { return w.count(text) > 0 }
	for deadline := time.Now().Add(2 * time.Minute); !slices.ContainsFunc(texts, said); <-tick.C {
		if time.Now().After(deadline) {
			w.t.Fatalf("not said in 2 minutes: %s", texts)
		}
	}
}

// counters are the values of the import counter that were published, by the topic and in telegrams, in order and each once.
func counters(t *testing.T, b *broker) (all []string) {
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

// checkOnly wants no counter of any other meter than that whose counter begins so.
func checkOnly(t *testing.T, b *broker, begin string) {
	t.Helper()
	all := counters(t, b)
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

// TestSecondBridge has two bridges with one meters.id and different meters.
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
			b := start(t)
			one := startTwin(t, b, twinConfig{name: "one", seed: 1, dir: dir(tt.first)})
			one.sends(b)
			two := startTwin(t, b, twinConfig{name: "two", seed: 3, dir: dir(tt.second)})
			for range 3 {
				two.sends(b)
				one.sends(b)
			}
			two.awaitsSaid(secondSaid)
			one.awaitsSaid(firstSaid)
			two.sends(b)
			checkOnly(t, b, "40140.")
			if n := two.count(secondSaid) + two.count("hanbridge takeover house") + one.count(firstSaid); n != 3 || one.count(secondSaid) > 0 {
				t.Errorf("said %d times, want once each, with what to type; by the first: %d", n, one.count(secondSaid))
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

// TestSecondBridgeSaysNothingElseOfTheMeter: the topics and the announcement are the first's.
func TestSecondBridgeSaysNothingElseOfTheMeter(t *testing.T) {
	t.Parallel()
	b := start(t)
	one := startTwin(t, b, twinConfig{name: "one", seed: 1, dir: t.TempDir()})
	one.sends(b)
	b.awaitText(t, "hanbridge/house/status", "online")
	from := len(b.messages())
	two := startTwin(t, b, twinConfig{name: "two", seed: 3, dir: t.TempDir()})
	two.sends(b)
	two.awaitsSaid(waitsSaid, secondSaid) // the first may answer at once
	one.sends(b)
	two.awaitsSaid(secondSaid)
	two.sends(b)
	two.stop()
	one.awaitsSaid(firstSaid)
	for _, m := range b.messages()[from:] {
		name := strings.TrimPrefix(m.topic, "hanbridge/house/")
		if name == "status" && m.payload == "offline" || strings.Contains(m.topic, "/hanbridge_house/") && m.payload == "" {
			t.Errorf("the second bridge publishes %s %q", m.topic, m.payload)
		}
	}
}

// TestRestartIsNoOther restarts a bridge in the ways that go on by themselves.
func TestRestartIsNoOther(t *testing.T) {
	t.Parallel()
	for name, dirs := range map[string][]string{"with its state": {"a", "a", "a"}, "without a state": {"", "", ""}, "with a state at last": {"", "a", "a"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, at := start(t), t.TempDir()
			m := meterOf(t, "aidon-se", time.Now())
			for i, dir := range dirs {
				if dir != "" {
					dir = at + "/" + dir
				}
				w := startTwin(t, b, twinConfig{name: "one", seed: 1, dir: dir})
				w.meter = m
				values := w.sends(b)
				b.await(t, "the counter", func(all []message) bool {
					return index(all, "hanbridge/house/import_energy", values["import_energy"]) >= 0
				})
				w.stop()
				b.empty()
				for _, said := range []string{firstSaid, secondSaid, staleSaid, waitsSaid, takenSaid, deafSaid} {
					if w.count(said) > 0 {
						t.Errorf("run %d says %s", i, said)
					}
				}
			}
		})
	}
}

// TestLostState has the same meter, or another, behind a bridge whose state is gone. The bridge before it is gone too.
func TestLostState(t *testing.T) {
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
		{"another meter", 3, true, staleSaid, false},
		{"another meter without a state", 3, false, staleSaid, false},
		{"one that has counted more than can be", 2, true, staleSaid, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := start(t)
			one := startTwin(t, b, twinConfig{name: "one", seed: 1, dir: t.TempDir()})
			one.sends(b)
			one.stop()
			b.empty()
			c := twinConfig{name: "two", seed: tt.seed, patience: 200 * time.Millisecond}
			if tt.state {
				c.dir = t.TempDir()
			}
			two := startTwin(t, b, c)
			if tt.seed == 1 {
				two.meter = one.meter
			}
			from := len(b.messages())
			values := two.sends(b)
			if tt.publishes {
				b.await(t, "the counter goes on", func(all []message) bool {
					return index(all[from:], "hanbridge/house/import_energy", values["import_energy"]) >= 0
				})
				return
			}
			two.awaitsSaid(tt.said)
			two.sends(b)
			checkOnly(t, b, "40140.")
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
			two.awaitsSaid(takenSaid)
		})
	}
}

// TestOlderBridges have no marks: what they publish is told by what this bridge did not send.
func TestOlderBridges(t *testing.T) {
	t.Parallel()
	const info, telegram = `{"make":"Aidon"}`, `{"meter":"house","seq":%d,"values":{"import_energy":17425.823}}`
	b := start(t)
	say := func(topic, payload string, retain bool) {
		if err := b.Publish(topic, []byte(payload), retain, 0); err != nil {
			t.Error(err)
		}
	}
	say("hanbridge/status", "online", true)
	say("hanbridge/house/info", info, true)
	second := startTwin(t, b, twinConfig{name: "one", seed: 1, dir: t.TempDir()})
	second.send(next(second.meter))
	second.awaitsSaid(waitsSaid)
	say("hanbridge/house/telegram", fmt.Sprintf(telegram, 1), false)
	second.awaitsSaid(secondSaid)
	for i := range 3 {
		second.send(next(second.meter))
		say("hanbridge/house/telegram", fmt.Sprintf(telegram, 2+i), false)
	}
	checkOnly(t, b, "17425.")
}

// TestOwnMessagesComeBack late, twice, and kept by the broker: they are nobody else's.
func TestOwnMessagesComeBack(t *testing.T) {
	t.Parallel()
	b, dir := start(t), t.TempDir()
	m := meterOf(t, "aidon-se", time.Now())
	var sent []string
	for range 3 {
		w := startTwin(t, b, twinConfig{name: "one", seed: 1, dir: dir})
		w.meter = m
		w.sends(b)
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
		values := w.sends(b)
		b.await(t, "the counter", func(all []message) bool {
			return index(all, "hanbridge/house/import_energy", values["import_energy"]) >= 0
		})
		w.stop()
		b.empty()
		for _, said := range []string{firstSaid, secondSaid, staleSaid, waitsSaid, takenSaid} {
			if w.count(said) > 0 {
				t.Errorf("says %s", said)
			}
		}
	}
}

// TestMayNotRead: a broker whose rules forbid it is told of once, and gets all values.
func TestMayNotRead(t *testing.T) {
	t.Parallel()
	b := listen(t, "127.0.0.1:0", "hanbridge/house/")
	w := startTwin(t, b, twinConfig{name: "one", seed: 1, dir: t.TempDir()})
	values := w.sends(b)
	b.awaitText(t, "hanbridge/house/import_energy", values["import_energy"])
	w.awaitsSaid(deafSaid)
	if n := w.count("hanbridge/+/+"); n != 1 {
		t.Errorf("what to allow is said %d times, want once", n)
	}
}

// TestMayReadLater: where one connection could not hear others, the next one can, and waits for them before counters are published.
func TestMayReadLater(t *testing.T) {
	t.Parallel()
	b := listen(t, "127.0.0.1:0", "hanbridge/house/")
	w := startTwin(t, b, twinConfig{name: "one", seed: 1, dir: t.TempDir()})
	w.awaitsSaid(deafSaid)
	b.unlock()
	b.await(t, "it comes again", func([]message) bool { return strings.HasSuffix(b.visits(), "disconnect connect") })
	began := time.Now()
	w.send(next(w.meter))
	all := b.await(t, "a counter", func(all []message) bool { return index(all, "hanbridge/house/import_energy", "") >= 0 })
	if index(all, "hanbridge/house/info", "") > index(all, "hanbridge/house/import_energy", "") {
		t.Error("the counter comes before the description that claims the meter")
	}
	counter := all[index(all, "hanbridge/house/import_energy", "")].at // the description may be noted late
	if waited := counter.Sub(began); waited < 100*time.Millisecond {
		t.Errorf("waited %v for others, want 0.1 s at least", waited)
	}
}

// TestLateStatus: a broker may tell last that another bridge is online.
func TestLateStatus(t *testing.T) {
	t.Parallel()
	b := start(t)
	for topic, payload := range map[string]string{
		"hanbridge/status": "online", "hanbridge/house/info": `{"instance":"another","since":"2026-01-31T11:00:00Z"}`,
	} {
		if err := b.Publish(topic, []byte(payload), true, 0); err != nil {
			t.Fatal(err)
		}
	}
	var status []byte
	late := relay(t, b.addr, func(packet []byte) [][]byte {
		if packet[0]>>4 == packets.Publish && status == nil && bytes.Contains(packet, []byte("hanbridge/status")) {
			status = packet
			return nil
		}
		if packet[0]>>4 == packets.Publish && status != nil && bytes.Contains(packet, []byte("hanbridge/house/info")) {
			return [][]byte{packet, status}
		}
		return [][]byte{packet}
	})
	two := startTwin(t, &broker{addr: late}, twinConfig{name: "two", seed: 3, dir: t.TempDir()})
	two.sends(b)
	two.awaitsSaid(waitsSaid)
	if two.count(staleSaid) > 0 {
		t.Error("a bridge that is online is called gone")
	}
}

func TestCountersAreWhatHubsAddUp(t *testing.T) {
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
