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
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// maxInboundPacket is the largest remaining length, in bytes, of a packet that is read. paho allocates memory for the whole packet.
// Without this limit, any program that publishes to a subscribed topic could make the bridge use much memory.
const maxInboundPacket = 1 << 20

// maxKeptPacket is the size, in bytes, of the largest packet whose memory a packetConn uses again.
const maxKeptPacket = 4096

var (
	errNotMQTT   = errors.New("no CONNACK")
	errMalformed = errors.New("malformed packet")
	// errClosedHere replaces net.ErrClosed. paho's reader ignores net.ErrClosed, so its client would remain "connected".
	errClosedHere = errors.New("closed on this side")
)

// A packetConn is the network connection under the MQTT client. Its Read returns only bytes of complete, well-formed packets. Packets
// larger than maxInboundPacket are discarded while they arrive. If the connection is lost, a packetConn reports the cause immediately. paho
// reports a loss only after its goroutines have ended, and never if its client was closed before.
type packetConn struct {
	net.Conn
	onLoss       func(error)                   // called with the cause of a loss
	onOversized  func(topic string, bytes int) // called for each discarded PUBLISH with its size
	closeOnce    func() error
	closed       atomic.Bool
	drainOnClose atomic.Bool // Close first waits until the broker has closed the connection
	out          sendBuffer
	opened       time.Time
	// lastProgress is when a PUBACK last arrived or bytes of an oversized packet were last discarded, in ns since opened. No acknowledgement
	// can arrive while an oversized packet arrives.
	lastProgress    atomic.Int64
	readMu          sync.Mutex // guards the fields below
	reader          *bufio.Reader
	buf             []byte // memory for small packets, which is used again for each packet
	unread          []byte // the part of the last packet that Read has not returned yet
	connackReceived bool
	returnCode      byte // the return code of the CONNACK
}

