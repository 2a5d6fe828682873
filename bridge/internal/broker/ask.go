package broker

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// limits are what a broker says of itself to a client of MQTT 5 (3.2.2.3). One of MQTT 3.1.1 is told nothing of it, and feels it.
type limits struct {
	most     int  // bytes of the largest packet that it takes; 0 where it names none
	noRetain bool // it keeps no messages, and ends the connection of whoever asks for it
}

// askTime bounds how long a broker may take to answer what it is asked besides its work.
const askTime = 4 * time.Second

var errNoLimits = errors.New("the broker does not say what it takes")

// ask logs in with MQTT 5, of which this package speaks no more than that, reads what the broker says of its limits, and leaves.
// A broker that does not speak it, or does not let in this second client, is errNoLimits or an error of the network.
func (p place) ask(ctx context.Context) (limits, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	conn, err := p.connect(ctx)
	if err != nil {
		return limits{}, err
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if _, err := conn.Write(p.connect5()); err != nil {
		return limits{}, err
	}
	l, err := readLimits(bufio.NewReader(conn))
	if err == nil {
		_, _ = conn.Write([]byte{packets.Disconnect << 4, 0})
	}
	return l, err
}

// connect5 is a CONNECT of MQTT 5 (3.1) with a clean start and no will.
func (p place) connect5() []byte {
	flags, payload := byte(0x02), appendText(nil, p.ClientID+"-ask")
	if p.Username != "" {
		flags |= 0x80
		payload = appendText(payload, p.Username)
	}
	if p.Password != "" {
		flags |= 0x40
		payload = appendText(payload, p.Password)
	}
	body := append(appendText(nil, "MQTT"), 5, flags, 0, byte(p.KeepAlive/time.Second), 0)
	body = append(body, payload...)
	return append(binary.AppendUvarint([]byte{packets.Connect << 4}, uint64(len(body))), body...)
}

func appendText(b []byte, text string) []byte {
	text = text[:min(len(text), 0xffff)]
	return append(binary.BigEndian.AppendUint16(b, uint16(len(text))), text...)
}

// readLimits reads a CONNACK of MQTT 5.
func readLimits(in *bufio.Reader) (l limits, err error) {
	kind, err := in.ReadByte()
	if err != nil {
		return l, err
	}
	length, err := binary.ReadUvarint(in)
	if kind != packets.Connack<<4 || err != nil || length < 3 || length > mostInbound {
		return l, errNoLimits
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(in, body); err != nil {
		return l, err
	}
	n, used := binary.Uvarint(body[2:])
	if body[1] != 0 || used <= 0 || uint64(len(body)-2-used) < n {
		return l, errNoLimits
	}
	return limitsOf(body[2+used:][:n])
}

// The properties of a CONNACK that count here, and the sizes in bytes of all (MQTT 5, 2.2.2.2).
const (
	retainAvailable = 0x25
	maximumPacket   = 0x27
	// aText and twoTexts stand for a size that the property itself tells.
	aText    = -1
	twoTexts = -2
)

var propertySizes = map[byte]int{
	0x11: 4, 0x12: aText, 0x13: 2, 0x15: aText, 0x16: aText, 0x1a: aText, 0x1c: aText, 0x1f: aText, 0x21: 2, 0x22: 2, 0x24: 1,
	retainAvailable: 1, 0x26: twoTexts, maximumPacket: 4, 0x28: 1, 0x29: 1, 0x2a: 1,
}

func limitsOf(properties []byte) (l limits, err error) {
	for len(properties) > 0 {
		id, rest := properties[0], properties[1:]
		size := propertySize(id, rest)
		if size <= 0 || len(rest) < size {
			return l, errNoLimits
		}
		switch id {
		case retainAvailable:
			l.noRetain = rest[0] == 0
		case maximumPacket:
			l.most = int(min(binary.BigEndian.Uint32(rest), 1<<30))
		}
		properties = rest[size:]
	}
	return l, nil
}

// propertySize is the size in bytes of the property at the beginning of rest; 0 if it is not known.
func propertySize(id byte, rest []byte) int {
	texts := -propertySizes[id]
	if texts < 0 {
		return propertySizes[id]
	}
	size := 0
	for range texts {
		if len(rest) < size+2 {
			return 0
		}
		size += 2 + int(binary.BigEndian.Uint16(rest[size:]))
	}
	return size
}
