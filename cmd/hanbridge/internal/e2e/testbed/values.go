//go:build linux

package testbed

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/discovery/hatest"
)

// FirstTelegram returns the quantities of the first telegram on a cable of the families p1-se-aidon and aidon-se, by name.
func FirstTelegram(t testing.TB, family string) map[string]string {
	t.Helper()
	want := map[string]string{}
	for line := range strings.Lines(File(t, "cmd/hanbridge/internal/e2e/testbed/testdata/aidon.txt")) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if family == "aidon-se" && strings.HasPrefix(name, "current_") {
			value = "-" + value // this list signs currents as their power
		}
		want[name] = value
	}
	return want
}

// AboutBridge are the topics below a meter's that are no quantities, each with a pattern of its payload behind the first telegram.
var AboutBridge = map[string]string{
	"status":            `online`,
	"telegrams":         `1`,
	"telegram_errors":   `0`,
	"rejected":          `0`,
	"rejected_reason":   `none since the start`,
	"telegram_interval": `10\.0`,
	"last_telegram":     `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)`,
	"telegram":          `\{.*\}`,
	"info":              `\{.*\}`,
}

// Values returns the quantities of the meter "house" among what was heard, by name.
func Values(heard map[string]string) map[string]string {
	values := map[string]string{}
	for topic, payload := range heard {
		name, ofMeter := strings.CutPrefix(topic, "hanbridge/house/")
		if _, about := AboutBridge[name]; ofMeter && !about {
			values[name] = payload
		}
	}
	return values
}

// CheckAnnounced wants sound announcements among what was heard, and one for each of the values of the meter "house".
func CheckAnnounced(t testing.TB, heard map[string]string) {
	t.Helper()
	announced := map[string][]byte{}
	for topic, payload := range heard {
		if strings.HasPrefix(topic, "homeassistant/") {
			announced[topic] = []byte(payload)
		}
	}
	for _, err := range hatest.CheckSet(announced) {
		t.Error(err)
	}
	var device struct {
		Components map[string]struct {
			StateTopic string `json:"state_topic"`
		}
	}
	topic := "homeassistant/device/hanbridge_house/config"
	if err := json.Unmarshal(announced[topic], &device); err != nil {
		t.Fatalf("%s: %v", topic, err)
	}
	for name := range Values(heard) {
		if got, want := device.Components[name].StateTopic, "hanbridge/house/"+name; got != want {
			t.Errorf("%s: state topic of %s: got %q, want %q", topic, name, got, want)
		}
	}
	for name, component := range device.Components {
		if _, ok := heard[component.StateTopic]; !ok {
			t.Errorf("%s: %s is announced, but nothing is published under %s", topic, name, component.StateTopic)
		}
	}
}
