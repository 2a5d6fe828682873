package broker

import (
	"bufio"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// A link is the network connection under the MQTT client. It tells the cause of a loss as soon as it is known: the client
// first stops its own goroutines, and keeps the cause to itself when the connection was closed on this side.
type link struct {
	net.Conn
	in     inbound
	lost   func(error)
	closed atomic.Bool
	failed atomic.Bool // a cause of a loss has been told
	out    corked
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
	n, err := l.in.Read(b)
	return n, l.judge(err)
}

// discarded acknowledges a PUBLISH that was not read, as the client would have: a broker sends only so many without.
func (l *link) discarded(id uint16) {
	if id != 0 {
		_, _ = l.Write([]byte{packets.Puback << 4, 2, byte(id >> 8), byte(id)}) // a loss is told
	}
}

func (l *link) Close() error {
	l.closed.Store(true)
	l.out.timer.Stop()
	return l.Conn.Close()
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