// newPacketConn returns a packetConn over c.
func newPacketConn(c net.Conn, onLoss func(error), onOversized func(string, int)) *packetConn {
	l := &packetConn{Conn: c, onLoss: onLoss, onOversized: onOversized, opened: time.Now()}
	l.reader = bufio.NewReader(&networkReader{Conn: c, quickAck: newQuickAck(c), unackedCount: &l.out.unackedCount})
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

// readPacket reads the next packet (MQTT 3.1.1, section 2.2) into l.unread, or discards it if it is too large.
func (l *packetConn) readPacket() error {
	kind, err := l.reader.ReadByte()
	if err != nil {
		return err
	}
	if !l.connackReceived && kind>>4 != packets.Connack { // paho would accept any byte as a packet type and wait for the rest of the packet
		return fmt.Errorf("%w: it begins with byte %02x", errNotMQTT, kind)
	}
	length, err := binary.ReadUvarint(l.reader)
	switch {
	case err == nil && !l.connackReceived && length != 2: // a CONNACK has length 2; data of other protocols can begin with the same byte
		return fmt.Errorf("%w: its length is %d", errNotMQTT, length)
	case length >= 1<<28:
		return fmt.Errorf("%w: a remaining length that is encoded in more than four bytes", errMalformed)
	case err != nil:
		return err
	case length > maxInboundPacket:
		return l.discardPacket(kind, int(length))
	}
	packet := binary.AppendUvarint(append(l.buf[:0], kind), length)
	headerSize := len(packet)
	packet = slices.Grow(packet, int(length))[:headerSize+int(length)]
	if cap(packet) <= maxKeptPacket {
		l.buf = packet
	}
	if _, err := io.ReadFull(l.reader, packet[headerSize:]); err != nil {
		return err
	}
	l.unread = packet
	return l.checkPacket(packet, packet[headerSize:])
}

// checkPacket returns errMalformed for a packet that paho would not handle correctly. body is the part of packet after the fixed header.
// checkPacket stores the return code of a CONNACK and notes the progress that a PUBACK shows.
func (l *packetConn) checkPacket(packet, body []byte) error {
	if packet[0]>>4 == packets.Puback { // the most frequent packet, whose only field is the packet identifier
		if len(body) < 2 {
			return fmt.Errorf("%w: a PUBACK without a packet identifier", errMalformed)
		}
		l.noteProgress()
		l.out.unackedCount.Add(-1)
		return nil
	}
	decoded, err := packets.ReadPacket(bytes.NewReader(packet))
	if err != nil {
		return fmt.Errorf("%w: %v", errMalformed, err) //nolint:errorlint // an io.EOF of ReadPacket does not mean the end of the connection
	}
	switch p := decoded.(type) {
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

// discardPacket reads and drops the rest of a packet. length is the number of bytes after the fixed header. discardPacket acknowledges a
// PUBLISH with QoS 1, because a broker sends only a limited number of unacknowledged messages.
func (l *packetConn) discardPacket(kind byte, length int) error {
	// start has room for the length of the topic, the longest topic and the packet identifier. An oversized packet is longer than start.
	start := make([]byte, 2+math.MaxUint16+2)
	if _, err := io.ReadFull(l.reader, start); err != nil {
		return err
	}
	topicEnd := 2 + int(binary.BigEndian.Uint16(start))
	isPublish := kind>>4 == packets.Publish
	if isPublish {
		l.onOversized(string(start[2:topicEnd]), length)
	}
	for left := length - len(start); left > 0; {
		l.noteProgress()
		discarded, err := io.CopyN(io.Discard, l.reader, int64(min(left, maxInboundPacket)))
		if err != nil {
			return err
		}
		left -= int(discarded)
	}
	if isPublish && kind&0x06 != 0 { // the QoS bits
		_, err := l.Write([]byte{packets.Puback << 4, 2, start[topicEnd], start[topicEnd+1]})
		return err
	}
	return nil
}

// noteProgress sets lastProgress to the present time.
func (l *packetConn) noteProgress() { l.lastProgress.Store(int64(time.Since(l.opened))) }

// progressAt returns the time that lastProgress stands for.
func (l *packetConn) progressAt() time.Time {
	return l.opened.Add(time.Duration(l.lastProgress.Load()))
}

// Write sends a whole packet, which it keeps in a buffer if it is a PUBLISH (see sendBuffer). paho passes each packet in one call.
func (l *packetConn) Write(packet []byte) (int, error) {
	if err := l.out.write(l.Conn, packet); err != nil {
		return 0, l.reportLoss(err)
	}
	return len(packet), nil
}

// SetWriteDeadline does nothing. paho calls it with publishTimeout, but the sendBuffer sets writeTimeout itself.
func (l *packetConn) SetWriteDeadline(time.Time) error { return nil }

// Close closes the connection once. Every call returns after the connection is closed.
func (l *packetConn) Close() error {
	l.closed.Store(true)
	return l.closeOnce()
}

// drain reads and drops data until the broker has closed the connection. A broker closes it after a DISCONNECT (MQTT 3.1.1, section
// 3.14.4). drain ends after closeTimeout without data. After six times closeTimeout, drain begins no further read. Without drain, bytes
// could remain unread, and TCP would then reset the connection. The broker would lose data that it has not read yet, such as messages with
// QoS 0.
func (l *packetConn) drain() {
	_ = l.SetReadDeadline(time.Now().Add(closeTimeout)) // also ends a blocked Read of paho, which holds readMu
	l.readMu.Lock()
	defer l.readMu.Unlock()
	buf := make([]byte, 4096)
	for end := time.Now().Add(6 * closeTimeout); time.Now().Before(end); {
		if _, err := l.Conn.Read(buf); err != nil {
			return
		}
		_ = l.SetReadDeadline(time.Now().Add(closeTimeout))
	}
}

// reportLoss calls onLoss with err, the cause of a lost connection, and returns err. If the connection was closed on this side, reportLoss
// only returns errClosedHere.
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
