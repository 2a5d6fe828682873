package broker

import (
	"net"
	"sync/atomic"
	"time"
)

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
