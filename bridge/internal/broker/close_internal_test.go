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
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	c := &Conn{packets: new(packetConn), ended: make(chan struct{})}
	c.target.AckTimeout = time.Hour
	for range 64 { // select in awaitOldest chooses at random, so many messages are needed to find a wrong choice
		c.window.push(inFlightMessage{topic: "n"})
		c.window.setToken(new(mqtt.DummyToken))
	}
	if err := c.Flush(ended); err != nil {
		t.Error(err)
	}
}

// TestCloseWaitsForBroker tests that Close waits for a broker that still sends data, but not much longer than half a minute.
func TestCloseWaitsForBroker(t *testing.T) {
	for name, tc := range map[string]struct {
		sends  int  // how many bytes the broker sends, one every 4 s
		closes bool // the broker closes the connection after these bytes
		want   time.Duration
	}{
		"closes without sending":     {0, true, 0},
		"is silent":                  {0, false, 5 * time.Second},
		"closes after a while":       {5, true, 20 * time.Second},
		"falls silent after a while": {2, false, 13 * time.Second},    // the last byte after 8 s, and then 5 s without a byte
		"never closes":               {1000, false, 32 * time.Second}, // the first byte after the limit of 30 s arrives at 32 s
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clientSide, brokerSide := net.Pipe()
				conn := newPacketConn(clientSide, func(error) {}, nil)
				conn.drainOnClose.Store(true)
				var broker sync.WaitGroup
				broker.Go(func() {
					for range tc.sends {
						<-time.After(4 * time.Second)
						if _, err := brokerSide.Write([]byte{0}); err != nil {
							return
						}
					}
					if tc.closes {
						_ = brokerSide.Close()
					}
				})
				began := time.Now()
				if err := conn.Close(); err != nil {
					t.Error(err)
				}
				if took := time.Since(began); took != tc.want {
					t.Errorf("Close took %v, want %v", took, tc.want)
				}
				_ = brokerSide.Close()
				broker.Wait()
			})
		})
	}
}

// TestOnlyFirstUnansweredSubscriptionWaits tests that, at a broker that answers no subscription, only the first subscription waits for 5 s.
func TestOnlyFirstUnansweredSubscriptionWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, unanswered := &Conn{ended: make(chan struct{})}, new(mqtt.SubscribeToken)
		for i, want := range []time.Duration{5 * time.Second, 100 * time.Millisecond, 100 * time.Millisecond} {
			began := time.Now()
			if err := c.awaitResponse(t.Context(), unanswered, "the subscription"); !errors.Is(err, ErrUnanswered) {
				t.Errorf("subscription %d: got %v, want ErrUnanswered", i, err)
			}
			if took := time.Since(began); took != want {
				t.Errorf("subscription %d took %v, want %v", i, took, want)
			}
		}
	})
}
