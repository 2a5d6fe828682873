package mqtt

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
)

// TestScanLimits tests that a scan stores no more messages than its limits permit, and then is incomplete.
func TestScanLimits(t *testing.T) {
	retained := func(topic string, size int) broker.Message {
		return broker.Message{Topic: topic, Payload: []byte(strings.Repeat("x", size)), Retain: true}
	}
	for _, tt := range []struct {
		name       string
		messages   int
		message    broker.Message
		want       int // taken in
		incomplete bool
	}{
		{"as many as there may be", 100, retained("ours", 10), 100, false},
		{"one more", 101, retained("ours", 10), 100, true},
		{"a flood", 100_000, retained("ours", 10), 100, true},
		{"long ones", 50, retained("ours", 996), 10, true},
		{"one that is too long", 1, retained("ours", 1<<20), 0, true},
		{"long topics", 50, retained("ours"+strings.Repeat("x", 991), 5), 10, true},
		{"of others", 100_000, retained("theirs", 10), 0, false},
		{"not retained", 100_000, broker.Message{Topic: "ours", Payload: []byte("x")}, 0, false},
		{"taken back", 100_000, broker.Message{Topic: "ours", Retain: true}, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &scan{host: "broker:1883", limits: scanLimits{100, 10_000}, accepts: func(topic string) bool { return strings.HasPrefix(topic, "ours") }}
			for range tt.messages {
				s.receive(tt.message)
			}
			if tt.incomplete && !s.isIdle() {
				t.Error("goes on to listen when it is full")
			}
			found, err := s.result()
			short := new(IncompleteError)
			if len(found) != tt.want || errors.As(err, &short) != tt.incomplete || err != nil && !tt.incomplete {
				t.Errorf("got %d messages and %v, want %d, incomplete %v", len(found), err, tt.want, tt.incomplete)
			}
			s.receive(retained("ours", 1))
			if later, _ := s.result(); len(later) != tt.want {
				t.Error("takes in more when it is over")
			}
		})
	}
}

// TestScanIgnoresUnretained tests that messages that are not retained do not delay the end of a scan.
func TestScanIgnoresUnretained(t *testing.T) {
	s := &scan{limits: scanLimits{10, 1000}}
	for i, step := range []struct {
		hears broker.Message
		want  bool
	}{
		{broker.Message{}, true},
		{broker.Message{Topic: "a", Payload: []byte("1"), Retain: true}, false},
		{broker.Message{Topic: "a", Payload: []byte("2")}, true},
		{broker.Message{Topic: "b", Payload: []byte("1"), Retain: true}, false},
		{broker.Message{Topic: "b", Retain: true}, true},
	} {
		s.receive(step.hears)
		if got := s.isIdle(); got != step.want {
			t.Errorf("step %d: silent %v, want %v", i, got, step.want)
		}
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	s.noteFailure(over, nil)
	if _, err := s.result(); err == nil || !strings.Contains(err.Error(), "10s") {
		t.Errorf("got %v, want an error that names the time", err)
	}
}
