package broker

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// What a port speaks; "" if none of these.
const (
	plainMQTT = "MQTT"
	anyTLS    = "TLS"
	webServer = "HTTP"
)

// probeTimeout bounds each question.
const probeTimeout = time.Second

// explainProtocol explains why a login fails without a reason, from what the port speaks; answered tells that something was said that is
// not MQTT. certain tells that mqtt.url is wrong.
func (p *endpoint) explainProtocol(ctx context.Context, answered bool) (why string, certain bool) {
	scheme := schemes[p.url.Scheme]
	plain := !scheme.secure && !scheme.websocket
	switch is := p.detectProtocol(ctx); {
	case is == plainMQTT && !plain:
		return "it speaks MQTT without encryption and websocket: write mqtt:// in mqtt.url", true
	case is == plainMQTT:
		return "it answers others: look at its log why not this client, whose id is " + p.ClientID, false
	case is == anyTLS && !scheme.secure:
		return "it wants encryption: write mqtts:// in mqtt.url, or wss:// if it is a websocket", true
	case is == anyTLS && (answered || scheme.websocket):
		return "is the port in mqtt.url right? A websocket has wss:// there, all else mqtts://", false
	case is == anyTLS:
		return p.ownCertificate(), false
	case is == webServer && scheme.websocket && !scheme.secure:
		return "it is a web server: is the path in mqtt.url right? Most brokers have /mqtt", false
	case is == webServer:
		return "it is a web server: is the port in mqtt.url right? For a websocket there write ws://", true
	}
	return "is it an MQTT broker, and may this machine connect to it? Look at its log", false
}

// detectProtocol finds out what a port speaks at which a login has failed without a reason. No user and no password is told to it.
func (p *endpoint) detectProtocol(ctx context.Context) string {
	const connect = "\x10\x15\x00\x04MQTT\x04\x02\x00\x0a\x00\x09hanbridge" // MQTT 3.1.1, 3.1, with nothing but a client id
	answer := p.firstReply(ctx, connect)
	switch {
	case len(answer) > 0 && answer[0] == packets.Connack<<4:
		return plainMQTT
	case isHTTP(answer), isHTTP(p.firstReply(ctx, "GET / HTTP/1.0\r\n\r\n")):
		return webServer
	case p.acceptsTLS(ctx):
		return anyTLS
	}
	return ""
}

func isHTTP(answer []byte) bool { return bytes.HasPrefix(answer, []byte("HTTP/")) }

// firstReply is the beginning of what is answered.
func (p *endpoint) firstReply(ctx context.Context, hello string) []byte {
	conn, err := p.probe(ctx)
	if err != nil {
		return nil
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte(hello)); err != nil {
		return nil
	}
	answer := make([]byte, 16)
	n, _ := conn.Read(answer)
	return answer[:n]
}

// acceptsTLS tells if TLS is spoken, whatever the certificate.
func (p *endpoint) acceptsTLS(ctx context.Context) bool {
	conn, err := p.probe(ctx)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	err = tls.Client(conn, &tls.Config{ServerName: p.url.Hostname(), InsecureSkipVerify: true}).HandshakeContext(ctx)
	var remote *net.OpError
	return err == nil || errors.As(err, &remote) && remote.Op == "remote error"
}

func (p *endpoint) probe(ctx context.Context) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: probeTimeout}).DialContext(ctx, "tcp", p.host)
	if err == nil {
		_ = conn.SetDeadline(time.Now().Add(probeTimeout))
	}
	return conn, err
}
