//go:build linux

package program_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
	"github.com/hanbridge/hanbridge/discovery/hatest"
)

// testValues tests the payload of every topic after one telegram, the announcement, and the status after the bridge is stopped.
func testValues(t *testing.T, family string) {
	broker, cable := testbed.StartMosquitto(t), testbed.PlugCable(t, family)
	messages := broker.LogMessages()
	run := testbed.StartBridge(t, broker.URLVariable(), cable.PortVariable())
	run.AwaitOutput("port opened")
	messages.AwaitMessage("hanbridge/status", "online")
	cable.Send()
	telegram := messages.AwaitMessage("hanbridge/house/telegram")
	messages.AwaitMessage("hanbridge/house/status", "online")

	payloads, want := messages.Last(), testbed.FirstTelegram(t, family)
	checkTelegram(t, telegram, want)
	checkNonQuantities(t, payloads, family)
	checkAnnounced(t, payloads)
	if diff := cmp.Diff(want, testbed.Values(payloads)); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	delete(payloads, "hanbridge/house/telegram") // the only topic that is not retained
	retained := broker.Retained()
	if diff := cmp.Diff(payloads, retained); diff != "" {
		t.Errorf("retained (-published +retained):\n%s", diff)
	}
	if n := strings.Count(run.Output(), "\n"); n > 8 {
		t.Errorf("log lines at the start: got %d, want 8 at most:\n%s", n, run.Output())
	}

	run.Stop(syscall.SIGTERM)
	messages.AwaitMessage("hanbridge/status", "offline")
	messages.AwaitMessage("hanbridge/house/status", "offline")
	if strings.Contains(run.Output(), "somebody else") {
		t.Errorf("the bridge takes its own message for a message of another bridge:\n%s", run.Output())
	}
	retained = broker.Retained()
	for _, topic := range []string{"hanbridge/status", "hanbridge/house/status"} {
		if got := retained[topic]; got != "offline" {
			t.Errorf("%s after the stop: retained %q, want offline", topic, got)
		}
	}
}

// nonQuantityPatterns are the patterns of the payloads after the first telegram, for the topics of a meter that do not carry a quantity.
var nonQuantityPatterns = map[string]string{
	"status":            `online`,
	"telegrams":         `1`,
	"telegram_errors":   `0`,
	"rejected":          `0`,
	"rejected_reason":   `none since the start`,
	"telegram_interval": `10\.0`, // the default, because one telegram shows no interval
	"last_telegram":     `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)`,
	"telegram":          `\{.*\}`,
	"info":              `\{.*\}`,
}

// checkNonQuantities requires that the payloads match nonQuantityPatterns, and that the payload of info has the right values for the family.
func checkNonQuantities(t *testing.T, payloads map[string]string, family string) {
	t.Helper()
	for name, pattern := range nonQuantityPatterns {
		got := payloads["hanbridge/house/"+name]
		if !regexp.MustCompile(`^(?s:` + pattern + `)$`).MatchString(got) {
			t.Errorf("hanbridge/house/%s: got %q, want %s", name, got, pattern)
		}
	}
	var info map[string]string
	if err := json.Unmarshal([]byte(payloads["hanbridge/house/info"]), &info); err != nil {
		t.Errorf("info: %v", err)
	}
	protocol, model := "p1", "6534"
	if family == "aidon-se" {
		protocol, model = "hdlc", ""
	}
	for key, want := range map[string]string{"make": "Aidon", "model": model, "protocol": protocol, "settings": "115200 8N1"} {
		if got, ok := info[key]; !ok || got != want {
			t.Errorf("info: %s: got %q, want %q", key, got, want)
		}
	}
}

// checkAnnounced requires that exactly the published values of the meter are announced.
func checkAnnounced(t *testing.T, payloads map[string]string) {
	t.Helper()
	states := hatest.StateTopics(testbed.Announcements(t, payloads))
	for name := range testbed.Values(payloads) {
		if !slices.Contains(states, "hanbridge/house/"+name) {
			t.Errorf("%s is published, but not announced", name)
		}
	}
	for _, topic := range states {
		if _, ok := payloads[topic]; !ok {
			t.Errorf("%s is announced, but no message is published there", topic)
		}
	}
}

// checkTelegram requires that the telegram is number 1 of the meter "house", and that its values have the digits of want.
func checkTelegram(t *testing.T, text string, want map[string]string) {
	t.Helper()
	var telegram struct {
		Meter     string
		Seq       int
		Received  time.Time
		MeterTime time.Time `json:"meter_time"`
		Values    map[string]json.Number
		Instance  string
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&telegram); err != nil {
		t.Fatalf("telegram: %v\n%s", err, text)
	}
	got := map[string]string{}
	for name, number := range telegram.Values {
		got[name] = number.String()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values in the telegram (-want +got):\n%s", diff)
	}
	hasTimes := telegram.MeterTime.Equal(testbed.Noon) && time.Since(telegram.Received) < time.Minute
	if telegram.Meter != "house" || telegram.Seq != 1 || !hasTimes {
		t.Errorf("telegram: got %s, want number 1 of house with the meter's time %v, received just now", text, testbed.Noon)
	}
}
