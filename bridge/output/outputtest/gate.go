package outputtest

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/hanbridge/hanbridge/bridge"
)

// A stopGate runs an output with a context whose Done method can call a function of the test. If a function is armed, the next call of Done
// calls the function and then waits for the end of the context. So an update that the function sends arrives at the output at the same time as
// the end of the context.
type stopGate struct {
	bridge.Output
	armed atomic.Pointer[func()] // the function that the next call of Done calls; nil if there is none
}

// arm makes the next call of the context's Done call f once. If Done is not called within a second, f is called after that second.
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
func (g *stopGate) Run(ctx context.Context, feed *bridge.Feed) error {
	return g.Output.Run(gatedContext{ctx, g}, feed)
}

// A gatedContext is the context that a stopGate passes to its output.
type gatedContext struct {
	context.Context
	gate *stopGate
}

// Done calls the armed function, if there is one, and then waits for the end of the context.
func (c gatedContext) Done() <-chan struct{} {
	if f := c.gate.armed.Swap(nil); f != nil {
		(*f)()
		<-c.Context.Done()
	}
	return c.Context.Done()
}
