package broker

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

const (
	// sendBufferSize is the number of buffered bytes from which a sendBuffer writes them to the network.
	sendBufferSize = 16 << 10
	// writeTimeout is how long a write waits for the network to accept its bytes.
	writeTimeout = 5 * time.Second
)

// A sendBuffer collects PUBLISH packets, so that many of them reach the network in one write. Its methods are safe for concurrent use.
type sendBuffer struct {
	begun        atomic.Uint64 // the number of PUBLISH packets whose write to the network has at least begun
	sent         atomic.Uint64 // the number of PUBLISH packets that were written to the network
	unackedCount atomic.Int64  // the number of PUBLISH packets with QoS 1 that were written and have no PUBACK yet; the reader subtracts one for each PUBACK

	mu          sync.Mutex // guards the fields below; it is held during a write to the network
	pending     []byte     // packets that were not written to the network yet
	pendingQoS1 int64      // the number of PUBLISH packets with QoS 1 in pending
	passed      uint64     // the number of PUBLISH packets that were passed to write
	target      uint64     // when passed reaches target, pending is written to the network
	err         error      // the error of the first failed write; nothing is written after it
}

// write adds a packet. It writes all pending packets to conn if packet is not a PUBLISH, if the buffer is full, or if packet is the last one
// for which send was called.
func (s *sendBuffer) write(conn net.Conn, packet []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = append(s.pending, packet...)
	if packet[0]>>4 == packets.Publish {
		if packet[0]&0x06 != 0 { // the QoS bits
			s.pendingQoS1++
		}
		if s.passed++; s.passed != s.target && len(s.pending) < sendBufferSize {
			return s.err
		}
	}
	return s.flush(conn)
}

// send makes sure that the first count PUBLISH packets are written to conn: immediately if all of them were passed to write, and otherwise as
// soon as the last of them is passed to write.
func (s *sendBuffer) send(conn net.Conn, count uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.target = count
	if s.passed < count {
		return s.err
	}
	return s.flush(conn)
}

// sendPassed writes the packets to conn that were passed to write.
func (s *sendBuffer) sendPassed(conn net.Conn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flush(conn)
}

// flush writes the pending packets to conn. The caller must hold mu.
func (s *sendBuffer) flush(conn net.Conn) error {
	if s.err != nil || len(s.pending) == 0 {
		return s.err
	}
	s.begun.Store(s.passed)
	s.unackedCount.Add(s.pendingQoS1)
	s.pendingQoS1 = 0
	_ = conn.SetWriteDeadline(time.Now().Add(writeTimeout)) // if it fails, Write fails too
	_, s.err = conn.Write(s.pending)
	if s.err == nil {
		s.sent.Store(s.passed)
	}
	s.pending = s.pending[:0]
	if cap(s.pending) > 2*sendBufferSize { // a large packet; the memory is not needed for the usual packets
		s.pending = nil
	}
	return s.err
}

// ackPause is how long a networkReader waits before a read while acknowledgements are expected. A broker acknowledges each message of a
// telegram in a packet of its own. Without the pause, each of these packets would wake several goroutines, which takes more CPU time than
// publishing. With it, most acknowledgements of a telegram arrive in one read.
const ackPause = time.Millisecond

// A networkReader reads from the network for a packetConn, whose readMu guards it.
type networkReader struct {
	net.Conn
	quickAck     func()        // is called after each read (see newQuickAck)
	unackedCount *atomic.Int64 // the number of messages whose acknowledgement is expected
	filled       bool          // the last read has filled its buffer, so more bytes are probably there
}

func (r *networkReader) Read(b []byte) (int, error) {
	if r.unackedCount.Load() > 0 && !r.filled {
		time.Sleep(ackPause)
	}
	n, err := r.Conn.Read(b)
	r.quickAck()
	r.filled = n == len(b)
	return n, err
}
