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

// limits are the limits that a broker states in the CONNACK of MQTT 5 (section 3.2.2.3). With MQTT 3.1.1 the broker enforces the same
// limits without stating them.
type limits struct {
	maxPacket int  // the size of the largest packet that the broker accepts, in bytes; 0 if the broker states no limit
	noRetain  bool // the broker does not support retained messages, and closes the connection at a retained message
}

// queryTimeout limits queryLimits and each test message.
const queryTimeout = 4 * time.Second

var errNoLimits = errors.New("the broker does not state its limits")

// queryLimits logs in with MQTT 5, reads the limits in the CONNACK and disconnects. If the broker does not support MQTT 5 or refuses the
// login, the error is errNoLimits or a network error.
func (p target) queryLimits(ctx context.Context) (limits, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	conn, err := p.connect(ctx)
	if err != nil {
		return limits{}, err
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })() // the end of ctx also ends a blocked Read
	connect := mqtt5.Packet{FixedHeader: mqtt5.FixedHeader{Type: mqtt5.Connect}, ProtocolVersion: 5, Connect: mqtt5.ConnectParams{
		ProtocolName: []byte("MQTT"), Clean: true, Keepalive: uint16(p.KeepAlive / time.Second), ClientIdentifier: p.ClientID + "-ask",
		UsernameFlag: p.Username != "", Username: []byte(p.Username),
		PasswordFlag: p.Password != "", Password: []byte(p.Password),
	}}
	var encoded bytes.Buffer
	if err := connect.ConnectEncode(&encoded); err != nil {
		return limits{}, err
	}
	if _, err := conn.Write(encoded.Bytes()); err != nil {
		return limits{}, err
	}
	stated, err := readLimits(bufio.NewReader(conn))
	if err == nil {
		_, _ = conn.Write([]byte{mqtt5.Disconnect << 4, 0})
	}
	return stated, err
}

// readLimits reads the limits from a CONNACK of MQTT 5. The error is errNoLimits if r has another packet or if the login is refused.
func readLimits(r *bufio.Reader) (limits, error) {
	kind, err := r.ReadByte()
	if err != nil {
		return limits{}, err
	}
	length, err := binary.ReadUvarint(r)
	if kind != mqtt5.Connack<<4 || err != nil || length > maxInboundPacket {
		return limits{}, errNoLimits
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(r, body); err != nil {
		return limits{}, err
	}
	connack := mqtt5.Packet{FixedHeader: mqtt5.FixedHeader{Type: mqtt5.Connack}, ProtocolVersion: 5}
	if err := connack.ConnackDecode(body); err != nil || connack.ReasonCode != 0 {
		return limits{}, errNoLimits
	}
	stated := connack.Properties
	return limits{
		maxPacket: int(min(stated.MaximumPacketSize, 1<<30)), // an int can have only 32 bits
		noRetain:  stated.RetainAvailableFlag && stated.RetainAvailable == 0,
	}, nil
}
