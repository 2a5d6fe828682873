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
	// maxInboundPacket is the largest remaining length, in bytes, of a packet that is read. paho allocates each packet as a whole, so
	// anybody who may publish to a subscribed topic could make the bridge use much memory. Messages of hubs and bridges are far smaller.
	maxInboundPacket = 1 << 20
	// writeTimeout is how long the network may accept no bytes.
	writeTimeout = 5 * time.Second
)

var (
	errNotMQTT   = errors.New("no CONNACK")
	errMalformed = errors.New("malformed packet")
	// errClosedHere replaces net.ErrClosed, which paho's reader ignores: its client would remain "connected".
	errClosedHere = errors.New("closed on this side")
)

// A packetConn is the network connection under the MQTT client. Its Read returns only whole, well-formed packets; larger ones than
// maxInboundPacket are discarded as they arrive. It reports the cause of a loss at once. paho reports it only after its goroutines have
// ended, and not at all if the connection was closed on this side.
type packetConn struct {
	net.Conn
	onLoss       func(error)                   // called with the cause of a loss
	onOversized  func(topic string, bytes int) // called for each discarded PUBLISH with its size
	closeOnce    func() error
	closed       atomic.Bool
	drainOnClose atomic.Bool  // Close first waits until the broker has closed the connection
	lastDiscard  atomic.Int64 // when bytes were last discarded, in ns since 1970; the broker acknowledges nothing meanwhile

	readMu          sync.Mutex // guards the fields below
	reader          *bufio.Reader
	unread          []byte // the part of the last packet that Read has not returned yet
	connackReceived bool
	returnCode      byte // of the CONNACK
}

func newPacketConn(c net.Conn, onLoss func(error), onOversized func(string, int)) *packetConn {
	l := &packetConn{Conn: c, onLoss: onLoss, onOversized: onOversized, reader: bufio.NewReader(c)}
	l.closeOnce = sync.OnceValue(func() error {
		if l.drainOnClose.Load() {
			l.drain()
		}
		return c.Close()
	})
	return l
}

func (l *packetConn) Read(b []byte) (int, error) {
	l.readMu.Lock()
	defer l.readMu.Unlock()
	for len(l.unread) == 0 {
		if err := l.readPacket(); err != nil {
			return 0, l.reportLoss(err)
		}
	}
	n := copy(b, l.unread)
	l.unread = l.unread[n:]
	return n, nil
}

// readPacket reads the next packet (MQTT 3.1.1, 2.2) into l.unread, or discards it if it is too large.
func (l *packetConn) readPacket() error {
	kind, err := l.reader.ReadByte()
	if err != nil {
		return err
	}
	if !l.connackReceived && kind>>4 != packets.Connack { // paho would take any byte for a packet type and wait for the rest
		return fmt.Errorf("%w: it begins with byte %02x", errNotMQTT, kind)
	}
	length, err := binary.ReadUvarint(l.reader)
	switch {
	case err == nil && !l.connackReceived && length != 2: // a CONNACK has length 2 (MQTT 3.1.1, 3.2); others may begin with the byte too
		return fmt.Errorf("%w: its length is %d", errNotMQTT, length)
	case length >= 1<<28:
		return fmt.Errorf("%w: a length of more than four bytes", errMalformed)
	case err != nil:
		return err
	case length > maxInboundPacket:
		return l.discardPacket(kind, int(length))
	}
	packet := binary.AppendUvarint([]byte{kind}, length)
	header := len(packet)
	packet = append(packet, make([]byte, length)...)
	if _, err := io.ReadFull(l.reader, packet[header:]); err != nil {
		return err
	}
	quickAck(l.Conn)
	l.unread = packet
	return l.checkPacket(packet)
}

// checkPacket returns errMalformed for a packet that paho would not handle correctly.
func (l *packetConn) checkPacket(packet []byte) error {
	read, err := packets.ReadPacket(bytes.NewReader(packet))
	if err != nil {
		return fmt.Errorf("%w: %v", errMalformed, err) //nolint:errorlint // an io.EOF here is not that of the connection
	}
	switch p := read.(type) {
	case *packets.ConnackPacket:
		if l.connackReceived {
			return fmt.Errorf("%w: a second CONNACK", errMalformed)
		}
		l.connackReceived, l.returnCode = true, p.ReturnCode
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

// discardPacket reads the rest of a packet, of which length bytes follow the fixed header, and drops it. It acknowledges a PUBLISH with
// QoS 1 (MQTT 3.1.1, 3.3), as paho would have done: a broker sends only a limited number of unacknowledged messages.
func (l *packetConn) discardPacket(kind byte, length int) error {
	head := make([]byte, 2+math.MaxUint16+2) // enough for the topic and the packet identifier
	if _, err := io.ReadFull(l.reader, head); err != nil {
		return err
	}
	n := 2 + int(binary.BigEndian.Uint16(head))
	publish := kind>>4 == packets.Publish
	if publish {
		l.onOversized(string(head[2:n]), length)
	}
	for left := length - len(head); left > 0; {
		l.lastDiscard.Store(time.Now().UnixNano())
		read, err := io.CopyN(io.Discard, l.reader, int64(min(left, maxInboundPacket)))
		if left -= int(read); err != nil {
			return err
		}
	}
	if publish && kind&0x06 != 0 { // the QoS bits
		_, err := l.Write([]byte{packets.Puback << 4, 2, head[n], head[n+1]})
		return err
	}
	return nil
}

func (l *packetConn) Write(b []byte) (int, error) {
	_ = l.Conn.SetWriteDeadline(time.Now().Add(writeTimeout)) // if it fails, so does Write
	n, err := l.Conn.Write(b)
	return n, l.reportLoss(err)
}

// SetWriteDeadline does nothing. paho would set publishTimeout here, and Write has its own limit.
func (l *packetConn) SetWriteDeadline(time.Time) error { return nil }

// Close closes the connection once. Every call returns after it is closed.
func (l *packetConn) Close() error {
	l.closed.Store(true)
	return l.closeOnce()
}

// drain reads and drops data until the broker has closed the connection, which it does after a DISCONNECT (MQTT 3.1.1, 3.14.4). It gives
// up after closeTimeout without data, and after six times that in any case. If a connection is closed while bytes are unread, TCP resets
// it, and the broker loses data that it has not read itself, such as messages with QoS 0.
func (l *packetConn) drain() {
	_ = l.SetReadDeadline(time.Now().Add(closeTimeout)) // also ends a Read of paho, which holds readMu
	l.readMu.Lock()
	defer l.readMu.Unlock()
	rest := make([]byte, 4096)
	for end := time.Now().Add(6 * closeTimeout); time.Now().Before(end); {
		if _, err := l.Conn.Read(rest); err != nil {
			return
		}
		_ = l.SetReadDeadline(time.Now().Add(closeTimeout))
	}
}

// reportLoss passes the cause of a loss to onLoss. It replaces err if the connection was closed on this side.
func (l *packetConn) reportLoss(err error) error {
	if err == nil {
		return nil
	}
	if l.closed.Load() || errors.Is(err, net.ErrClosed) {
		return errClosedHere
	}
	l.onLoss(err)
	return err
}
