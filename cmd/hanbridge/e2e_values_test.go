//go:build linux

package main_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/discovery/hatest"
)

// testValues wants every topic right after one telegram, what a hub needs to find them, and a proper end.
func testValues(t *testing.T, hanbridge, family string) {
	broker, cable := startedMosquitto(t), pluggedCable(t, family)
	ears := broker.listens()
	run := startRun(t, hanbridge, broker.url(), cable.variable())
	run.awaits(5*time.Second, "port opened")
	ears.hears(5*time.Second, "hanbridge/status", "online")
	cable.send()
	telegram := ears.hears(5*time.Second, "hanbridge/house/telegram")
	ears.hears(time.Second, "hanbridge/house/status", "online")

	heard, want := ears.heard(), wantTopics(t, family)
	checkTelegram(t, telegram, want)
	checkVarying(t, heard, family)
	checkAnnounced(t, heard, want)
	if diff := cmp.Diff(want, valuesOf(heard)); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	delete(heard, "hanbridge/house/telegram") // an event, the only thing that is not retained
	kept := broker.kept()
	delete(kept, marker)
	if diff := cmp.Diff(heard, kept); diff != "" {
		t.Errorf("retained (-published +retained):\n%s", diff)
	}
	if n := strings.Count(run.said(), "\n"); n > 8 {
		t.Errorf("start-up is %d lines, want 8 at most:\n%s", n, run.said())
	}

	run.ends(syscall.SIGTERM, 2*time.Second)
	ears.hears(time.Second, "hanbridge/status", "offline")
	ears.hears(time.Second, "hanbridge/house/status", "offline")
	if strings.Contains(run.said(), "somebody else") {
		t.Errorf("it takes its own word for somebody else's:\n%s", run.said())
	}
	for _, topic := range []string{"hanbridge/status", "hanbridge/house/status"} {
		if got := broker.kept()[topic]; got != "offline" {
			t.Errorf("%s after the end: retained %q, want offline", topic, got)
		}
	}
}

// wantTopics are the quantities of the first telegram of a family, by name.
func wantTopics(t *testing.T, family string) map[string]string {
	t.Helper()
	want := map[string]string{}
	for line := range strings.Lines(contentOf(t, "cmd/hanbridge/testdata/topics/aidon.txt")) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if family == "aidon-se" && strings.HasPrefix(name, "current_") {
			value = "-" + value // this list signs currents as their power
		}
		want[name] = value
	}
	return want
}

// aboutBridge are the topics below a meter's that are no quantities.
var aboutBridge = map[string]string{
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

// valuesOf are the quantities of the meter, by name.
func valuesOf(heard map[string]string) map[string]string {
	values := map[string]string{}
	for topic, payload := range heard {
		name, ofMeter := strings.CutPrefix(topic, "hanbridge/house/")
		if _, about := aboutBridge[name]; ofMeter && !about {
			values[name] = payload
		}
	}
	return values
}

func checkVarying(t *testing.T, heard map[string]string, family string) {
	t.Helper()
	for name, pattern := range aboutBridge {
		got := heard["hanbridge/house/"+name]
		if !regexp.MustCompile(`^(?s:` + pattern + `)$`).MatchString(got) {
			t.Errorf("hanbridge/house/%s: got %q, want %s", name, got, pattern)
		}
	}
	var info map[string]string
	if err := json.Unmarshal([]byte(heard["hanbridge/house/info"]), &info); err != nil {
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

// checkTelegram wants one object with the published numbers in it, digit by digit.
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
	if telegram.Meter != "house" || telegram.Seq != 1 || !telegram.MeterTime.Equal(noon) || time.Since(telegram.Received) > time.Minute {
		t.Errorf("telegram: got %s, want the first one of house at %v, received just now", text, noon)
	}
}

// checkAnnounced wants sound announcements, and one for each of the values.
func checkAnnounced(t *testing.T, heard, values map[string]string) {
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
	for name := range values {
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
