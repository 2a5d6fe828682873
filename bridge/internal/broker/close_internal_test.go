package broker

import (
	"context"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// TestFlushTakesWhatArrived has a context that is over when everything is acknowledged: nothing is missing.
func TestFlushTakesWhatArrived(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	c := &Conn{link: new(link), ended: make(chan struct{})}
	c.to.Stall = time.Hour
	for range 64 {
		c.window.push(sent{topic: "n"})
		c.window.taken(new(mqtt.DummyToken))
	}
	if err := c.Flush(over); err != nil {
		t.Error(err)
	}
}
