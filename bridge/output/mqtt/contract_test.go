package mqtt_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
	"github.com/hanbridge/hanbridge/bridge/output/outputtest"
	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/discovery/hatest"
	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// TestConformance runs the tests that every output must pass.
func TestConformance(t *testing.T) {
	t.Parallel()
	outputtest.Run(t, func(*testing.T) (bridge.Output, outputtest.Delivered) {
		// The broker runs until the end of TestConformance, because mochi has a data race if it is closed while a client connects.
		b := startOpenBroker(t)
		return mqtt.New(config(b.addr), zerolog.Nop()), outputtest.Delivered{
			Values: func() map[string]string { return b.values(outputtest.Meter) },
			Events: func() []string { return b.events(t, outputtest.Meter) },
		}
	})
}

// values returns the newest values of a meter, by the names of their quantities.
func (b *broker) values(meter string) map[string]string {
	all := map[string]string{}
	for _, m := range b.messages() {
		name, found := strings.CutPrefix(m.topic, "hanbridge/"+meter+"/")
		if found && !nonQuantityTopics[name] {
			all[name] = m.payload
		}
	}
	return all
}

// events returns the names of the events of a meter.
func (b *broker) events(t *testing.T, meter string) (names []string) {
	t.Helper()
	for _, m := range b.messages() {
		if m.topic != "hanbridge/"+meter+"/event" {
			continue
		}
		var e struct{ Event string }
		if err := json.Unmarshal([]byte(m.payload), &e); err != nil {
			t.Errorf("event %s: %v", m.payload, err)
		}
		names = append(names, e.Event)
	}
	return names
}

// nonQuantityTopics are the topics of a meter that belong to no quantity.
var nonQuantityTopics = map[string]bool{
	"rejected": true, "rejected_reason": true,
	"status": true, "info": true, "telegram": true, "event": true,
	"telegrams": true, "telegram_errors": true, "telegram_interval": true, "last_telegram": true,
}

// A telegramPayload is the payload of the telegram topic. Values holds the JSON text of each value, so that tests can compare every digit.
type telegramPayload struct {
	Meter     string                     `json:"meter"`
	Seq       int                        `json:"seq"`
	Received  string                     `json:"received"`
	MeterTime string                     `json:"meter_time"`
	Values    map[string]json.RawMessage `json:"values"`
}

// telegrams returns the telegrams of the meter "house" among the messages.
func telegrams(t *testing.T, all []message) (found []telegramPayload) {
	t.Helper()
	for _, m := range all {
		if m.topic != "hanbridge/house/telegram" {
			continue
		}
		var payload telegramPayload
		if err := json.Unmarshal([]byte(m.payload), &payload); err != nil || strings.Contains(m.payload, "\n") {
			t.Fatalf("telegram %s: got error %v, want JSON without a newline", m.payload, err)
		}
		found = append(found, payload)
	}
	return found
}

// TestEveryTopicOfTheContract tests that the bridge retains exactly the documented topics and publishes one telegram.
func TestEveryTopicOfTheContract(t *testing.T) {
	t.Parallel()
	b := startOpenBroker(t)
	h := run(t, config(b.addr))
	began := time.Now()
	telegram := nextTelegram(newMeter(t, "aidon-se", began))
	h.send(telegram)
	received := b.awaitTelegram(t)

	values := decoded(t, telegram)
	if len(values) < 30 {
		t.Fatalf("the telegram has only %d values, want 30 at least", len(values))
	}
	want := map[string]string{
		"hanbridge/status":                  "online",
		"hanbridge/house/status":            "online",
		"hanbridge/house/telegrams":         "1",
		"hanbridge/house/telegram_errors":   "0",
		"hanbridge/house/rejected":          "0",
		"hanbridge/house/rejected_reason":   "none since the start",
		"hanbridge/house/telegram_interval": "10.0", // the usual interval, until the interval of this meter is known
		"hanbridge/house/info": `{"make":"Aidon","model":"","serial":"","list":"","protocol":"hdlc",` +
			`"port":"/dev/ttyUSB0","settings":"115200 8N1"}`,
	}
	for name, text := range values {
		want["hanbridge/house/"+name] = text
	}
	got := b.retained()
	last, err := time.Parse(time.RFC3339, got["hanbridge/house/last_telegram"])
	if err != nil || last.Before(began.Truncate(time.Second)) || last.After(time.Now()) {
		t.Errorf("last_telegram %q: want the time of the telegram, RFC 3339", got["hanbridge/house/last_telegram"])
	}
	delete(got, "hanbridge/house/last_telegram")
	got["hanbridge/house/info"] = withoutInstance(t, got["hanbridge/house/info"])
	for _, m := range announcements(received) {
		delete(got, m.topic)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("retained (-want +got):\n" + diff)
	}
	for _, m := range received {
		isTelegram := m.topic == "hanbridge/house/telegram"
		if m.qos != 1 || m.retain == isTelegram {
			t.Errorf("%s: got QoS %d, retain %v; want QoS 1, and every message but the telegram retained", m.topic, m.qos, m.retain)
		}
	}
	checkTelegram(t, telegrams(t, received), values, began)
}

