package broker

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	// shortLife is how long a connection lives at most that somebody else's login has ended: most programs come back sooner.
	shortLife = time.Minute
	// slowDown is how long the next attempt waits at most when a conflict goes on: both sides had their turn to tell of it.
	slowDown = 30 * time.Second
	// sameMoment is how far apart a broker that stops may close its connections; secondWait is how long the second
	// connection may take to answer then.
	sameMoment = 300 * time.Millisecond
	secondWait = 3 * time.Second
)

// A ConflictDetector notices when another client uses the same client id: each of the two is let in at once, and its login makes the broker
// close the other's connection. A broker that is restarted closes connections as well, all of them: so after one that lived short, the next
// has a second connection beside it, under another client id. Give the same ConflictDetector to every Config of a client. The zero value is ready;
// it is safe for concurrent use.
type ConflictDetector struct {
	mu        sync.Mutex
	suspected bool // the last connection lived short and was closed by the broker
	times     int  // in a row that a connection was closed while the second one beside it lived
}

// A ConflictError says that another client most likely uses the same id.
type ConflictError struct {
	Host, ID string
	wait     time.Duration
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("mqtt: another program most likely connects to %s as %q, and the broker then ends this connection, again and again. "+
		"Is this bridge started twice? Stop one of them. Are they two bridges? Set another mqtt.client_id in one of them. Is it neither? A "+
		"broker may also end the connection of a program that publishes what the access rules forbid: look at its log", e.Host, e.ID)
}

// Wait is how long to wait at least before the next attempt, so that the two do not throw each other out every second.
func (e *ConflictError) Wait() time.Duration { return e.wait }

// Detected reports whether the last connection most likely ended because another client uses the same id.
func (c *ConflictDetector) Detected() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.times > 0
}

// lost is told why a connection to p ended and how long it had lived, and returns what to say of it: cause or a *ConflictError.
// alive tells if the broker lives on, as far as a second connection can tell.
func (c *ConflictDetector) lost(p *endpoint, cause error, lived time.Duration, alive bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.suspected = errors.As(cause, new(hungUp)) && lived <= shortLife
	if !c.suspected || !alive {
		c.times = 0
		return cause
	}
	c.times++
	e := &ConflictError{Host: p.host, ID: p.ClientID}
	if c.times > 1 {
		e.wait = slowDown/2 + rand.N(slowDown/2)
	}
	return e
}

// refused is told that a connection was not let in: where the broker has trouble with everybody there is no conflict.
func (c *ConflictDetector) refused() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.suspected, c.times = false, 0
}

// second dials the second connection, which will tell if the broker lives on, for as long as the one beside it is young. It is nil if there is
// nothing suspected, or none to be had.
func (c *ConflictDetector) second(ctx context.Context, p endpoint) *Conn {
	c.mu.Lock()
	suspected := c.suspected
	c.mu.Unlock()
	if !suspected {
		return nil
	}
	w, err := p.beside(fmt.Sprintf("-%06x", rand.Uint32N(1<<24))).once(ctx) // the other client may have a second connection too
	if err != nil {
		c.refused()
		return nil
	}
	time.AfterFunc(shortLife, w.leave)
	return w
}

// outlives tells, a moment after another connection has ended, if the broker still answers here, to a question that it never refuses.
func (c *Conn) outlives() bool {
	select {
	case <-c.ended:
		return false
	case <-time.After(sameMoment):
	}
	token := c.client.Unsubscribe("hanbridge/witness")
	return token.WaitTimeout(secondWait) && token.Error() == nil && c.Err() == nil
}

// leave ends a connection on which nothing is under way. It may be called more than once, from any goroutine.
func (c *Conn) leave() { _ = c.abandon(nil) }
