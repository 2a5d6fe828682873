package broker

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"time"

	mqtt5 "github.com/mochi-mqtt/server/v2/packets"
)

// limits are what a broker says of itself to a client of MQTT 5 (3.2.2.3). One of MQTT 3.1.1 is told nothing of it, and feels it.
type limits struct {
	most     int  // bytes of the largest packet that it takes; 0 where it names none
	noRetain bool // it keeps no messages, and ends the connection of whoever asks for it
}

// askTime bounds how long a broker may take to answer what it is asked besides its work.
const askTime = 4 * time.Second

var errNoLimits = errors.New("the broker does not say what it takes")

// ask logs in with MQTT 5, reads what the broker says of its limits, and leaves. A broker that does not speak it, or does not let in this
// second client, is errNoLimits or an error of the network.
func (p endpoint) ask(ctx context.Context) (limits, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	conn, err := p.connect(ctx)
	if err != nil {
		return limits{}, err
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	connect := mqtt5.Packet{FixedHeader: mqtt5.FixedHeader{Type: mqtt5.Connect}, ProtocolVersion: 5, Connect: mqtt5.ConnectParams{
		ProtocolName: []byte("MQTT"), Clean: true, Keepalive: uint16(p.KeepAlive / time.Second), ClientIdentifier: p.ClientID + "-ask",
		UsernameFlag: p.Username != "", Username: []byte(p.Username),
		PasswordFlag: p.Password != "", Password: []byte(p.Password),
	}}
	var hello bytes.Buffer
	if err := connect.ConnectEncode(&hello); err != nil {
		return limits{}, err
	}
	if _, err := conn.Write(hello.Bytes()); err != nil {
		return limits{}, err
	}
	l, err := readLimits(bufio.NewReader(conn))
	if err == nil {
		_, _ = conn.Write([]byte{mqtt5.Disconnect << 4, 0})
	}
	return l, err
}

// readLimits reads a CONNACK of MQTT 5.
func readLimits(in *bufio.Reader) (limits, error) {
	kind, err := in.ReadByte()
	if err != nil {
		return limits{}, err
	}
	length, err := binary.ReadUvarint(in)
	if kind != mqtt5.Connack<<4 || err != nil || length > mostInbound {
		return limits{}, errNoLimits
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(in, body); err != nil {
		return limits{}, err
	}
	connack := mqtt5.Packet{FixedHeader: mqtt5.FixedHeader{Type: mqtt5.Connack}, ProtocolVersion: 5}
	if err := connack.ConnackDecode(body); err != nil || connack.ReasonCode != 0 {
		return limits{}, errNoLimits
	}
	says := connack.Properties
	return limits{
		most:     int(min(says.MaximumPacketSize, 1<<30)),
		noRetain: says.RetainAvailableFlag && says.RetainAvailable == 0,
	}, nil
}
