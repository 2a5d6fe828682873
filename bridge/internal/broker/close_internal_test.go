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
	for range 64 {
		c.window.push(inFlightMessage{topic: "n"})
		c.window.accepted(new(mqtt.DummyToken))
	}
	if err := c.Flush(ended); err != nil {
		t.Error(err)
	}
}

// TestCloseWaitsForBroker tests that Close waits for a broker that still sends data, for half a minute at most.
func TestCloseWaitsForBroker(t *testing.T) {
	for name, tc := range map[string]struct {
		sends  int  // how many bytes, one every 4 s
		closes bool // the broker then closes the connection
		want   time.Duration
	}{
		"closes at once":             {0, true, 0},
		"is silent":                  {0, false, 5 * time.Second},
		"closes after a while":       {5, true, 20 * time.Second},
		"falls silent after a while": {2, false, 13 * time.Second},
		"never closes":               {1000, false, 32 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, brokers := net.Pipe()
				conn := newPacketConn(ours, func(error) {}, nil)
				conn.drainOnClose.Store(true)
				var broker sync.WaitGroup
				broker.Go(func() {
					for range tc.sends {
						<-time.After(4 * time.Second)
						if _, err := brokers.Write([]byte{0}); err != nil {
							return
						}
					}
					if tc.closes {
						_ = brokers.Close()
					}
				})
				began := time.Now()
				if err := conn.Close(); err != nil {
					t.Error(err)
				}
				if took := time.Since(began); took != tc.want {
					t.Errorf("took %v, want %v", took, tc.want)
				}
				_ = brokers.Close()
				broker.Wait()
			})
		})
	}
}

// TestOnlyFirstUnansweredSubscriptionWaits tests that only the first subscription waits for the whole time limit, if the broker answers
// none.
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
