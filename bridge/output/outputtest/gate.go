package outputtest

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/hanbridge/hanbridge/bridge"
)

// A gate runs an output with a context that, once armed, does something before it tells whether it has ended: then it has.
// An output that is about to wait for news or its end so finds both.
type gate struct {
	bridge.Output
	act atomic.Pointer[func()]
}

// arm has act called once, at the next look at the context. An output that does not look finds it done after a while.
func (g *gate) arm(act func()) {
	g.act.Store(&act)
	time.AfterFunc(time.Second, g.once)
}

func (g *gate) once() {
	if act := g.act.Swap(nil); act != nil {
		(*act)()
	}
}

// Run runs the output.
func (g *gate) Run(ctx context.Context, feed *bridge.Feed) error {
	return g.Output.Run(gated{ctx, g}, feed)
}

type gated struct {
	context.Context
	gate *gate
}

// Done acts when it is armed, and then waits for the end.
func (c gated) Done() <-chan struct{} {
	if act := c.gate.act.Swap(nil); act != nil {
		(*act)()
		<-c.Context.Done()
	}
	return c.Context.Done()
}
