package mqtt_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/bridge/internal/faultnet"
	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/discovery/hatest"
)

// meterConfig is the topic of the announcement of the meter "house".
const meterConfig = "homeassistant/device/hanbridge_house/config"

// TestAnnouncementStepsArePaced tests that two announcement steps are at least a second apart. Several steps are necessary, because the meter
// first sends only its power, then also the values of the phases, and then also counters.
func TestAnnouncementStepsArePaced(t *testing.T) {
	t.Parallel()
	b := startOpenBroker(t)
	h := run(t, config(b.addr))
	m := newMeter(t, "aidon-no", time.Date(2026, 11, 22, 9, 59, 57, 5e8, time.UTC)) // 12.5 s before the hourly list
	began := time.Now()
	h.send(nextTelegram(m))
	b.awaitText(t, meterConfig, "")
	for range 5 { // the last telegram is the hourly list with the counters
		h.send(nextTelegram(m))
	}
	received := b.await(t, "the counters announced", func(all []message) bool {
		return slices.ContainsFunc(all, func(m message) bool { return m.topic == meterConfig && strings.Contains(m.payload, `"import_energy"`) })
	})
	count := 0
	for _, m := range received {
		if m.topic != meterConfig {
			continue
		}
		// Messages arrive with different delays, so the gap between two of them is possibly shorter than a second. The average gap is not.
		if took := m.at.Sub(began); took < time.Duration(count)*900*time.Millisecond {
			t.Errorf("the meter was announced again %d times within %v, want 1 s at least between two announcements", count, took)
		}
		for _, err := range hatest.Check(m.topic, []byte(m.payload)) {
			t.Error(err)
		}
		count++
	}
	if count < 2 {
		t.Errorf("the meter was announced %d times, want twice at least", count)
	}
	for _, name := range []string{"import_power", "voltage_l1", "current_l3", "import_energy", "export_reactive_energy"} {
		if b.retained()["hanbridge/house/"+name] == "" {
			t.Errorf("%s has no retained value", name)
		}
	}
}

// stableRetained returns the payloads that the broker retains, without the time of the last telegram.
func stableRetained(b *broker) map[string]string {
	all := b.retained()
	delete(all, "hanbridge/house/last_telegram")
	return all
}

// publishedTopics returns the topics of the messages, without the topics of telegrams and of the hub's status.
func publishedTopics(all []message) map[string]bool {
	topics := map[string]bool{}
	for _, m := range all {
		if m.topic != "hanbridge/house/telegram" && m.topic != "homeassistant/status" {
			topics[m.topic] = true
		}
	}
	return topics
}

// TestHubBirthMessageRepublishesAll tests that the bridge publishes everything again after the birth message of a hub.
func TestHubBirthMessageRepublishesAll(t *testing.T) {
	t.Parallel()
	b := startOpenBroker(t)
	h := run(t, config(b.addr))
	h.send(nextTelegram(newMeter(t, "aidon-se", time.Now())))
	from := len(b.awaitTelegram(t))
	birthTime := time.Now()
	for _, payload := range []string{"offline", "online"} {
		if err := b.Publish("homeassistant/status", []byte(payload), false, 0); err != nil {
			t.Fatal(err)
		}
	}
	received := b.await(t, "the meter's status after the birth message", func(all []message) bool {
		return index(all[from:], "hanbridge/house/status", "online") >= 0
	})[from:]
	firstRepublished := slices.IndexFunc(received, func(m message) bool { return m.topic != "homeassistant/status" })
	if wait := received[firstRepublished].at.Sub(birthTime); wait < time.Second || wait > time.Minute {
		t.Errorf("everything was published again after %v, want 1 to 5 s, and up to a minute on a slow machine", wait)
	}
	want := map[string]bool{}
	for topic := range b.retained() {
		want[topic] = true
	}
	if diff := cmp.Diff(want, publishedTopics(received)); diff != "" {
		t.Error("topics published again (-want +got):\n" + diff)
	}
	if got := len(telegrams(t, received)); got != 0 {
		t.Errorf("%d telegrams are published again, want none", got)
	}
}

