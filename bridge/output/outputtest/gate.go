package outputtest

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/hanbridge/hanbridge/bridge"
)

// A stopGate is an output that runs another output with a gatedContext. A test can store a function in armed. The next call of the context's Done
// then calls the function and waits for the end of the context. When Done returns, an update that the function has sent and the end of the context
// are both ready, so the output can receive the end of the context first.
type stopGate struct {
	bridge.Output
	armed atomic.Pointer[func()] // the function that the next call of Done calls; nil if there is none
}

// arm makes the next call of the context's Done call f. If Done is not called within a second, a timer calls f.
func (g *stopGate) arm(f func()) {
	g.armed.Store(&f)
	time.AfterFunc(time.Second, g.runArmed)
}

// runArmed calls the armed function, unless it was called already.
func (g *stopGate) runArmed() {
	if f := g.armed.Swap(nil); f != nil {
		(*f)()
	}
}

// Run runs the output.
func (g *stopGate) Run(ctx context.Context, s *bridge.Subscription) error {
	return g.Output.Run(gatedContext{ctx, g}, s)
}

// A gatedContext is the context that a stopGate passes to its output.
type gatedContext struct {
	context.Context
	gate *stopGate
}

// Done returns the channel of the wrapped context. If a function is armed, Done first calls it and waits for the end of the context.
func (c gatedContext) Done() <-chan struct{} {
	if f := c.gate.armed.Swap(nil); f != nil {
		(*f)()
		<-c.Context.Done()
	}
	return c.Context.Done()
}
