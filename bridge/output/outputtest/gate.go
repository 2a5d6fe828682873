package outputtest

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/hanbridge/hanbridge/bridge"
)

// A stopGate runs an output with a context whose Done, once the gate is armed, first calls a function and then waits for the end of the context.
// So an output that is about to wait for updates or its end finds both at the same time.
type stopGate struct {
	bridge.Output
	armed atomic.Pointer[func()]
}

// arm makes the next call of the context's Done call act once. If no such call comes within a second, act is called then.
func (g *stopGate) arm(act func()) {
	g.armed.Store(&act)
	time.AfterFunc(time.Second, g.runArmed)
}

// runArmed calls the armed function, if it was not called yet.
func (g *stopGate) runArmed() {
	if act := g.armed.Swap(nil); act != nil {
		(*act)()
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
	if act := c.gate.armed.Swap(nil); act != nil {
		(*act)()
		<-c.Context.Done()
	}
	return c.Context.Done()
}