// TestRestartedBrokerGetsEverythingAgain tests a broker that loses its retained messages in a restart. It must receive all retained messages
// again, and the telegram that the meter has sent during the restart.
func TestRestartedBrokerGetsEverythingAgain(t *testing.T) {
	t.Parallel()
	b := startOpenBroker(t)
	h := run(t, config(b.addr))
	m := newMeter(t, "aidon-se", time.Now())
	h.send(nextTelegram(m))
	b.awaitTelegram(t)
	want := stableRetained(b)
	b.stop()
	secondTelegram := nextTelegram(m)
	h.awaitLoss()
	h.send(secondTelegram) // while there is no broker
	for name, text := range decoded(t, secondTelegram) {
		want["hanbridge/house/"+name] = text
	}
	b = startBroker(t, b.addr, "")
	b.awaitTelegram(t)
	received := b.await(t, "the second telegram", func(all []message) bool {
		got := telegrams(t, all)
		return len(got) > 0 && got[len(got)-1].Seq == 2
	})
	if diff := cmp.Diff(want, stableRetained(b)); diff != "" {
		t.Error("retained by the new broker (-want +got):\n" + diff)
	}
	// If the old broker stopped before it acknowledged the first telegram, the bridge publishes that telegram again.
	if got := telegrams(t, received); len(got) > 2 {
		t.Errorf("got %d telegrams, want the second and at most the first", len(got))
	}
	h.stop()
}

// TestStopPublishesLastValuesAndOffline tests that the last values and then the status offline are published at a stop.
func TestStopPublishesLastValuesAndOffline(t *testing.T) {
	t.Parallel()
	b := startOpenBroker(t)
	h := run(t, config(b.addr))
	m := newMeter(t, "aidon-se", time.Now())
	h.send(nextTelegram(m))
	b.awaitTelegram(t)
	last := nextTelegram(m)
	h.send(last)
	b.await(t, "the second telegram", func(all []message) bool { return len(telegrams(t, all)) == 2 })
	h.stop()
	got := b.retained()
	want := map[string]string{"hanbridge/status": "offline", "hanbridge/house/status": "offline"}
	for name, text := range decoded(t, last) {
		want["hanbridge/house/"+name] = text
	}
	maps.DeleteFunc(got, func(topic, _ string) bool { _, ok := want[topic]; return !ok })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("retained after the stop (-want +got):\n" + diff)
	}
	for _, m := range b.messages() {
		if m.will {
			t.Errorf("the broker has published the will %s %s, want a disconnect by the bridge", m.topic, m.payload)
		}
	}
}

// TestLostConnectionPublishesWill tests that the broker publishes the will when the connection is lost.
func TestLostConnectionPublishesWill(t *testing.T) {
	t.Parallel()
	b := startOpenBroker(t)
	proxy := faultnet.New(t, b.addr)
	h := run(t, config(proxy.Addr()))
	h.send(nextTelegram(newMeter(t, "aidon-se", time.Now())))
	from := len(b.awaitTelegram(t))
	proxy.ResetConnections()
	received := b.await(t, "the will, and the meter online again", func(all []message) bool {
		i := index(all[from:], "hanbridge/status", "offline")
		return i >= 0 && index(all[from+i:], "hanbridge/house/status", "online") >= 0
	})[from:]
	will := received[index(received, "hanbridge/status", "offline")]
	if !will.will || !will.retain {
		t.Errorf("message offline: got will %v, retain %v, want true, true", will.will, will.retain)
	}
	if got := b.retained()["hanbridge/status"]; got != "online" {
		t.Errorf("the status of the bridge is %q on its second connection, want online", got)
	}
}

