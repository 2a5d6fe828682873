package broker_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
	"github.com/hanbridge/hanbridge/bridge/internal/faultnet"
)

// awaitAll waits until all published messages are acknowledged or the connection is lost, as a caller does that waits on channels only.
func awaitAll(t testing.TB, c *broker.Conn) {
	t.Helper()
	limit := time.After(testTimeout)
	for c.Acknowledged() < c.Published() {
		select {
		case <-c.AllAcknowledged():
		case <-c.Lost():
			return
		case <-limit:
			t.Fatalf("%d of %d messages are acknowledged after %v", c.Acknowledged(), c.Published(), testTimeout)
		}
	}
}

// TestAcknowledgedCounts tests that Acknowledged and AllAcknowledged count the messages of both qualities of service, without a call of Flush.
func TestAcknowledgedCounts(t *testing.T) {
	s := start(t)
	cfg, calls := config(s.url), 0
	cfg.OnAcknowledged = func() { calls++ }
	c := dial(t, cfg)
	if c.AllAcknowledged() != nil {
		t.Error("AllAcknowledged returns a channel before the first message, want nil")
	}
	const n = 3000 // more than the default of MaxInFlight
	want := make([]string, 0, n)
	for i := range n {
		m := numbered(i)
		m.QoS = byte(i / 31 & 1) // the last message of a group has either quality of service
		want = append(want, m.Topic+" "+string(m.Payload))
		if err := c.Publish(m); err != nil {
			t.Fatal(err)
		}
		if i%31 != 0 {
			continue
		}
		awaitAll(t, c)
		if got := c.Acknowledged(); got != uint64(i+1) || calls != i+1 {
			t.Fatalf("got %d acknowledged messages and %d calls of OnAcknowledged, want %d", got, calls, i+1)
		}
		if c.AllAcknowledged() != nil {
			t.Fatal("AllAcknowledged returns a channel after all acknowledgements, want nil")
		}
	}
	awaitAll(t, c)
	if diff := cmp.Diff(want, s.await(t, n)); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

// TestSendLeavesNothing tests that every message arrives after Send, however soon after Publish it is called.
func TestSendLeavesNothing(t *testing.T) {
	s := start(t)
	c := dial(t, config(s.url))
	for i, published := 0, 0; i < 300; i++ {
		publishAll(t, c, published, published+i%3+1)
		published += i%3 + 1
		c.Send()
		s.await(t, published)
	}
}

// TestBufferedMessagesAreLost tests that a message that was not sent before the loss of the connection does not count as acknowledged, nor as
// the cause of the loss.
func TestBufferedMessagesAreLost(t *testing.T) {
	for qos := range byte(2) {
		s := start(t)
		p := faultnet.New(t, s.addr)
		c := dial(t, config("mqtt://"+p.Addr()))
		for range 3 {
			if err := c.Publish(broker.Message{Topic: "n", QoS: qos}); err != nil {
				t.Fatal(err)
			}
		}
		p.ResetConnections()
		if err := awaitLoss(t, c, testTimeout); qos == 1 && strings.Contains(err.Error(), "in flight") {
			t.Errorf("got %v, but no message was in flight", err)
		}
		c.Send()
		awaitAll(t, c)
		if published, acknowledged := c.Published(), c.Acknowledged(); published != 3 || acknowledged != 0 {
			t.Errorf("QoS %d: got %d published and %d acknowledged messages, want 3 and 0", qos, published, acknowledged)
		}
		if diff := cmp.Diff([]string{recordedWill}, s.await(t, 1)); diff != "" {
			t.Errorf("QoS %d: messages (-want +got):\n%s", qos, diff)
		}
	}
}

// TestForgottenMessagesAreSent tests that a message arrives although the caller does not call Send, and that the connection remains.
func TestForgottenMessagesAreSent(t *testing.T) {
	s := start(t)
	cfg := config(s.url)
	cfg.AckTimeout = 500 * time.Millisecond // after this time the message is sent; the broker then has the same time again
	c := dial(t, cfg)
	for i := range 2 {
		publishAll(t, c, i, i+1)
		s.await(t, i+1)
		awaitAll(t, c)
	}
	if err := c.Flush(t.Context()); err != nil {
		t.Error(err)
	}
}
