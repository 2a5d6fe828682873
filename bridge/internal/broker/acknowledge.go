package broker

import (
	"context"
	"fmt"
	"time"
)

// Send passes all published messages to the network and does not wait for acknowledgements. It can block while the network accepts no data,
// like Publish. If it fails, the connection ends (see Lost). A caller that publishes and then waits for anything else must call Send before.
func (c *Conn) Send() {
	if c.endErr() != nil {
		return
	}
	if err := c.packets.out.send(c.packets.Conn, c.window.accepted); err != nil {
		_ = c.fail(c.explainLoss(err))
	}
}

// Published returns the number of messages that Publish has accepted.
func (c *Conn) Published() uint64 { return c.window.accepted }

// Acknowledged returns how many of the published messages, counted from the first and without a gap, the broker has acknowledged. A message
// with QoS 0 counts when it was written to the network. Acknowledged calls Config.OnAcknowledged for each message that was not counted before.
func (c *Conn) Acknowledged() uint64 {
	if c.removeDone() == nil && len(c.window.inFlight()) == 0 {
		c.endStopAndWait()
	}
	return c.window.removed
}

// AllAcknowledged calls Send and returns a channel that is closed when all messages that are published so far are acknowledged, or when they
// have failed. After that, the caller calls Acknowledged. The channel is nil if Acknowledged has counted all published messages. If a broker
// acknowledges in another order, the channel is possibly closed too early. The next call then returns the channel of a message that is
// not acknowledged.
func (c *Conn) AllAcknowledged() <-chan struct{} {
	c.Send()
	inFlight := c.window.inFlight()
	if len(inFlight) == 0 {
		return nil
	}
	for i := len(inFlight) - 1; i > 0; i-- {
		if token := inFlight[i].token; token != nil && !inFlight[i].tokenDone() {
			return token.Done()
		}
	}
	if token := inFlight[0].token; token != nil {
		return token.Done()
	}
	return c.ended // paho has not accepted the message, so the connection has ended
}

// Flush waits until every published message is acknowledged or, with QoS 0, written to the network. It returns an error if ctx ends
// before that. It also returns an error if the connection has ended, even if every message was acknowledged before.
func (c *Conn) Flush(ctx context.Context) error {
	for c.endErr() == nil && len(c.window.inFlight()) > 0 {
		if err := c.awaitOldest(ctx); err != nil {
			return err
		}
	}
	c.endStopAndWait()
	return c.endErr()
}

// endStopAndWait ends stopAndWait if the suspected message is acknowledged. It is called when no message is in flight.
func (c *Conn) endStopAndWait() {
	if c.suspectTopic == "" {
		c.stopAndWait = false
	}
}

// waitForRoom removes the messages that are done. If the window is then full, it waits until a quarter of it is free, so that the next
// messages are sent together. With stopAndWait, the window has room for one message.
func (c *Conn) waitForRoom() error {
	if err := c.endErr(); err != nil {
		return err
	}
	if err := c.removeDone(); err != nil {
		return err
	}
	room := c.target.MaxInFlight
	if c.stopAndWait {
		room = 1
	}
	if len(c.window.inFlight()) < room {
		return nil
	}
	for len(c.window.inFlight()) > room*3/4 {
		if err := c.awaitOldest(context.Background()); err != nil {
			return err
		}
	}
	return nil
}

// removeDone removes the messages that are done from the beginning of the window.
func (c *Conn) removeDone() error {
	for len(c.window.inFlight()) > 0 && c.oldestDone() {
		if err := c.completeOldest(); err != nil {
			return err
		}
	}
	return nil
}

// oldestDone reports whether the oldest message was acknowledged (QoS 1), was written to the network (QoS 0), or has failed. paho completes
// the token of a message with QoS 0 when the message is in the send buffer.
func (c *Conn) oldestDone() bool {
	m := c.window.oldest()
	return m.tokenDone() && (!m.qos0 || c.window.removed < c.packets.out.sent.Load() || m.token.Error() != nil)
}

// awaitOldest waits until the oldest message is acknowledged, and removes it from the window.
func (c *Conn) awaitOldest(ctx context.Context) error {
	c.Send()
	select {
	case <-c.window.oldest().token.Done():
		return c.completeOldest()
	case <-c.ended:
		return c.endErr()
	case <-ctx.Done():
		if c.oldestDone() { // select chooses at random if both channels are ready
			return c.completeOldest()
		}
		return fmt.Errorf("mqtt: %d messages not yet acknowledged by %s: %w", len(c.window.inFlight()), c.target.host, context.Cause(ctx))
	}
}

// completeOldest removes the oldest message, whose token is done, from the window.
func (c *Conn) completeOldest() error {
	m := c.window.oldest()
	if err := m.token.Error(); err != nil {
		return c.fail(c.explainLoss(err))
	}
	if m.qos0 && !c.oldestDone() { // the message is only in the send buffer
		if err := c.packets.out.sendPassed(c.packets.Conn); err != nil {
			return c.fail(c.explainLoss(err))
		}
	}
	if c.suspectTopic != "" && m.topic == c.suspectTopic {
		c.suspectTopic = ""
		c.target.Capabilities.clearSuspect()
	}
	c.window.pop()
	if c.target.OnAcknowledged != nil {
		c.target.OnAcknowledged()
	}
	return nil
}

// startAckTimer makes a timer call checkAckTimeout after Config.AckTimeout, unless the timer already runs. It is called when a message was
// published.
func (c *Conn) startAckTimer() {
	w := &c.window
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.timerRuns:
		return
	case w.ackTimer == nil:
		w.ackTimer = time.AfterFunc(c.target.AckTimeout, c.checkAckTimeout)
	default:
		w.ackTimer.Reset(c.target.AckTimeout)
	}
	w.timerRuns = true
}

// checkAckTimeout ends the connection if a message is in flight and the broker has acknowledged nothing for Config.AckTimeout. Otherwise it
// starts the timer again if a message is in flight. It runs on the goroutine of the timer, which starts for the first message in flight and
// not for each message. So it runs once in AckTimeout at most.
func (c *Conn) checkAckTimeout() {
	sent := c.packets.out.sent.Load()
	wait, unsent := c.window.untilAckTimeout(sent, c.packets.progressAt(), c.target.AckTimeout)
	if unsent { // the caller was busy since Publish
		if err := c.packets.out.sendPassed(c.packets.Conn); err != nil {
			_ = c.fail(c.explainLoss(err))
		}
	}
	if wait <= 0 {
		_ = c.fail(fmt.Errorf("mqtt: %s is connected but has acknowledged nothing for %v (is the broker overloaded, or the network down?)", c.target.host, c.target.AckTimeout))
	}
}
