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
	// shortConnection is the longest lifetime of a connection whose end is attributed to another client's login. Most programs reconnect
	// sooner.
	shortConnection = time.Minute
	// maxConflictWait is the longest wait before the next attempt while a conflict continues.
	maxConflictWait = 30 * time.Second
	// brokerStopDuration is the time within which a broker that stops closes all its connections.
	brokerStopDuration = 300 * time.Millisecond
	// secondConnTimeout is how long stillAnswers waits, after brokerStopDuration, for an answer on the second connection.
	secondConnTimeout = 3 * time.Second
)

// A ConflictDetector detects that another client uses the same client id. In such a conflict, each login of one client makes the broker close
// the connection of the other client. A broker that restarts closes all connections. So after a connection of at most a minute, Dial also makes a second
// connection, with another client id. If the second connection remains open when the broker closes the first, the cause is a conflict.
//
// Set the same ConflictDetector in every Config of a client. The zero value is ready to use. It is safe for concurrent use.
type ConflictDetector struct {
	mu        sync.Mutex
	suspected bool // the broker closed the last connection within shortConnection
	conflicts int  // the number of successive connections that the broker closed while the second connection remained open
}

// A ConflictError reports that another client most likely uses the same client id.
type ConflictError struct {
	Host, ID string // the host and port of the broker, and the client id
	wait     time.Duration
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("mqtt: another program most likely connects to %s as %q, and each time the broker then ends this connection. If this "+
		"bridge runs twice, stop one of the two. If the other program is another bridge, set another mqtt.client_id there. Otherwise look at "+
		"the broker's log: some brokers also end the connection of a program that publishes what the access rules forbid", e.Host, e.ID)
}

// Wait returns the shortest time to wait before the next attempt. The time is zero for the first conflict in a row. Without a wait, the two
// clients would end each other's connection every second.
func (e *ConflictError) Wait() time.Duration { return e.wait }

// Detected reports whether the last connection most likely ended because another client uses the same id.
func (c *ConflictDetector) Detected() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.conflicts > 0
}

// connectionLost records that a connection to p ended with cause after lifetime. It returns a *ConflictError if the reason is a
// conflict, and cause otherwise. brokerRuns is true if a second connection shows that the broker still runs.
func (c *ConflictDetector) connectionLost(p *target, cause error, lifetime time.Duration, brokerRuns bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.suspected = errors.As(cause, new(closedByPeer)) && lifetime <= shortConnection
	if !c.suspected || !brokerRuns {
		c.conflicts = 0
		return cause
	}
	c.conflicts++
	e := &ConflictError{Host: p.host, ID: p.ClientID}
	if c.conflicts > 1 {
		e.wait = maxConflictWait/2 + rand.N(maxConflictWait/2)
	}
	return e
}

// dialFailed records that the broker accepted no connection. A conflict is then no longer suspected.
func (c *ConflictDetector) dialFailed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.suspected, c.conflicts = false, 0
}

// dialSecond dials the second connection, which shows whether the broker still runs. The second connection is closed after
// shortConnection. dialSecond returns nil if no conflict is suspected or the connection cannot be made.
func (c *ConflictDetector) dialSecond(ctx context.Context, p target) *Conn {
	c.mu.Lock()
	suspected := c.suspected
	c.mu.Unlock()
	if !suspected {
		return nil
	}
	// The client id is random, because the other client possibly has a second connection too.
	second, err := p.forSeparateConnection(fmt.Sprintf("-%06x", rand.Uint32N(1<<24))).dialOnce(ctx)
	if err != nil {
		c.dialFailed()
		return nil
	}
	time.AfterFunc(shortConnection, second.closeIdle)
	return second
}

// stillAnswers reports whether the broker still answers on c, shortly after the broker closed another connection. The request is an
// UNSUBSCRIBE, which no broker refuses.
func (c *Conn) stillAnswers() bool {
	select {
	case <-c.ended:
		return false
	case <-time.After(brokerStopDuration):
	}
	token := c.client.Unsubscribe("hanbridge/second-connection")
	return token.WaitTimeout(secondConnTimeout) && token.Error() == nil && c.Err() == nil
}

// closeIdle closes a connection without messages in flight. It can be called more than once and is safe for concurrent use.
func (c *Conn) closeIdle() { _ = c.fail(nil) }
