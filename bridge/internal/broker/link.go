package broker

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

const (
	// mostInbound is the largest remaining length, in bytes, of a packet that is read. The client allocates a packet whole, and whoever
	// may publish to a topic that is subscribed to would decide how much memory that takes. What hubs and bridges say is far smaller.
	mostInbound = 1 << 20
	// writeTimeout is how long the network may take no bytes.
	writeTimeout = 5 * time.Second
)

var (
	errNotMQTT   = errors.New("no CONNACK")
	errMalformed = errors.New("malformed packet")
	// errLinkClosed takes the place of net.ErrClosed, which paho's reader swallows: it would stay "connected".
	errLinkClosed = errors.New("closed on this side")
)

// A link is the network connection under the MQTT client. It tells the cause of a loss as soon as it is known: the client first stops its
// own goroutines, and keeps the cause to itself when the connection was closed on this side. It passes on whole packets that are sound,
// and discards those that are too large while they arrive.
type link struct {
	net.Conn
	lost      func(error)                   // is told the cause of a loss
	tooLarge  func(topic string, bytes int) // is told of a PUBLISH that is not read
	close     func() error
	closed    atomic.Bool
	polite    atomic.Bool  // Close waits until the broker has closed the connection, too
	discarded atomic.Int64 // when bytes were last discarded, in ns since 1970: a broker that sends them acknowledges nothing

	reading sync.Mutex // guards what follows
	in      *bufio.Reader
	packet  []byte // what of the last packet has not been passed on
	begun   bool   // the CONNACK has come
	code    byte   // of it
}

func newLink(c net.Conn, lost func(error), tooLarge func(string, int)) *link {
	l := &link{Conn: c, lost: lost, tooLarge: tooLarge, in: bufio.NewReader(c)}
	l.close = sync.OnceValue(func() error {
		if l.polite.Load() {
			l.drain()
		}
		return c.Close()
	})
	return l
}

func (l *link) Read(b []byte) (int, error) {
	l.reading.Lock()
	defer l.reading.Unlock()
	for len(l.packet) == 0 {
		if err := l.next(); err != nil {
			return 0, l.judge(err)
		}
	}
	n := copy(b, l.packet)
	l.packet = l.packet[n:]
	return n, nil
}

// next reads the next packet (MQTT 3.1.1, 2.2), or discards it if it is too large.
func (l *link) next() error {
	kind, err := l.in.ReadByte()
	if err != nil {
		return err
	}
	if !l.begun && kind>>4 != packets.Connack { // the client takes any byte for a packet and waits for the rest
		return fmt.Errorf("%w: it begins with byte %02x", errNotMQTT, kind)
	}
	length, err := binary.ReadUvarint(l.in)
	switch {
	case err == nil && !l.begun && length != 2: // not MQTT 3.1.1, 3.2: other programs greet with "+OK" or "-ERR"
		return fmt.Errorf("%w: its length is %d", errNotMQTT, length)
	case length >= 1<<28:
		return fmt.Errorf("%w: a length of more than four bytes", errMalformed)
	case err != nil:
		return err
	case length > mostInbound:
		return l.discard(kind, int(length))
	}
	packet := binary.AppendUvarint([]byte{kind}, length)
	header := len(packet)
	packet = append(packet, make([]byte, length)...)
	if _, err := io.ReadFull(l.in, packet[header:]); err != nil {
		return err
	}
	acknowledge(l.Conn)
	l.packet = packet
	return l.check(packet)
}

// check refuses what the client would stumble over.
func (l *link) check(packet []byte) error {
	read, err := packets.ReadPacket(bytes.NewReader(packet))
	if err != nil {
		return fmt.Errorf("%w: %v", errMalformed, err) //nolint:errorlint // an io.EOF here is not that of the connection
	}
	switch p := read.(type) {
	case *packets.ConnackPacket:
		if l.begun {
			return fmt.Errorf("%w: a second CONNACK", errMalformed)
		}
		l.begun, l.code = true, p.ReturnCode
	case *packets.SubackPacket:
		if len(p.ReturnCodes) != 1 {
			return fmt.Errorf("%w: a SUBACK with %d codes for one topic", errMalformed, len(p.ReturnCodes))
		}
	case *packets.PublishPacket:
		if p.Qos > 1 {
			return fmt.Errorf("%w: a PUBLISH of quality of service %d, which nobody asked for", errMalformed, p.Qos)
		}
	}
	return nil
}

// discard takes away a packet whose fixed header was read. A PUBLISH (MQTT 3.1.1, 3.3) is acknowledged, as the client would have done: a broker
// sends only so many without.
func (l *link) discard(kind byte, length int) error {
	head := make([]byte, 2+math.MaxUint16+2) // the topic and the packet identifier are in it
	if _, err := io.ReadFull(l.in, head); err != nil {
		return err
	}
	n := 2 + int(binary.BigEndian.Uint16(head))
	publish := kind>>4 == packets.Publish
	if publish {
		l.tooLarge(string(head[2:n]), length)
	}
	for left := length - len(head); left > 0; {
		l.discarded.Store(time.Now().UnixNano())
		read, err := io.CopyN(io.Discard, l.in, int64(min(left, mostInbound)))
		if left -= int(read); err != nil {
			return err
		}
	}
	if publish && kind&0x06 != 0 { // the quality of service
		_, err := l.Write([]byte{packets.Puback << 4, 2, head[n], head[n+1]})
		return err
	}
	return nil
}

func (l *link) Write(b []byte) (int, error) {
	_ = l.Conn.SetWriteDeadline(time.Now().Add(writeTimeout)) // what fails here fails below
	n, err := l.Conn.Write(b)
	return n, l.judge(err)
}

// SetWriteDeadline does nothing: the client's time limit is for another purpose, and Write has its own.
func (l *link) SetWriteDeadline(time.Time) error { return nil }

// Close closes the connection once; whoever comes second waits until it is closed.
func (l *link) Close() error {
	l.closed.Store(true)
	return l.close()
}

// drain reads until the broker has closed the connection, which it does at a DISCONNECT (MQTT 3.1.1, 3.14.4), or is silent for parting: a
// busy broker may take long, and nothing tells that it has read what was sent with QoS 0, but that it sends what it reads to the
// subscriptions. A broker that sends and never closes is left too.
// A connection that is closed with bytes unread is reset, and the broker then loses what it has not read itself.
func (l *link) drain() {
	_ = l.SetReadDeadline(time.Now().Add(parting)) // ends a read of the client, too
	l.reading.Lock()
	defer l.reading.Unlock()
	rest := make([]byte, 4096)
	for end := time.Now().Add(6 * parting); time.Now().Before(end); {
		if _, err := l.Conn.Read(rest); err != nil {
			return
		}
		_ = l.SetReadDeadline(time.Now().Add(parting))
	}
}

func (l *link) judge(err error) error {
	if err == nil {
		return nil
	}
	if l.closed.Load() || errors.Is(err, net.ErrClosed) {
		return errLinkClosed
	}
	l.lost(err)
	return err
}
