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

// A scan reads the messages that a broker retains under topic filters. Other programs can have retained any number of messages there, so a
// scan is limited in messages, bytes and time. A scan that reaches a limit ends, and is incomplete.
type scan struct {
	url      string                  // the URL of the broker, for error messages
	accepts  func(topic string) bool // nil accepts every topic
	limits   scanLimits
	idleTime time.Duration // how long no message must arrive before the scan ends (see run)

	mu             sync.Mutex
	messages       []broker.Message
	bytes          int   // the total size of the topics and payloads in messages
	received       int   // the number of retained messages received, accepted or not
	receivedBefore int   // received at the last call of isIdle
	incompleteErr  error // why the scan is incomplete; nil if no reason is known
	closed         bool  // no more messages are added to messages
}

// scanLimits are the largest number of messages in a scan, and the largest total size of their topics and payloads.
type scanLimits struct{ messages, bytes int }

const (
	// scanTimeout is the longest duration of a scan, subscriptions included.
	scanTimeout = 10 * time.Second
	// filterMessages and filterBytes are the limits of the session's retained scan for each filter. A device has three filters. It is announced
	// in one message, or in one message for each of its entities. A device has fewer than 300 entities.
	filterMessages, filterBytes = 400, 512 << 10
)

// commandLimits are the limits of commands, which read the announcements or values of all bridges at a broker.
var commandLimits = scanLimits{20_000, 16 << 20}

// An IncompleteError reports that the broker possibly retains more messages than were read. A function that returns an IncompleteError also
// returns the messages that were read.
type IncompleteError struct {
	// URL is the address of the broker.
	URL string
	// Reason says, in words for users, why not all messages were read.
	Reason string
}

func (e *IncompleteError) Error() string {
	return fmt.Sprintf("mqtt: not all that %s retains was read: %s", e.URL, e.Reason)
}

// receive adds a retained message to messages. It runs on goroutines of the connection.
func (s *scan) receive(m broker.Message) {
	if !m.Retain || len(m.Payload) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.received++
	if s.closed || s.accepts != nil && !s.accepts(m.Topic) {
		return
	}
	size := len(m.Topic) + len(m.Payload)
	if len(s.messages) == s.limits.messages || s.bytes+size > s.limits.bytes {
		s.stop("there are more than %d messages or %d KiB (did another program retain them? mosquitto_sub --retained-only -v shows them)",
			s.limits.messages, s.limits.bytes>>10)
		return
	}
	s.messages, s.bytes = append(s.messages, m), s.bytes+size
}

// stop ends the scan and records why it is incomplete, unless an earlier reason is recorded. The caller holds s.mu.
func (s *scan) stop(format string, args ...any) {
	s.closed = true
	if s.incompleteErr == nil {
		s.incompleteErr = &IncompleteError{s.url, fmt.Sprintf(format, args...)}
	}
}

// run subscribes to the filters and receives retained messages. It ends when the broker has sent no retained message for idleTime, or when
// scanTimeout is over. A slow broker or network gets more than idleTime. The error is that of the connection or ctx. A subscription that is
// refused or not answered in time makes the scan incomplete.
//
// After the filters, run subscribes to markerTopic, a topic without messages. Most brokers answer this subscription only after they have sent the
// retained messages of the filters.
func (s *scan) run(ctx context.Context, conn *broker.Conn, markerTopic string, filters []string) error {
	scanCtx, cancel := context.WithTimeout(ctx, scanTimeout)
	defer cancel()
	slowest, err := s.subscribe(scanCtx, conn, markerTopic, filters)
	for done := s.isClosed(); err == nil && !done; {
		select {
		case <-time.After(s.idleTime + slowest):
			done = s.isIdle()
		case <-conn.Lost():
			err = conn.Err()
		case <-scanCtx.Done():
			s.noteFailure(scanCtx, nil)
			done = true
		}
	}
	return cmp.Or(err, ctx.Err())
}

// subscribe subscribes to the filters and returns the longest time that the broker took to answer.
func (s *scan) subscribe(scanCtx context.Context, conn *broker.Conn, markerTopic string, filters []string) (slowest time.Duration, err error) {
	for _, filter := range filters {
		if s.isClosed() {
			return slowest, nil
		}
		began := time.Now()
		// With QoS 0 the broker sends all retained messages. With QoS 1 the broker queues a limited number of messages for each client (Mosquitto
		// 1000) and drops the rest.
		if err := conn.Subscribe(scanCtx, filter, 0, s.receive); err != nil {
			s.noteFailure(scanCtx, err)
		} else {
			slowest = max(slowest, time.Since(began))
		}
	}
	if !s.isClosed() {
		_ = conn.Subscribe(scanCtx, markerTopic, 0, func(broker.Message) {})
	}
	return slowest, conn.Err()
}

// noteFailure records that a subscription failed with err, or that scanCtx has ended.
func (s *scan) noteFailure(scanCtx context.Context, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case scanCtx.Err() != nil:
		s.stop("it took more than %v (is the broker busy?)", scanTimeout)
	case s.incompleteErr != nil:
	case errors.Is(err, broker.ErrUnanswered): // receive still adds messages that arrive later
		s.incompleteErr = &IncompleteError{s.url, strings.TrimPrefix(err.Error(), "mqtt: ")}
	default:
		s.incompleteErr = err // the scan continues, because this user is possibly permitted to read the other filters
	}
}

// isClosed reports whether no more messages are added.
func (s *scan) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// isIdle reports whether no message has arrived since the last call of isIdle, or no more messages are added.
func (s *scan) isIdle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	idle := s.closed || s.received == s.receivedBefore
	s.receivedBefore = s.received
	return idle
}

// result ends the scan. It returns the messages, and why they are incomplete. The error is nil if the messages are complete.
func (s *scan) result() ([]broker.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return s.messages, s.incompleteErr
}
