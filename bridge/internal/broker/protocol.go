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

// The protocols that detectProtocol recognizes.
const (
	mqttBroker = "MQTT"
	tlsServer  = "TLS"
	httpServer = "HTTP"
)

// probeTimeout limits each test connection of detectProtocol.
const probeTimeout = time.Second

// explainProtocol explains a login that failed without a reason. It detects which protocol the port uses. why is a text for users. answered
// is true if the port answered the login with bytes that are not MQTT. certain is true if mqtt.url must be wrong.
func (p *target) explainProtocol(ctx context.Context, answered bool) (why string, certain bool) {
	scheme := schemes[p.url.Scheme]
	plain := !scheme.secure && !scheme.websocket
	switch protocol := p.detectProtocol(ctx); {
	case protocol == mqttBroker && !plain:
		return "this port uses MQTT without TLS and WebSocket: write mqtt:// in mqtt.url", true
	case protocol == mqttBroker:
		return "this port is an MQTT broker that answers other clients: its log tells why it does not answer the client id " + p.ClientID, false
	case protocol == tlsServer && !scheme.secure:
		return "this port needs TLS: write mqtts:// in mqtt.url, or wss:// for MQTT over WebSocket", true
	case protocol == tlsServer && (answered || scheme.websocket):
		return "is the port in mqtt.url right? Write wss:// for MQTT over WebSocket, and mqtts:// for MQTT without WebSocket", false
	case protocol == tlsServer:
		return p.clientCertificateHint(), false
	case protocol == httpServer && scheme.websocket && !scheme.secure:
		return "this port is a web server: is the path in mqtt.url right? Most brokers have /mqtt", false
	case protocol == httpServer:
		return "this port is a web server: is the port in mqtt.url right? Write ws:// for MQTT over WebSocket", true
	}
	return "is there an MQTT broker, and does it allow this machine to connect? Look at its log", false
}

// detectProtocol detects which protocol the port uses. It returns "" if it recognizes none. It sends no user name and no password.
func (p *target) detectProtocol(ctx context.Context) string {
	const connect = "\x10\x15\x00\x04MQTT\x04\x02\x00\x0a\x00\x09hanbridge" // a CONNECT (MQTT 3.1.1, section 3.1) with only a client id
	answer := p.firstReply(ctx, connect)
	switch {
	case len(answer) > 0 && answer[0] == packets.Connack<<4:
		return mqttBroker
	case isHTTP(answer), isHTTP(p.firstReply(ctx, "GET / HTTP/1.0\r\n\r\n")):
		return httpServer
	case p.acceptsTLS(ctx):
		return tlsServer
	}
	return ""
}

// isHTTP reports whether an answer begins an HTTP response.
func isHTTP(answer []byte) bool { return bytes.HasPrefix(answer, []byte("HTTP/")) }

// firstReply connects, sends hello and returns the first bytes of the answer, or nil if there is none.
func (p *target) firstReply(ctx context.Context, hello string) []byte {
	conn, err := p.dialProbe(ctx)
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

// acceptsTLS reports whether the port accepts TLS, with whatever certificate.
func (p *target) acceptsTLS(ctx context.Context) bool {
	conn, err := p.dialProbe(ctx)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	err = tls.Client(conn, &tls.Config{ServerName: p.url.Hostname(), InsecureSkipVerify: true}).HandshakeContext(ctx)
	var remote *net.OpError
	return err == nil || errors.As(err, &remote) && remote.Op == "remote error" // a TLS alert also shows that the server uses TLS
}

// dialProbe makes a TCP connection that is limited to probeTimeout.
func (p *target) dialProbe(ctx context.Context) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: probeTimeout}).DialContext(ctx, "tcp", p.host)
	if err == nil {
		_ = conn.SetDeadline(time.Now().Add(probeTimeout))
	}
	return conn, err
}