// instanceFields matches the fields of a description that say which bridge publishes a meter, and since when.
var instanceFields = regexp.MustCompile(`,"instance":"[0-9a-z.-]{20,40}","client":"client-[0-9a-f]{16}","since":"[0-9T:.-]{23}Z"`)

// withoutInstance returns a description without the fields that instanceFields matches. It fails the test if the fields are missing.
func withoutInstance(t *testing.T, info string) string {
	t.Helper()
	if !instanceFields.MatchString(info) {
		t.Errorf("no instance fields in %s", info)
	}
	return instanceFields.ReplaceAllString(info, "")
}

// checkTelegram tests that there is one telegram, and that it has the values, the time of its receipt and the time of the meter's clock.
func checkTelegram(t *testing.T, all []telegramPayload, values map[string]string, began time.Time) {
	t.Helper()
	if len(all) != 1 {
		t.Fatalf("got %d telegrams, want one", len(all))
	}
	telegram := all[0]
	got := map[string]string{}
	for name, raw := range telegram.Values {
		got[name] = string(raw)
	}
	if diff := cmp.Diff(values, got); diff != "" {
		t.Error("values (-topics +telegram):\n" + diff)
	}
	at, err := time.Parse("2006-01-02T15:04:05.000Z07:00", telegram.Received)
	if err != nil || at.Before(began.Truncate(time.Millisecond)) || at.After(time.Now()) {
		t.Errorf("received %q, want the time of receipt, with milliseconds and zone", telegram.Received)
	}
	meterTime, err := time.Parse(time.RFC3339, telegram.MeterTime)
	if err != nil || meterTime.Sub(began).Abs() > time.Minute {
		t.Errorf("meter_time %q, want the time of the meter's clock", telegram.MeterTime)
	}
	if telegram.Meter != "house" || telegram.Seq != 1 {
		t.Errorf("got telegram %d of %q, want 1 of house", telegram.Seq, telegram.Meter)
	}
}

// TestStatusOnlineIsPublishedLast tests that announcements and values are published before the status online of the meter.
func TestStatusOnlineIsPublishedLast(t *testing.T) {
	t.Parallel()
	b := startOpenBroker(t)
	h := run(t, config(b.addr))
	b.awaitText(t, "hanbridge/house/status", "offline")
	for i, m := range b.messages() {
		if strings.Contains(m.topic, "/hanbridge_house/") || m.topic == "hanbridge/house/import_power" {
			t.Errorf("message %d is published before the first telegram: %s", i, m.topic)
		}
	}
	telegram := nextTelegram(newMeter(t, "p1-se-aidon", time.Now()))
	h.send(telegram)
	received := b.awaitText(t, "hanbridge/house/status", "online")
	order := []int{
		index(received, "homeassistant/device/hanbridge_bridge/config", ""),
		index(received, "hanbridge/status", "online"),
		index(received, "homeassistant/device/hanbridge_house/config", ""),
	}
	for i, at := range order {
		if at < 0 || i > 0 && at < order[i-1] {
			t.Errorf("the announcement of the bridge, its status and the announcement of the meter are messages %v, want them in this order", order)
			break
		}
	}
	online := index(received, "hanbridge/house/status", "online")
	for name := range decoded(t, telegram) {
		if at := index(received, "hanbridge/house/"+name, ""); at < 0 || at > online {
			t.Errorf("%s is message %d and the status online is message %d, want the value first", name, at, online)
		}
	}
}

// TestAnnouncementsAreValid tests the announcements of each style against the rules of Home Assistant.
func TestAnnouncementsAreValid(t *testing.T) {
	t.Parallel()
	// With Device the bridge and the meter have one announcement each. With Component each of their 38 entities has one announcement.
	for style, want := range map[discovery.Style]int{discovery.Device: 2, discovery.Component: 38, discovery.Off: 0} {
		t.Run(style.String(), func(t *testing.T) {
			t.Parallel()
			b := startOpenBroker(t)
			c := config(b.addr)
			c.Style = style
			h := run(t, c)
			h.send(nextTelegram(newMeter(t, "aidon-se", time.Now())))
			received := b.awaitTelegram(t)
			all := map[string][]byte{}
			for _, m := range announcements(received) {
				all[m.topic] = []byte(m.payload)
				for _, err := range hatest.Check(m.topic, []byte(m.payload)) {
					t.Errorf("%s: %v", m.topic, err)
				}
			}
			for _, err := range hatest.CheckSet(all) {
				t.Error(err)
			}
			if len(all) != want {
				t.Errorf("got %d announcements, want %d", len(all), want)
			}
			for _, m := range received {
				if style == discovery.Off && !strings.HasPrefix(m.topic, "hanbridge/") {
					t.Errorf("%s is published although discovery is off", m.topic)
				}
			}
		})
	}
}

