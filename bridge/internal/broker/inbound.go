package broker

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// mostInbound is the largest remaining length, in bytes, of a packet that is read. The client allocates a packet whole, and whoever may
// publish to a topic that is subscribed to would decide how much memory that takes. What hubs and bridges say is far smaller.
const mostInbound = 1 << 20

var (
	errNotMQTT   = errors.New("no CONNACK")
	errMalformed = errors.New("malformed packet")
)

// inbound reads the packets of a broker. It passes them on byte by byte, and discards while they arrive those that are too large.
type inbound struct {
	in      *bufio.Reader // the client reads a packet in three or more pieces
	begun   bool          // the first packet has come
	code    byte          // of the CONNACK
	header  [5]byte       // the fixed header of the packet that is read
	pending []byte        // what of it has not been passed on
	left    int           // bytes of the packet behind its header
	// tooLarge is told of a PUBLISH that will be discarded, discarded that it was. id is its packet identifier, 0 where it wants no
	// acknowledgement.
	tooLarge  func(topic string, bytes int)
	discarded func(id uint16)
	// skipping is when bytes were last discarded, in nanoseconds since 1970: the connection is alive.
	skipping atomic.Int64
}

func (r *inbound) Read(b []byte) (int, error) {
	for len(r.pending) == 0 && r.left == 0 {
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	if len(r.pending) > 0 {
		n := copy(b, r.pending)
		r.pending = r.pending[n:]
		return n, nil
	}
	n, err := r.in.Read(b[:min(len(b), r.left)])
	r.left -= n
	return n, err
}

// next reads the next fixed header (MQTT 3.1.1, 2.2), and discards the packet if it is too large.
func (r *inbound) next() error {
	kind, err := r.in.ReadByte()
	if err != nil {
		return err
	}
	if !r.begun && kind>>4 != packets.Connack {
		return fmt.Errorf("%w: it begins with byte %02x", errNotMQTT, kind) // here, since the client takes any byte for a packet and waits for the rest
	}
	r.header[0] = kind
	n, length := 1, 0
	for shift := 0; ; shift += 7 {
		digit, err := r.in.ReadByte()
		if err != nil {
			return cutShort(err)
		}
		r.header[n] = digit
		length |= int(digit&0x7f) << shift
		if n++; digit&0x80 == 0 {
			break
		}
		if n == len(r.header) {
			return fmt.Errorf("%w: a length of more than four bytes", errMalformed)
		}
	}
	if !r.begun {
		return r.first(n, length)
	}
	if err := r.sound(length); err != nil {
		return err
	}
	if length > mostInbound {
		return r.discardPacket(length)
	}
	r.pending, r.left = r.header[:n], length
	return nil
}

// sound refuses what the client would stumble over: it takes as many codes from a SUBACK as there are. Each SUBSCRIBE is for one filter.
func (r *inbound) sound(length int) error {
	switch kind := r.header[0] >> 4; {
	case kind == packets.Suback && length != 3:
		return fmt.Errorf("%w: a SUBACK of %d bytes, want 3", errMalformed, length)
	case kind == packets.Publish && r.header[0]&0x06 == 0x06:
		return fmt.Errorf("%w: a PUBLISH of quality of service 3", errMalformed)
	case kind == 0 || kind == packets.Connack || kind == 15:
		return fmt.Errorf("%w: type %d", errMalformed, kind)
	}
	return nil
}

// first looks at the answer to the login, which is a CONNACK of 2 bytes (MQTT 3.1.1, 3.2).
func (r *inbound) first(n, length int) error {
	if length != 2 {
		return fmt.Errorf("%w: its length is %d", errNotMQTT, length)
	}
	answer, err := r.in.Peek(length)
	if err != nil {
		return cutShort(err)
	}
	r.begun, r.code = true, answer[1]
	r.pending, r.left = r.header[:n], length
	return nil
}

// discardPacket discards the packet whose header was read. Of a PUBLISH (MQTT 3.1.1, 3.3) it reads what an acknowledgement needs.
func (r *inbound) discardPacket(length int) error {
	if r.header[0]>>4 != packets.Publish {
		return r.discard(length)
	}
	var two [2]byte
	if _, err := io.ReadFull(r.in, two[:]); err != nil {
		return cutShort(err)
	}
	topic := make([]byte, binary.BigEndian.Uint16(two[:]))
	if _, err := io.ReadFull(r.in, topic); err != nil {
		return cutShort(err)
	}
	read, id := len(two)+len(topic), uint16(0)
	if r.header[0]&0x06 != 0 { // the quality of service
		if _, err := io.ReadFull(r.in, two[:]); err != nil {
			return cutShort(err)
		}
		read, id = read+len(two), binary.BigEndian.Uint16(two[:])
	}
	r.tooLarge(string(topic), length)
	if err := r.discard(length - read); err != nil {
		return err
	}
	r.discarded(id)
	return nil
}

// discard reads n bytes and forgets them.
func (r *inbound) discard(n int) error {
	for n > 0 {
		r.skipping.Store(time.Now().UnixNano())
		read, err := io.CopyN(io.Discard, r.in, int64(min(n, mostInbound)))
		if n -= int(read); err != nil {
			return cutShort(err)
		}
	}
	return nil
}

// skippedAt is when bytes were last discarded: a broker that is sending them acknowledges nothing.
func (r *inbound) skippedAt() time.Time { return time.Unix(0, r.skipping.Load()) }

// cutShort is the error of a packet whose rest is missing.
func cutShort(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
