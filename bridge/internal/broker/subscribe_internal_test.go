package broker

import (
	"testing"
	"testing/synctest"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// TestUnansweredOnce has a broker that answers no subscription: only the first is waited for.
func TestUnansweredOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, never := &Conn{ended: make(chan struct{})}, new(mqtt.SubscribeToken)
		for i, want := range []time.Duration{5 * time.Second, 100 * time.Millisecond, 100 * time.Millisecond} {
			began := time.Now()
			if err := c.answered(t.Context(), never, "the question"); err == nil {
				t.Errorf("question %d is answered", i)
			}
			if took := time.Since(began); took != want {
				t.Errorf("question %d took %v, want %v", i, took, want)
			}
		}
	})
}
