package mqtt

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
)

// TestScanLimits tests that a scan stores no more than its limits permit, and is incomplete if more messages arrive. The limits are 100 messages and
// 10 000 bytes, topics included. The scan accepts topics that begin with "ours".
func TestScanLimits(t *testing.T) {
	retained := func(topic string, size int) broker.Message {
		return broker.Message{Topic: topic, Payload: []byte(strings.Repeat("x", size)), Retain: true}
	}
	for _, tt := range []struct {
		name           string
		count          int // how often message arrives
		message        broker.Message
		wantStored     int
		wantIncomplete bool
	}{
		{"at the limit of messages", 100, retained("ours", 10), 100, false},
		{"one message above the limit", 101, retained("ours", 10), 100, true},
		{"many messages above the limit", 100_000, retained("ours", 10), 100, true},
		{"messages of 1000 bytes, most of them in the payload", 50, retained("ours", 996), 10, true},
		{"a message that is larger than the limit", 1, retained("ours", 1<<20), 0, true},
		{"messages of 1000 bytes, most of them in the topic", 50, retained("ours"+strings.Repeat("x", 991), 5), 10, true},
		{"messages of other programs", 100_000, retained("theirs", 10), 0, false},
		{"messages that are not retained", 100_000, broker.Message{Topic: "ours", Payload: []byte("x")}, 0, false},
		{"empty retained messages, which remove a topic", 100_000, broker.Message{Topic: "ours", Retain: true}, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &scan{url: "broker:1883", limits: scanLimits{100, 10_000}, idleTime: time.Hour, accepts: func(topic string) bool { return strings.HasPrefix(topic, "ours") }}
			for range tt.count {
				s.receive(tt.message)
			}
			if tt.wantIncomplete && s.remaining(time.Now(), 0) > 0 {
				t.Error("the scan does not end at its limit")
			}
			found, err := s.result()
			incomplete := new(IncompleteError)
			hasWantedError := err == nil
			if tt.wantIncomplete {
				hasWantedError = errors.As(err, &incomplete)
			}
			if len(found) != tt.wantStored || !hasWantedError {
				t.Errorf("got %d messages and error %v, want %d messages, incomplete: %v", len(found), err, tt.wantStored, tt.wantIncomplete)
			}
			s.receive(retained("ours", 1))
			if later, _ := s.result(); len(later) != tt.wantStored {
				t.Error("the scan stores a message after its end")
			}
		})
	}
}

// TestScanEnd tests when a scan ends: after idleTime without a retained message, or after a tenth of it if the marker was the last message.
func TestScanEnd(t *testing.T) {
	retained := broker.Message{Topic: "a", Payload: []byte("1"), Retain: true}
	receive := func(m broker.Message) func(*scan) { return func(s *scan) { s.receive(m) } }
	const slowest = 7 * time.Second // how long the broker took to answer
	for _, tt := range []struct {
		name   string
		events []func(*scan) // one event each second after the last subscription was answered
		want   time.Duration // how long the scan then still waits
	}{
		{"nothing", nil, 107 * time.Second},
		{"a message", []func(*scan){receive(retained)}, 107 * time.Second},
		{"a message that is not retained", []func(*scan){receive(retained), receive(broker.Message{Topic: "a", Payload: []byte("2")})}, 106 * time.Second},
		{"an empty message, which removes a topic", []func(*scan){receive(retained), receive(broker.Message{Topic: "a", Retain: true})}, 106 * time.Second},
		{"the marker", []func(*scan){(*scan).receiveMarker}, 24 * time.Second},
		{"a message and then the marker", []func(*scan){receive(retained), (*scan).receiveMarker}, 24 * time.Second},
		{"a message after the marker", []func(*scan){(*scan).receiveMarker, receive(retained)}, 107 * time.Second},
		{"a message of other programs after the marker", []func(*scan){(*scan).receiveMarker, receive(broker.Message{Topic: "other", Payload: []byte("1"), Retain: true})}, 107 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scan{limits: scanLimits{10, 1000}, idleTime: 100 * time.Second, accepts: func(topic string) bool { return topic == "a" }}
				subscribedAt := time.Now()
				for _, event := range tt.events {
					<-time.After(time.Second)
					event(s)
				}
				if got := s.remaining(subscribedAt, slowest); got != tt.want {
					t.Errorf("got %v until the end, want %v", got, tt.want)
				}
				<-time.After(tt.want)
				if got := s.remaining(subscribedAt, slowest); got > 0 {
					t.Errorf("got %v until the end after waiting, want the end", got)
				}
			})
		})
	}
}

// TestScanTimeout tests that a scan whose time is over returns an error that names the time limit.
func TestScanTimeout(t *testing.T) {
	s := new(scan)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	s.noteFailure(ended, nil)
	if _, err := s.result(); err == nil || !strings.Contains(err.Error(), "10s") {
		t.Errorf("got %v, want an error that names the time limit", err)
	}
}
