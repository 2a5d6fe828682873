package hatest

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// CheckState tells what a hub would not take of a state: it compares the payload on a topic with every entity of the
// announcements that reads it, as state or as availability. A topic that no entity reads is sound with any payload.
func CheckState(announced map[string][]byte, topic string, payload []byte) []error {
	var errs []error
	for _, e := range entities(announced) {
		if e.text("state_topic") == topic {
			if err := e.state(payload); err != nil {
				errs = append(errs, fmt.Errorf("%s %q: %s: %w", topic, payload, e.where, err))
			}
		}
		if slices.Contains(availabilityTopics(e.set), topic) && string(payload) != "online" && string(payload) != "offline" {
			errs = append(errs, fmt.Errorf("%s %q: %s: availability is online or offline", topic, payload, e.where))
		}
	}
	return errs
}

// CheckStates checks all states, by topic.
func CheckStates(announced, states map[string][]byte) []error {
	var errs []error
	for _, topic := range slices.Sorted(maps.Keys(states)) {
		errs = append(errs, CheckState(announced, topic, states[topic])...)
	}
	return errs
}

// StateTopics returns, in order, the topics from which the announced entities read their states.
func StateTopics(announced map[string][]byte) []string {
	topics := map[string]bool{}
	for _, e := range entities(announced) {
		topics[e.text("state_topic")] = true
	}
	return slices.Sorted(maps.Keys(topics))
}

func entities(announced map[string][]byte) []*entity {
	var all []*entity
	for _, topic := range slices.Sorted(maps.Keys(announced)) {
		if a, _ := read(topic, announced[topic]); a != nil {
			for i := range a.entities {
				all = append(all, &a.entities[i])
			}
		}
	}
	return all
}

func availabilityTopics(set object) []string {
	var topics []string
	if t := text(set, "availability_topic"); t != "" {
		topics = append(topics, t)
	}
	list, _ := set["availability"].([]any)
	for _, v := range list {
		entry, _ := v.(map[string]any)
		topics = append(topics, text(entry, "topic"))
	}
	return topics
}

// mostCharacters is what Home Assistant keeps of a state: a longer one becomes unknown.
const mostCharacters = 255

// number is a plain one: hubs keep it as it is written, so that there must be one way to write it. Other numbers (1e3, +1,
// 01, .5, -0) are refused though some hubs read them, and so is every word: "None" makes a state unknown.
var number = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)

// state tells why an entity does not take a payload.
func (e *entity) state(payload []byte) error {
	s := string(payload)
	switch {
	case s == "":
		return fmt.Errorf("an empty state is ignored")
	case !utf8.ValidString(s):
		return fmt.Errorf("no UTF-8")
	case e.has("value_template"):
		return isJSONObject(payload)
	case e.platform == "binary_sensor":
		return e.isOneOf(s, e.or("payload_on", "ON"), e.or("payload_off", "OFF"))
	case e.text("device_class") == "timestamp":
		if _, err := time.Parse(time.RFC3339, s); err != nil {
			return fmt.Errorf("no RFC 3339 time with a zone: %w", err)
		}
	case e.has("options"):
		return e.isOneOf(s, texts(e.set["options"])...)
	case numeric(e):
		return e.number(s)
	case s == "None":
		return fmt.Errorf("makes the state unknown")
	case utf8.RuneCountInString(s) > mostCharacters:
		return fmt.Errorf("%d characters, more than %d, make the state unknown", utf8.RuneCountInString(s), mostCharacters)
	}
	return nil
}

func (e *entity) number(s string) error {
	if !number.MatchString(s) || strings.HasPrefix(s, "-") && strings.Trim(s, "-0.") == "" {
		return fmt.Errorf("no plain number")
	}
	if e.text("state_class") == "total_increasing" && s[0] == '-' {
		return fmt.Errorf("a counter is not negative")
	}
	_, fraction, _ := strings.Cut(s, ".")
	if want, ok := e.set["suggested_display_precision"].(json.Number); ok && string(want) != strconv.Itoa(len(fraction)) {
		return fmt.Errorf("%d decimals, announced are %s: equal values must be equal texts", len(fraction), want)
	}
	return nil
}

func (e *entity) isOneOf(s string, all ...string) error {
	if !slices.Contains(all, s) {
		return fmt.Errorf("none of %q", all)
	}
	return nil
}

func (e *entity) or(option, otherwise string) string {
	if e.has(option) {
		return e.text(option)
	}
	return otherwise
}

func isJSONObject(payload []byte) error {
	_, err := parseObject(payload)
	return err
}
