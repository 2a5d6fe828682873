package outputtest

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/probe"
)

// A runningBridge is a bridge that runs with the output.
type runningBridge struct {
	t      *testing.T
	cancel context.CancelFunc
	done   chan error // receives the error that the bridge has returned
	output *recordingOutput
}

// run starts a bridge with the output o, and with a meter whose telegrams come from the source s.
func run(t *testing.T, o bridge.Output, s probe.Source) *runningBridge {
	b := bridge.New(zerolog.Nop())
	if err := b.AddMeter(bridge.Meter{ID: Meter, Name: "House"}, s); err != nil {
		t.Fatal(err)
	}
	r := &runningBridge{t: t, done: make(chan error, 1), output: &recordingOutput{Output: o}}
	b.AddOutput("tested", r.output)
	var ctx context.Context
	ctx, r.cancel = context.WithCancel(t.Context())
	go func() { r.done <- b.Run(ctx) }()
	return r
}

// stop ends the context of the bridge, and then does what wait does.
func (r *runningBridge) stop() error {
	r.t.Helper()
	r.cancel()
	return r.wait()
}

// wait waits until the bridge has ended, and returns the error that the output returned. It fails the test if this takes longer than waitLimit.
func (r *runningBridge) wait() error {
	r.t.Helper()
	select {
	case err := <-r.done:
		if err != nil {
			r.t.Errorf("the bridge ends with %v, want no error", err)
		}
	case <-time.After(waitLimit):
		r.t.Fatalf("the bridge has not ended within %v", waitLimit)
	}
	return r.output.err
}

// A recordingOutput records the Subscription and the error of the output's last Run.
type recordingOutput struct {
	bridge.Output
	subscription atomic.Pointer[bridge.Subscription]
	err          error
}

// Run runs the output.
func (r *recordingOutput) Run(ctx context.Context, s *bridge.Subscription) error {
	r.subscription.Store(s)
	r.err = r.Output.Run(ctx, s)
	return r.err
}
