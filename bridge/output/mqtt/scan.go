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
	idleTime time.Duration // how long no message must arrive before the scan ends, if there is no marker (see run)

	wake           chan struct{} // has a value after the marker has arrived, or a limit was reached
	mu             sync.Mutex
	messages       []broker.Message
	bytes          int       // the total size of the topics and payloads in messages
	lastReceived   time.Time // when the last retained message arrived, accepted or not
	markerReceived bool      // the marker has arrived, and no retained message after it
	incompleteErr  error     // why the scan is incomplete; nil if no reason is known
	closed         bool      // no more messages are added to messages
}

// A marker is a topic under which the broker most likely retains a message. It is not necessarily one of the filters of a scan.
type marker struct {
	topic   string
	qos     byte
	receive func(broker.Message) // receives every message under the topic; nil for none
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

// commandLimits are the limits of commands, which read the announcements or values of all bridges at a broker. A thousand meters have about 45,000
// values, and announcements of 14 MB in total.
var commandLimits = scanLimits{50_000, 32 << 20}

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

// receive adds a retained message to messages. It runs on a goroutine of the connection.
func (s *scan) receive(m broker.Message) {
	if !m.Retain || len(m.Payload) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastReceived, s.markerReceived = time.Now(), false
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

// receiveMarker records that the marker has arrived.
func (s *scan) receiveMarker() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastReceived, s.markerReceived = time.Now(), true
	s.notify()
}

// notify makes run check whether the scan has ended.
func (s *scan) notify() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// stop ends the scan and records why it is incomplete, unless an earlier reason is recorded. The caller holds s.mu.
func (s *scan) stop(format string, args ...any) {
	s.closed = true
	if s.incompleteErr == nil {
		s.incompleteErr = &IncompleteError{s.url, fmt.Sprintf(format, args...)}
	}
	s.notify()
}

// run subscribes to the filters and then to the topic of the marker, and receives retained messages until the broker has sent all of them. The
// error is that of the connection or ctx. A subscription that is refused or not answered in time makes the scan incomplete.
//
// Most brokers send retained messages in the order of the subscriptions (Mosquitto, EMQX, NATS and Mochi do). There the retained message of the
// marker is the last. HiveMQ sends the retained messages of several subscriptions at the same time. So after the marker, the scan waits for a
// tenth of idleTime. If another retained message arrives in that time, or if the marker does not arrive, the scan ends when the broker has
// sent no retained message for idleTime. A slow broker or network gets more time. The scan always ends after scanTimeout.
func (s *scan) run(ctx context.Context, conn *broker.Conn, m marker, filters []string) error {
	s.wake = make(chan struct{}, 1)
	scanCtx, cancel := context.WithTimeout(ctx, scanTimeout)
	defer cancel()
	slowest, err := s.subscribe(scanCtx, conn, m, filters)
	subscribedAt := time.Now()
	for wait := s.remaining(subscribedAt, slowest); err == nil && wait > 0; wait = s.remaining(subscribedAt, slowest) {
		select {
		case <-time.After(wait):
		case <-s.wake:
		case <-conn.Lost():
			err = conn.Err()
		case <-scanCtx.Done():
			s.noteFailure(scanCtx, nil)
		}
	}
	return cmp.Or(err, ctx.Err())
}

// remaining returns how long the broker must still send no retained message before the scan ends. The result is not positive if the scan has
// ended. subscribedAt is when the last subscription was answered. slowest is the longest time that the broker took to answer a subscription.
func (s *scan) remaining(subscribedAt time.Time, slowest time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return 0
	case s.markerReceived:
		return time.Until(s.lastReceived.Add(s.idleTime/10 + 2*slowest))
	case s.lastReceived.After(subscribedAt):
		subscribedAt = s.lastReceived
	}
	return time.Until(subscribedAt.Add(s.idleTime + slowest))
}

// subscribe subscribes to the filters and then to the topic of the marker. It returns the longest time that the broker took to answer.
func (s *scan) subscribe(scanCtx context.Context, conn *broker.Conn, m marker, filters []string) (slowest time.Duration, err error) {
	request := func(filter string, qos byte, isWanted bool, receive func(broker.Message)) {
		began := time.Now()
		if s.isClosed() {
			return
		}
		if err := conn.Subscribe(scanCtx, filter, qos, receive); err == nil {
			slowest = max(slowest, time.Since(began))
		} else if isWanted {
			s.noteFailure(scanCtx, err)
		}
	}
	isFilter := false // the topic of the marker is also a filter
	for _, filter := range filters {
		if filter == m.topic {
			isFilter = true
			continue
		}
		// With QoS 0 the broker sends all retained messages. With QoS 1 the broker queues a limited number of messages for each client (Mosquitto
		// 1000) and drops the rest.
		request(filter, 0, true, s.receive)
	}
	request(m.topic, m.qos, isFilter, func(received broker.Message) {
		if isFilter {
			s.receive(received)
		}
		if m.receive != nil {
			m.receive(received)
		}
		if received.Retain {
			s.receiveMarker()
		}
	})
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

// result ends the scan. It returns the messages, and why they are incomplete. The error is nil if the messages are complete.
func (s *scan) result() ([]broker.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return s.messages, s.incompleteErr
}
