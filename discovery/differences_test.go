package discovery_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/discovery"
)

// TestDifferences tests the texts of the differences between two payloads of one topic.
func TestDifferences(t *testing.T) {
	const topic = "homeassistant/sensor/hanbridge_house/gas/config"
	message := func(payload string) []discovery.Message {
		return []discovery.Message{{Topic: topic, Payload: []byte(payload)}}
	}
	for _, row := range []struct {
		name              string
		announced, wanted []discovery.Message
		want              []string
	}{
		{"no messages", nil, nil, nil},
		{"another order of keys and other spaces", message(`{"a":1,"b":[1,2]}`), message(` { "b":[1, 2], "a":1}`), nil},
		{"a message is not announced", nil, message(`{"a":1}`), []string{"is not announced"}},
		{"an announced payload is empty", message(""), message(`{"a":1}`), []string{"is not announced"}},
		{"a message is not wanted", message(`{"a":1}`), nil, []string{"is announced, and not wanted"}},
		{"an option differs", message(`{"c":{"gas":{"unit":"m3"}}}`), message(`{"c":{"gas":{"unit":"m³"}}}`), []string{`c.gas.unit is "m3", wanted "m³"`}},
		{"an option is missing, another is not wanted", message(`{"old":1}`), message(`{"new":"<x>"}`), []string{`new is missing, wanted "\u003cx\u003e"`, "old is not wanted, is 1"}},
		{"a component is missing", message(`{"c":{}}`), message(`{"c":{"gas":{"unit":"m³"}}}`), []string{"c.gas is missing"}},
		{"a component is not wanted", message(`{"c":{"gas":{"unit":"m³"}}}`), message(`{"c":{}}`), []string{"c.gas is not wanted"}},
		{"another order in a list", message(`{"a":[1,2]}`), message(`{"a":[2,1]}`), []string{"a is [1,2], wanted [2,1]"}},
		{"null instead of a missing key", message(`{"a":null}`), message(`{}`), []string{"a is not wanted, is null"}},
		{"an object instead of a number", message(`{"a":{"b":1}}`), message(`{"a":1}`), []string{"a is …, wanted 1"}},
		{"announced payload is not JSON", message("what\nelse"), message(`{"a":1}`), []string{`is "what\nelse", wanted …`}},
	} {
		var got []string
		for _, d := range discovery.Differences(row.announced, row.wanted) {
			got = append(got, strings.TrimPrefix(d.String(), topic+": "))
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: got differences %q, want %q", row.name, got, row.want)
		}
	}
}

// TestDifferencesOfStyles tests that every message differs if one style is announced and the other is wanted.
func TestDifferencesOfStyles(t *testing.T) {
	device, component := allMessages(config(discovery.Device), smallMeter), allMessages(config(discovery.Component), smallMeter)
	if got, want := len(discovery.Differences(device, component)), len(device)+len(component); got != want {
		t.Errorf("got %d differences, want %d", got, want)
	}
}
