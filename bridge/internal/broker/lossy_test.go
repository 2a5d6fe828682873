package broker_test

import (
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
	"github.com/hanbridge/hanbridge/bridge/internal/faultnet"
)

// TestLossInTheMiddleOfPublishing cuts connections while messages are handed over as fast as can be: whoever publishes notices
// at once.
func TestLossInTheMiddleOfPublishing(t *testing.T) {
	s := start(t)
	p := faultnet.New(t, s.addr)
	c := config("mqtt://" + p.Addr())
	c.Will = broker.Message{}
	for i := range 30 {
		conn := dial(t, c)
		noticed := make(chan struct{})
		go func() {
			defer close(noticed)
			for conn.Publish(number(0)) == nil {
			}
		}()
		s.await(t, len(s.messages())+20)
		p.Cut()
		select {
		case <-noticed:
		case <-time.After(10 * time.Second):
			t.Fatalf("loss %d: Publish has not returned after 10 s", i)
		}
	}
}
