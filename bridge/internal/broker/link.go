package broker

import (
	"bufio"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// A link is the network connection under the MQTT client. It tells the cause of a loss as soon as it is known: the client
// first stops its own goroutines, and keeps the cause to itself when the connection was closed on this side.
type link struct {
	net.Conn
	reading sync.Mutex // held while bytes are read
	in      inbound
	lost    func(error)
	closed  atomic.Bool
	closing sync.Once
	failed  atomic.Bool // a cause of a loss has been told
	polite  atomic.Bool // Close waits until the broker has closed the connection, too
	out     corked

	closeErr error
}

// errLinkClosed takes the place of net.ErrClosed, which paho's reader swallows: it would stay "connected".
var errLinkClosed = errors.New("closed on this side")

func newLink(c net.Conn, lost func(error)) *link {
	l := &link{Conn: c, lost: lost}
	l.in.in = bufio.NewReaderSize(c, 1024)
	l.in.discarded = l.discarded
	l.out.timer = time.AfterFunc(time.Hour, l.uncork)
	l.out.timer.Stop()
	return l
}

func (l *link) Read(b []byte) (int, error) {
	l.reading.Lock()
	defer l.reading.Unlock()
	n, err := l.in.Read(b)
	return n, l.judge(err)
}

// discarded acknowledges a PUBLISH that was not read, as the client would have: a broker sends only so many without.
func (l *link) discarded(id uint16) {
	if id != 0 {
		_, _ = l.Write([]byte{packets.Puback << 4, 2, byte(id >> 8), byte(id)}) // a loss is told
	}
}

// Close closes the connection once; whoever comes second waits until it is closed.
func (l *link) Close() error {
	l.closed.Store(true)
	l.closing.Do(func() {
		l.out.timer.Stop()
		if l.polite.Load() && !l.failed.Load() {
			l.drain()
		}
		l.closeErr = l.Conn.Close()
	})
	return l.closeErr
}

// drain reads until the broker has closed the connection, which it does at a DISCONNECT (MQTT 3.1.1, 3.14.4), or farewell is over.
// A connection that is closed with bytes unread is reset, and the broker then loses what it has not read itself.
func (l *link) drain() {
	_ = l.SetReadDeadline(time.Now().Add(farewell)) // ends a read of the client, too
	l.reading.Lock()
	defer l.reading.Unlock()
	_, _ = io.Copy(io.Discard, l.Conn)
}

func (l *link) judge(err error) error {
	switch {
	case err == nil:
		return nil
	case l.closed.Load() || errors.Is(err, net.ErrClosed):
		return errLinkClosed
	default:
		l.failed.Store(true)
		l.lost(err)
		return err
	}
}