// TestPublishesWithoutReadPermission tests that values are published although the broker's rules forbid reading the hub's status.
func TestPublishesWithoutReadPermission(t *testing.T) {
	t.Parallel()
	b := startBroker(t, "127.0.0.1:0", "homeassistant/status")
	h := run(t, config(b.addr))
	telegram := nextTelegram(newMeter(t, "aidon-se", time.Now()))
	h.send(telegram)
	b.awaitTelegram(t)
	got := b.retained()
	for name, text := range decoded(t, telegram) {
		if got["hanbridge/house/"+name] != text {
			t.Errorf("%s: got %q, want %q", name, got["hanbridge/house/"+name], text)
		}
	}
	if got[meterConfig] == "" {
		t.Error("the meter is not announced")
	}
	if got := b.connectionLog(); got != "connect" {
		t.Errorf("connections: got %q, want one connection that is not lost", got)
	}
}

// TestRetainedAnnouncements tests that RetainedAnnouncements returns only the announcements of hanbridge, and does not disturb the bridge.
func TestRetainedAnnouncements(t *testing.T) {
	t.Parallel()
	b := startOpenBroker(t)
	c := config(b.addr)
	h := run(t, c)
	h.send(nextTelegram(newMeter(t, "aidon-se", time.Now())))
	b.awaitTelegram(t)
	if err := b.Publish("homeassistant/sensor/tasmota/config", []byte("{}"), true, 0); err != nil {
		t.Fatal(err)
	}
	all, err := mqtt.RetainedAnnouncements(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, m := range all {
		got[m.Topic] = string(m.Payload)
	}
	want := b.retained()
	maps.DeleteFunc(want, func(topic, _ string) bool { return !strings.Contains(topic, "/hanbridge_") })
	if diff := cmp.Diff(want, got); diff != "" || len(want) != 2 {
		t.Errorf("%d announcements (-want +got):\n%s", len(want), diff)
	}
	if b.retained()["hanbridge/status"] != "online" {
		t.Error("RetainedAnnouncements has disconnected the bridge")
	}
}

// TestCheckLeavesNothingRetained tests that nothing is retained after Check. Check must return an error if the broker forbids reading the
// topics of the bridge.
func TestCheckLeavesNothingRetained(t *testing.T) {
	t.Parallel()
	b := startOpenBroker(t)
	c := config(b.addr)
	c.Style = discovery.Off // so that Check connects only once, because mochi can drop a client whose previous connection has just ended
	if _, err := mqtt.Check(t.Context(), c); err != nil {
		t.Errorf("Check of a broker without access rules: %v", err)
	}
	if got := b.retained(); len(got) != 0 {
		t.Errorf("retained after Check: %v, want nothing", got)
	}
	unreadable := startBroker(t, "127.0.0.1:0", "hanbridge/")
	c.URL = "mqtt://" + unreadable.addr
	if _, err := mqtt.Check(t.Context(), c); err == nil {
		t.Error("Check: no error, though the broker forbids reading the bridge's topics")
	}
}

// TestConfiguredStatusTopic tests that the bridge receives the birth message under the configured topic, whatever the discovery prefix is. The
// bridge must not subscribe to another status topic.
func TestConfiguredStatusTopic(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, prefix, statusTopic, otherTopic string }{
		{"another prefix", "ha", "homeassistant/status", "ha/status"},
		{"another topic", "homeassistant", "hubs/birth", "homeassistant/status"},
		{"another prefix and topic", "ha", "ha/birth", "homeassistant/status"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := startOpenBroker(t)
			c := config(b.addr)
			c.Prefix, c.StatusTopic = tt.prefix, tt.statusTopic
			h := run(t, c)
			h.send(nextTelegram(newMeter(t, "aidon-se", time.Now())))
			from := len(b.awaitTelegram(t))
			for _, topic := range []string{tt.otherTopic, tt.statusTopic} {
				if err := b.Publish(topic, []byte("online"), false, 0); err != nil {
					t.Fatal(err)
				}
			}
			b.await(t, "everything again", func(all []message) bool {
				return index(all[from:], "hanbridge/house/status", "online") >= 0 && index(all[from:], tt.prefix+"/device/hanbridge_house/config", "") >= 0
			})
			if b.subscribed(tt.otherTopic) {
				t.Errorf("the bridge subscribes to %s", tt.otherTopic)
			}
		})
	}
}
