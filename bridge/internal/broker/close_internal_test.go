package broker

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// TestFlushSucceedsAfterContextEnd tests that Flush returns no error if everything was acknowledged when its context ended.
func TestFlushSucceedsAfterContextEnd(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	c := &Conn{packets: new(packetConn), ended: make(chan struct{})}
	c.target.AckTimeout = time.Hour
	for range 64 {
		c.window.push(inFlightMessage{topic: "n"})
		c.window.accepted(new(mqtt.DummyToken))
	}
	if err := c.Flush(over); err != nil {
		t.Error(err)
	}
}

// TestCloseWaitsForBroker tests that Close waits for a broker that still sends data, for half a minute at most.
func TestCloseWaitsForBroker(t *testing.T) {
	for name, tc := range map[string]struct {
		sends int // a byte every 4 s
		ends  bool
		want  time.Duration
	}{
		"closes at once":       {0, true, 0},
		"is silent":            {0, false, 5 * time.Second},
		"closes after a while": {5, true, 20 * time.Second},
		"hangs after a while":  {2, false, 13 * time.Second},
		"never closes":         {1000, false, 32 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				here, there := net.Pipe()
				l := newPacketConn(here, func(error) {}, nil)
				l.drainOnClose.Store(true)
				var broker sync.WaitGroup
				broker.Go(func() {
					for range tc.sends {
						<-time.After(4 * time.Second)
						if _, err := there.Write([]byte{0}); err != nil {
							return
						}
					}
					if tc.ends {
						_ = there.Close()
					}
				})
				began := time.Now()
				if err := l.Close(); err != nil {
					t.Error(err)
				}
				if took := time.Since(began); took != tc.want {
					t.Errorf("took %v, want %v", took, tc.want)
				}
				_ = there.Close()
				broker.Wait()
			})
		})
	}
}

// TestOnlyFirstUnansweredSubscriptionWaits tests a broker that answers no subscription: only the first one waits for the whole time limit.
func TestOnlyFirstUnansweredSubscriptionWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, never := &Conn{ended: make(chan struct{})}, new(mqtt.SubscribeToken)
		for i, want := range []time.Duration{5 * time.Second, 100 * time.Millisecond, 100 * time.Millisecond} {
			began := time.Now()
			if err := c.awaitAnswer(t.Context(), never, "the question"); !errors.Is(err, ErrUnanswered) {
				t.Errorf("question %d: got %v, want that it was not answered", i, err)
			}
			if took := time.Since(began); took != want {
				t.Errorf("question %d took %v, want %v", i, took, want)
			}
		}
	})
}