// TestEvent tests the event of a meter whose profile changes. A profile is the family of the meter's telegrams and their protocol.
func TestEvent(t *testing.T) {
	t.Parallel()
	b := startOpenBroker(t)
	h := run(t, config(b.addr))
	began := time.Now()
	for _, name := range []string{"aidon-se", "p1-se-aidon"} {
		m := newMeter(t, name, time.Now())
		for range 3 { // a single telegram of another profile is not a change
			h.send(nextTelegram(m))
		}
	}
	received := b.awaitText(t, "hanbridge/house/event", "")
	event := received[index(received, "hanbridge/house/event", "")]
	if event.retain || event.qos != 1 {
		t.Errorf("event: got retain %v, QoS %d, want false, 1", event.retain, event.qos)
	}
	var got struct{ Time, Event, From, To string }
	if err := json.Unmarshal([]byte(event.payload), &got); err != nil || strings.Contains(event.payload, "\n") {
		t.Fatalf("payload %s: got error %v, want JSON without a newline", event.payload, err)
	}
	at, err := time.Parse(time.RFC3339, got.Time)
	if err != nil || at.Before(began.Truncate(time.Second)) || at.After(time.Now()) {
		t.Errorf("time %q, want the time of the change, RFC 3339", got.Time)
	}
	if got.Event != "profile_changed" || got.From != "aidon hdlc" || got.To != "aidon p1" {
		t.Errorf("got %+v, want profile_changed from aidon hdlc to aidon p1", got)
	}
}

// TestTextQuantity tests that a text message of the grid company is published exactly, with characters that JSON must escape.
func TestTextQuantity(t *testing.T) {
	t.Parallel()
	const text = "strömavbrott \"natten till\"\n\tlördag \\ 02–04 <&>"
	// The telegram has the text message (0-0:96.13.0) and a power of 1727 W. The addresses and the control byte are those of an Aidon meter.
	info := dlms.AppendArray(dlms.AppendNotification([]byte(dlms.LLC), 1), 2)
	info = dlms.AppendVisibleString(dlms.AppendLogicalName(dlms.AppendStructure(info, 2), obis.Code{0, 0, 96, 13, 0, obis.Any}), text)
	info = dlms.AppendLogicalName(dlms.AppendStructure(info, 3), obis.Code{1, 0, 1, 7, 0, obis.Any})
	info = dlms.AppendScalerUnit(dlms.AppendNumber(info, dlms.Uint32, 1727), 0, obis.Watt)
	frame := hdlc.Append(nil, hdlc.Frame{Destination: []byte{0x41}, Source: []byte{0x08, 0x83}, Control: 0x13, Info: info})

	b := startOpenBroker(t)
	h := run(t, config(b.addr))
	h.send(frame)
	received := b.awaitTelegram(t)
	if got := b.retained()["hanbridge/house/text_message"]; got != text {
		t.Errorf("topic: got %q, want %q", got, text)
	}
	var got string
	raw := telegrams(t, received)[0].Values["text_message"]
	if err := json.Unmarshal(raw, &got); err != nil || got != text {
		t.Errorf("telegram: got %q, %v, want %q", got, err, text)
	}
}

// TestQoSAndRetain tests that every message has the configured QoS, and that Config.Retain changes only the messages of values.
// TestEveryTopicOfTheContract tests QoS 1 with Retain.
func TestQoSAndRetain(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		qos    byte
		retain bool
	}{{0, true}, {0, false}, {1, false}} {
		t.Run(fmt.Sprintf("qos %d, retain %v", tt.qos, tt.retain), func(t *testing.T) {
			t.Parallel()
			b := startOpenBroker(t)
			c := config(b.addr)
			c.QoS, c.Retain = tt.qos, tt.retain
			h := run(t, c)
			telegram := nextTelegram(newMeter(t, "aidon-se", time.Now()))
			h.send(telegram)
			values := decoded(t, telegram)
			for _, m := range b.awaitTelegram(t) {
				name := strings.TrimPrefix(m.topic, "hanbridge/house/")
				_, isValue := values[name]
				wantRetain := name != "telegram" && (tt.retain || !isValue)
				if m.qos != tt.qos || m.retain != wantRetain {
					t.Errorf("%s: got QoS %d, retain %v, want %d, %v", m.topic, m.qos, m.retain, tt.qos, wantRetain)
				}
			}
		})
	}
}
