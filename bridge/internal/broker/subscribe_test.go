package broker_test

import (
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

// TestSubscribeDoesNotDeadlock tests that a waiting handler blocks neither acknowledgements nor other messages, and that a handler can
// subscribe.
func TestSubscribeDoesNotDeadlock(t *testing.T) {
	s := start(t)
	c := dial(t, config(s.url))
	release := make(chan struct{})
	subscribed := make(chan error, 100)
	f := func(broker.Message) {
		subscribed <- c.Subscribe(t.Context(), "other", 1, func(broker.Message) {})
		<-release
	}
	if err := c.Subscribe(t.Context(), "n", 1, f); err != nil {
		t.Fatal(err)
	}
	publishAll(t, c, 0, 100)
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		select {
		case err := <-subscribed:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(testTimeout):
			t.Fatal("while a handler waits for one message, it is not called for other messages")
		}
	}
	close(release)
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
