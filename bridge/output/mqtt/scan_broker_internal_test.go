package mqtt

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
)

// A retainingBroker is a broker for one client. It sends retained messages to the client, in an order that a test chooses.
type retainingBroker struct {
	retained  map[string][]string // topics by topic filter; the payload of each message is "online"
	forbidden string              // a topic filter to which the client is not permitted to subscribe; "" for none
	// first is a topic filter. The broker sends its retained message before those of earlier subscriptions, and then one of the others every
	// 50 ms. If first is "", the broker sends retained messages in the order of the subscriptions.
	first   string
	pending [][]byte // the packets that wait until the client subscribes to first
}

// start runs the broker until the end of the test, and returns its URL.
func (b *retainingBroker) start(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	t.Cleanup(running.Wait)
	running.Go(func() {
		c, err := l.Accept()
		_ = l.Close()
		if err == nil {
			t.Cleanup(func() { _ = c.Close() })
			b.serve(c)
		}
	})
	return "mqtt://" + l.Addr().String()
}

// serve answers the packets of the client until the connection ends.
func (b *retainingBroker) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	for in := bufio.NewReader(c); ; {
		kind, _ := in.ReadByte()
		n, err := binary.ReadUvarint(in)
		body := make([]byte, n)
		if _, readErr := io.ReadFull(in, body); err != nil || readErr != nil {
			return
		}
		switch kind >> 4 {
		case 1: // CONNECT
			_, _ = c.Write([]byte{0x20, 2, 0, 0})
		case 8: // SUBSCRIBE
			b.subscribe(c, body)
		case 14: // DISCONNECT
			return
		}
	}
}

// subscribe answers a SUBSCRIBE and sends the retained messages of its topic filter.
func (b *retainingBroker) subscribe(c net.Conn, body []byte) {
	filter := string(body[4 : 4+binary.BigEndian.Uint16(body[2:])])
	if filter == b.forbidden {
		_, _ = c.Write([]byte{0x90, 3, body[0], body[1], 0x80})
		return
	}
	answer := []byte{0x90, 3, body[0], body[1], 0}
	for _, topic := range b.retained[filter] {
		packet := append([]byte{0x31, byte(2 + len(topic) + len(online)), 0, byte(len(topic))}, topic+online...) // a PUBLISH with the retain flag
		if b.first == "" || b.first == filter {
			answer = append(answer, packet...)
		} else {
			b.pending = append(b.pending, packet)
		}
	}
	if b.first == filter {
		for i, packet := range b.pending[1:] {
			time.AfterFunc(time.Duration(i)*50*time.Millisecond, func() { _, _ = c.Write(packet) })
		}
		answer = append(answer, b.pending[0]...)
	}
	_, _ = c.Write(answer)
}

// TestScanOrder tests which retained messages a scan finds if the broker sends them in the order of the subscriptions, sends the marker before
// the other messages, retains no marker, or forbids the subscription to it.
func TestScanOrder(t *testing.T) {
	t.Parallel()
	const markerTopic = "hanbridge/status"
	var config, sensors []string
	for i := range 20 {
		config, sensors = append(config, fmt.Sprintf("ha/device/%02d/config", i)), append(sensors, fmt.Sprintf("ha/sensor/%02d/config", i))
	}
	// The scan ends if nothing arrives for idleTime, or for a tenth of it after the marker.
	const idleTime = 4 * time.Second
	retained := map[string][]string{"ha/device/+/config": config, "ha/sensor/+/config": sensors, markerTopic: {markerTopic}}
	filters := []string{"ha/device/+/config", "ha/sensor/+/config"}
	for _, tt := range []struct {
		name       string
		broker     retainingBroker
		filters    []string
		wantMarker bool // the marker is the last message that arrives
	}{
		{"in order", retainingBroker{retained: retained}, filters, true},
		{"the marker is one of the filters", retainingBroker{retained: retained}, append([]string{markerTopic}, filters...), true},
		{"no retained marker", retainingBroker{retained: map[string][]string{filters[0]: config, filters[1]: sensors}}, filters, false},
		{"marker forbidden", retainingBroker{retained: retained, forbidden: markerTopic}, filters, false},
		// The last message arrives 1.9 s after the marker.
		{"marker first", retainingBroker{retained: retained, first: markerTopic}, filters, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, markerLast := scanTopics(t, tt.broker.start(t), markerTopic, tt.filters, idleTime)
			want := slices.Concat(config, sensors)
			if slices.Contains(tt.filters, markerTopic) {
				want = append(want, markerTopic)
			}
			slices.Sort(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("found topics (-want +got):\n%s", diff)
			}
			if markerLast != tt.wantMarker {
				t.Errorf("the marker was the last message: got %v, want %v", markerLast, tt.wantMarker)
			}
		})
	}
}

// scanTopics runs a scan. It returns the topics that the scan has found, sorted, and whether the marker was the last message.
func scanTopics(t *testing.T, url, markerTopic string, filters []string, idleTime time.Duration) (topics []string, markerLast bool) {
	t.Helper()
	conn, err := broker.Dial(t.Context(), broker.Config{URL: url, ClientID: "test"})
	if err != nil {
		t.Fatal(err)
	}
	s := &scan{limits: commandLimits, idleTime: idleTime}
	if err := errors.Join(s.run(t.Context(), conn, marker{topic: markerTopic}, filters), conn.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	messages, err := s.result()
	if err != nil {
		t.Errorf("the scan is incomplete: %v", err)
	}
	for _, m := range messages {
		topics = append(topics, m.Topic)
	}
	slices.Sort(topics)
	return topics, s.markerReceived
}

// TestScanMarker tests that the session uses its retained status as the marker only if the status has arrived before, and that it still handles
// a status that is not retained.
func TestScanMarker(t *testing.T) {
	s := &session{Output: New(Config{BaseTopic: "hanbridge"}, zerolog.Nop())}
	if got := s.scanMarker().topic; got != "hanbridge/bridge/check" {
		t.Errorf("before the status: got marker %q, want a topic without messages", got)
	}
	s.statusReceived = true
	m := s.scanMarker()
	if m.topic != "hanbridge/status" || m.qos != 1 {
		t.Fatalf("got marker %q with QoS %d, want hanbridge/status with QoS 1", m.topic, m.qos)
	}
	m.receive(broker.Message{Topic: m.topic, Payload: []byte(online), Retain: true})
	s.runPosted()
	if s.bridgeWasOnline {
		t.Error("the retained status of this session counts as that of another bridge")
	}
	m.receive(broker.Message{Topic: m.topic, Payload: []byte(offline)})
	s.runPosted()
	if s.schedule[publishAllTask].IsZero() {
		t.Error("a status offline of another client has no effect")
	}
}
