package mqtt_test

import (
	"bytes"
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/internal/progress"
	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
)

// An observedOutput is an output that stores its Feed for the test.
type observedOutput struct {
	bridge.Output
	subscription atomic.Pointer[bridge.Subscription]
}

// Run runs the output.
func (o *observedOutput) Run(ctx context.Context, s *bridge.Subscription) error {
	o.subscription.Store(s)
	return o.Output.Run(ctx, s)
}

// A blockingLog is a log whose Write blocks at a line that contains text. Write then sends to reached, and returns when released is closed.
type blockingLog struct {
	text              string
	reached, released chan struct{}
}

// Write sends to reached and blocks if the line contains the text.
func (b *blockingLog) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte(b.text)) {
		b.reached <- struct{}{}
		<-b.released
	}
	return len(line), nil
}

// TestBlockedOutputIsStuck tests that an output is reported as stuck if it blocks after it has delivered all values.
func TestBlockedOutputIsStuck(t *testing.T) {
	t.Parallel()
	b := startOpenBroker(t)
	log := &blockingLog{"announced to home assistant", make(chan struct{}, 1), make(chan struct{})}
	o := &observedOutput{Output: mqtt.New(config(b.addr), zerolog.New(log))}
	h := runOutput(t, o, "house", "")
	defer close(log.released)
	h.send(nextTelegram(newMeter(t, "aidon-se", time.Now())))
	select {
	case <-log.reached: // the broker has sent the announcement back
	case <-time.After(time.Minute):
		t.Fatal("the log line about the announcement is not written within a minute")
	}
	for deadline := time.Now().Add(time.Minute); ; <-time.After(10 * time.Millisecond) {
		if strings.Contains(strings.Join(progress.Stuck(o.subscription.Load().Health(), 100*time.Millisecond), ""), "output mqtt is stuck") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("a blocked output is not reported as stuck: %+v", o.subscription.Load().Health())
		}
	}
}
