package broker_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
)

// TestSubscribeReceivesRetainedAndLive tests that a subscriber receives the retained message and later messages, and that only the retained
// message has Retain set.
func TestSubscribeReceivesRetainedAndLive(t *testing.T) {
	s := start(t)
	c := dial(t, config(s.url))
	retained := broker.Message{Topic: "homeassistant/status", Payload: []byte("online"), QoS: 1, Retain: true}
	if err := c.Publish(retained); err != nil {
		t.Fatal(err)
	}
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	received := make(chan broker.Message, 2)
	if err := c.Subscribe(t.Context(), "homeassistant/+", 1, func(m broker.Message) { received <- m }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(retained, receive(t, received)); diff != "" {
		t.Errorf("retained (-want +got):\n%s", diff)
	}
	if err := c.Publish(retained); err != nil {
		t.Fatal(err)
	}
	c.Send()
	live := retained
	live.Retain = false // the broker sets the flag only on a message that it stored before the subscription
	if diff := cmp.Diff(live, receive(t, received)); diff != "" {
		t.Errorf("live (-want +got):\n%s", diff)
	}
}

// receive returns the next message.
func receive(t *testing.T, received <-chan broker.Message) broker.Message {
	t.Helper()
	select {
	case m := <-received:
		return m
	case <-time.After(testTimeout):
		t.Fatal("no message received")
		return broker.Message{}
	}
}

// TestSubscribeKeepsOrder tests that the messages of two subscriptions arrive in the order in which they were published, and that the functions of
// the subscriptions are not called at the same time.
func TestSubscribeKeepsOrder(t *testing.T) {
	s := start(t)
	c := dial(t, config(s.url))
	const n = 4000
	var got []string // without a lock, so the race detector reports calls at the same time
	done := make(chan struct{})
	for qos, topic := range []string{"a", "b"} {
		if err := c.Subscribe(t.Context(), topic, byte(qos), func(m broker.Message) {
			if got = append(got, string(m.Payload)); len(got) == n {
				close(done)
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	want := make([]string, n)
	for i := range n {
		want[i] = strconv.Itoa(i)
		if err := c.Publish(broker.Message{Topic: []string{"a", "b"}[i%2], Payload: []byte(want[i]), QoS: 1}); err != nil {
			t.Fatal(err)
		}
	}
	c.Send()
	select {
	case <-done:
	case <-time.After(testTimeout):
		t.Fatal("not all messages arrived")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

// TestSubscribeRefused tests that a refused subscription returns an error with its topic, and does not end the connection.
func TestSubscribeRefused(t *testing.T) {
	s := start(t, func(d *serverHook) { d.permits = func(string, bool) bool { return false } })
	c := dial(t, config(s.url))
	err := c.Subscribe(t.Context(), "secret", 1, func(broker.Message) {})
	if err == nil || !strings.Contains(err.Error(), "subscribe to secret") {
		t.Errorf("got %v, want a refusal that names the topic", err)
	}
	if c.Err() != nil {
		t.Errorf("the connection is lost: %v", c.Err())
	}
}

// TestSubscriptionWithoutSuback tests that the connection remains usable at a broker that acknowledges messages but no subscription.
func TestSubscriptionWithoutSuback(t *testing.T) {
	t.Parallel()
	b := &strictBroker{rules: rules{noSuback: true}}
	c := dial(t, config(b.start(t)))
	for _, topic := range []string{"a", "b", "c", "d"} {
		if err := c.Subscribe(t.Context(), topic, 1, func(broker.Message) {}); err == nil || !strings.Contains(err.Error(), "has not answered the subscription to "+topic) {
			t.Errorf("got %v, want an error that the subscription to %s was not answered", err, topic)
		}
	}
	if err := c.Unsubscribe(t.Context(), "a", "b"); err == nil {
		t.Error("Unsubscribe: got no error, want an error because the broker has not answered")
	}
	publishAll(t, c, 0, 3)
	if err := c.Flush(t.Context()); err != nil {
		t.Error(err)
	}
}
