package mqtt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
)

// A scan takes in what a broker retains under some filters. Anybody may have retained anything there, so that it is bounded in
// messages, bytes and time; what lies beyond is not taken in, and the scan is incomplete then.
type scan struct {
	host  string                  // the broker's, for messages
	takes func(topic string) bool // nil for all
	most  bounds
	quiet time.Duration // how long a fast broker is silent at least when it has sent all that it holds

	mu    sync.Mutex
	found []broker.Message
	bytes int   // of topics and payloads of found
	heard int   // messages, also those that were not taken in
	seen  int   // of them when last asked
	short error // why it is incomplete; nil as long as it need not be
	over  bool  // nothing more is taken in
}

// bounds are how much a scan takes in.
type bounds struct{ messages, bytes int }

const (
	// scanTime is how long a scan takes at most, subscriptions included.
	scanTime = 10 * time.Second
	// filterMessages and filterBytes bound what the bridge takes in for each filter of its retained scan, of which there are three a device: an
	// announcement of the whole, or one for each of its entities, which are less than 300.
	filterMessages, filterBytes = 400, 512 << 10
)

// commandBounds are those of the commands beside the bridge: what all bridges at a broker have announced, or all their values.
var commandBounds = bounds{20_000, 16 << 20}

// An IncompleteError says that a broker retains more than was read. What was read is returned with it: what is not in it may be
// retained all the same.
type IncompleteError struct{ Host, Reason string }

func (e *IncompleteError) Error() string {
	return fmt.Sprintf("mqtt: not all that %s retains was read: %s", e.Host, e.Reason)
}

// hear takes a retained message in. It runs on the connection's goroutines.
func (s *scan) hear(m broker.Message) {
	if !m.Retain || len(m.Payload) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard++
	if s.over || s.takes != nil && !s.takes(m.Topic) {
		return
	}
	size := len(m.Topic) + len(m.Payload)
	if len(s.found) == s.most.messages || s.bytes+size > s.most.bytes {
		s.stop("there are more than %d messages or %d KiB of it (did somebody else retain them? mosquitto_sub --retained-only -v shows them)",
			s.most.messages, s.most.bytes>>10)
		return
	}
	s.found, s.bytes = append(s.found, m), s.bytes+size
}

// stop ends an incomplete scan. The caller holds the lock.
func (s *scan) stop(format string, args ...any) {
	s.over = true
	if s.short == nil {
		s.short = &IncompleteError{s.host, fmt.Sprintf(format, args...)}
	}
}

// run asks the broker for what it retains, and returns when it has been silent, or the time is over. An error means that the connection is
// over, or ctx; a subscription that is refused or not answered in time makes the scan incomplete. behind is a topic that nobody publishes to.
func (s *scan) run(ctx context.Context, conn *broker.Conn, behind string, filters []string) error {
	until, cancel := context.WithTimeout(ctx, scanTime)
	defer cancel()
	slow, err := s.subscribe(until, conn, behind, filters)
	for over := s.full(); err == nil && !over; {
		select {
		case <-time.After(s.quiet + slow): // longer where the broker or the network is slow
			over = s.silent()
		case <-conn.Lost():
			err = conn.Err()
		case <-until.Done():
			s.fail(until, nil)
			over = true
		}
	}
	return cmp.Or(err, ctx.Err())
}

// subscribe returns how long the broker took to answer at most.
func (s *scan) subscribe(until context.Context, conn *broker.Conn, behind string, filters []string) (slow time.Duration, err error) {
	for _, filter := range filters {
		if s.full() {
			return slow, nil
		}
		// Quality 0: the broker sends all at once, and waits for no acknowledgement in between. Of quality 1 it keeps so many for a
		// client (Mosquitto 1000), and drops the rest.
		asked := time.Now()
		if err := conn.Subscribe(until, filter, 0, s.hear); err != nil {
			s.fail(until, err)
		} else {
			slow = max(slow, time.Since(asked))
		}
	}
	if !s.full() { // most brokers answer this one behind all that they retain under the filters
		_ = conn.Subscribe(until, behind, 0, func(broker.Message) {})
	}
	return slow, conn.Err()
}

// fail notes a filter that cannot be read, or that the time is over.
func (s *scan) fail(until context.Context, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case until.Err() != nil:
		s.stop("it took more than %v (is the broker busy?)", scanTime)
	case s.short != nil:
	case errors.Is(err, broker.ErrUnanswered): // what it sends late is taken in
		s.short = &IncompleteError{s.host, strings.TrimPrefix(err.Error(), "mqtt: ")}
	default:
		s.short = err // the other filters may be readable
	}
}

// full reports whether nothing more is taken in.
func (s *scan) full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over
}

// silent reports whether nothing has come since it was last called, or nothing more is taken in.
func (s *scan) silent() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	silent := s.over || s.heard == s.seen
	s.seen = s.heard
	return silent
}

// result ends the scan. It returns what was taken in, and why that is not all; nil where it is.
func (s *scan) result() ([]broker.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	return s.found, s.short
}
