package mqtt

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hanbridge/hanbridge/bridge"
)

// A sentBatch is a batch whose messages were all published.
type sentBatch struct {
	number    uint64 // see bridge.Batch
	published uint64 // the number of messages that were published on this connection up to its end
}

// run publishes until ctx ends or the connection is lost. It does not wait for the acknowledgements of one batch before it publishes the next.
func (s *session) run(ctx context.Context) error {
	timer := time.NewTimer(s.schedule.wait())
	defer timer.Stop()
	for {
		s.confirm()
		s.conn.Send()
		timer.Reset(s.schedule.wait())
		select {
		case <-ctx.Done():
			return s.shutdown()
		case <-s.conn.Lost():
			return s.conn.Err()
		case <-s.wake:
			s.processPosted(ctx)
		case <-timer.C:
			s.runDueTasks(ctx)
		case <-s.conn.AllAcknowledged():
		case <-s.subscription.Ready():
			s.deliver(ctx)
		}
	}
}

// deliver publishes the new batches. It ends early if the connection or ctx ends.
func (s *session) deliver(ctx context.Context) {
	for !s.ended(ctx) {
		b := s.subscription.Take()
		if b == nil {
			return
		}
		s.publishBatch(ctx, b)
		s.sentBatches = append(s.sentBatches, sentBatch{b.Number, s.conn.Published()})
		s.confirm()
	}
}

// confirm reports which batches the broker has acknowledged: all of their messages, and all messages before them.
func (s *session) confirm() {
	acknowledged := s.conn.Acknowledged()
	n := 0
	for n < len(s.sentBatches) && s.sentBatches[n].published <= acknowledged {
		n++
	}
	if s.conn.Err() != nil {
		return
	}
	if n > 0 {
		s.subscription.Delivered(s.sentBatches[n-1].number)
		s.sentBatches = slices.Delete(s.sentBatches, 0, n)
	}
	s.storeDelivered(acknowledged)
}

// logLostTelegrams logs that a number of telegrams were lost. The logged count includes earlier losses that were not logged.
func (o *Output) logLostTelegrams(count uint64) {
	if count == 0 {
		return
	}
	o.lostTelegrams += count
	const message = "telegrams not published: the broker is too slow or was not reachable"
	if _, ok := o.logLimiter.Allow(message); ok {
		o.log.Warn().Uint64("count", o.lostTelegrams).Msg(message)
		o.lostTelegrams = 0
	}
}

// publishBatch publishes the messages of a batch.
func (s *session) publishBatch(ctx context.Context, b *bridge.Batch) {
	s.logLostTelegrams(b.Lost)
	s.addAndRemoveMeters(ctx, b.Changes)
	s.becomeFirst(ctx, b.Changes)
	for i := range b.Changes {
		s.announceMeter(&b.Changes[i])
	}
	for _, t := range b.Telegrams[:b.Again] { // before the newest values
		s.publishAgain(t)
	}
	for i := range b.Events {
		s.publishEvent(&b.Events[i])
	}
	for i := range b.Changes {
		s.publishUpdate(&b.Changes[i])
	}
	for _, t := range b.Telegrams[b.Again:] {
		s.publishTelegram(t)
	}
}

// errStopping is the reason if shutdown gives up the delivery of the last values.
var errStopping = fmt.Errorf("the program ends, and waits at most %v for a broker that acknowledges nothing (is the broker overloaded, or the network down?)", stopAckTimeout)

// shutdown publishes the last values and the status offline of the meters and the bridge, and closes the connection. It does not
// publish the status of a meter whose status another bridge publishes. An error of the delivery is logged and not returned.
func (s *session) shutdown() error {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	stop := func() { cancel(errStopping) }
	s.shutdownTimer = time.AfterFunc(stopAckTimeout, stop)
	defer s.shutdownTimer.Stop()
	defer time.AfterFunc(stopTimeout, stop).Stop()
	s.deliver(ctx)
	if s.conn.Flush(ctx) == nil {
		s.awaitArrivals()
	}
	for _, m := range s.meters {
		if !m.otherPublishesStatus() {
			s.publish(m.prefix+"status", []byte(offline), true)
		}
	}
	s.publish(s.config.BaseTopic+"/status", []byte(offline), true)
	if err := cmp.Or(s.conn.Close(ctx), context.Cause(ctx)); err != nil {
		s.log.Warn().Err(err).Msg("last values not delivered")
		return nil
	}
	s.storeDelivered(s.conn.Published())
	if n := len(s.sentBatches); n > 0 {
		s.subscription.Delivered(s.sentBatches[n-1].number)
	}
	return nil
}
