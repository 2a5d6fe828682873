package broker

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// A protocol is what a port speaks.
type protocol string

const (
	plainMQTT protocol = "MQTT"
	anyTLS    protocol = "TLS"
	webServer protocol = "HTTP"
	noneKnown protocol = ""
)

// probeTimeout bounds each question.
const probeTimeout = time.Second

// detectProtocol finds out what a port speaks at which a login has failed without a reason. No user and no password is told to it.
func (p *place) detectProtocol(ctx context.Context) protocol {
	switch answer := p.firstReply(ctx, connect311); {
	case len(answer) > 0 && answer[0] == packets.Connack<<4:
		return plainMQTT
	case bytes.HasPrefix(answer, []byte("HTTP/")), bytes.HasPrefix(p.firstReply(ctx, []byte("GET / HTTP/1.0\r\n\r\n")), []byte("HTTP/")):
		return webServer
	case p.acceptsTLS(ctx):
		return anyTLS
	}
	return noneKnown
}

// connect311 is a CONNECT of MQTT 3.1.1 (3.1) with nothing but a client id.
var connect311 = []byte("\x10\x15\x00\x04MQTT\x04\x02\x00\x0a\x00\x09hanbridge")

// firstReply is the beginning of what is answered.
func (p *place) firstReply(ctx context.Context, hello []byte) []byte {
	conn, err := p.reach(ctx)
	if err != nil {
		return nil
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write(hello); err != nil {
		return nil
	}
	answer := make([]byte, 16)
	n, _ := conn.Read(answer)
	return answer[:n]
}

// acceptsTLS tells if TLS is spoken, whatever the certificate.
func (p *place) acceptsTLS(ctx context.Context) bool {
	conn, err := p.reach(ctx)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	err = tls.Client(conn, &tls.Config{ServerName: p.name(), InsecureSkipVerify: true}).HandshakeContext(ctx)
	var remote *net.OpError
	return err == nil || errors.As(err, &remote) && remote.Op == "remote error"
}

func (p *place) reach(ctx context.Context) (net.Conn, error) {
	dialer := net.Dialer{Timeout: probeTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", p.host)
	if err == nil {
		_ = conn.SetDeadline(time.Now().Add(probeTimeout))
	}
	return conn, err
}

// explainProtocol explains why a login fails without a reason, from what the port speaks; answered tells that something was said that is not MQTT.
// certain tells that mqtt.url is wrong.
func (p *place) explainProtocol(ctx context.Context, answered bool) (why string, certain bool) {
	is := p.detectProtocol(ctx)
	scheme := schemes[p.url.Scheme]
	switch {
	case is == plainMQTT && (scheme.secure || scheme.websocket):
		return "it speaks MQTT without encryption and websocket: write mqtt:// in mqtt.url", true
	case is == anyTLS && !scheme.secure && scheme.websocket:
		return "it wants encryption: write wss:// in mqtt.url, or mqtts:// if it is no websocket", true
	case is == anyTLS && !scheme.secure:
		return "it wants encryption: write mqtts:// in mqtt.url, or wss:// if it is a websocket", true
	case is == anyTLS && scheme.websocket:
		return "it speaks TLS: is it a websocket? If not, write mqtts:// in mqtt.url", false
	case is == anyTLS && answered:
		return "is the port in mqtt.url right? For a websocket there write wss://", true
	case is == anyTLS:
		return p.card(), false
	case is == webServer && scheme.secure:
		return "it is a web server without encryption: is the port in mqtt.url right? For a websocket there write ws://", true
	case is == webServer && scheme.websocket:
		return "it is a web server: is the path in mqtt.url right? Most brokers have /mqtt", false
	case is == webServer:
		return "it is a web server: is the port in mqtt.url right? For a websocket there write ws://", true
	case is == plainMQTT:
		return "it answers others: look at its log why not this client, whose id is " + p.ClientID, false
	}
	return "is it an MQTT broker, and may this machine connect to it? Look at its log", false
}

// closed is the error of an attempt that the other side ended without a reason.
func (p *place) closed(ctx context.Context, when string) error {
	why, certain := p.explainProtocol(ctx, false)
	if certain {
		return no("%s closed the connection %s: %s", p.host, when, why)
	}
	return unexplained{fmt.Errorf("mqtt: %s closed the connection %s (%s)", p.host, when, why)}
}
