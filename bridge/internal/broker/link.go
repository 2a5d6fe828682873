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
	in     *bufio.Reader // paho reads a packet in three or more pieces
	lost   func(error)
	closed atomic.Bool
	out    corked
	answer [4]byte // the first that is heard, a CONNACK
	heard  int     // bytes of answer
}

// errLinkClosed takes the place of net.ErrClosed, which paho's reader swallows: it would stay "connected".
var errLinkClosed = errors.New("closed on this side")

func newLink(c net.Conn, lost func(error)) *link {
	l := &link{Conn: c, in: bufio.NewReaderSize(c, 1024), lost: lost}
	l.out.timer = time.AfterFunc(time.Hour, l.uncork)
	l.out.timer.Stop()
	return l
}

var errNotMQTT = errors.New("no CONNACK")

func (l *link) Read(b []byte) (int, error) {
	n, err := l.in.Read(b)
	if l.heard < len(l.answer) {
		l.heard += copy(l.answer[l.heard:], b[:n])
		if l.heard > 0 && l.answer[0]>>4 != packets.Connack {
			return 0, errNotMQTT // here, since paho takes any byte for the beginning of a packet and waits for the rest
		}
	}
	return n, l.judge(err)
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
		l.lost(err)
		return err
	}
}
