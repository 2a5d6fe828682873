package broker

import (
	"errors"
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
			if err := c.answered(t.Context(), never, "the question"); !errors.Is(err, ErrUnanswered) {
				t.Errorf("question %d: got %v, want that it was not answered", i, err)
			}
			if took := time.Since(began); took != want {
				t.Errorf("question %d took %v, want %v", i, took, want)
			}
		}
	})
}
