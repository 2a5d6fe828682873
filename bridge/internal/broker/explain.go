package broker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// permanentError marks an error that recurs until a user acts, for example a wrong password.
type permanentError struct{ error }

func (e permanentError) Unwrap() error { return e.error }

// unexplainedError marks a login that failed without a reason from the broker.
type unexplainedError struct{ error }

func (e unexplainedError) Unwrap() error { return e.error }

// closedByPeer marks the loss of a working connection that the other side closed without a reason.
type closedByPeer struct{ error }

func (e closedByPeer) Unwrap() error { return e.error }

// Permanent reports whether err, which Dial returned, will most likely recur until a user acts. Its cause is a wrong setting, password or
// certificate. The caller should still try again, at long intervals, because a user can correct the fault at the broker.
func Permanent(err error) bool {
	return errors.As(err, new(permanentError)) || errors.As(err, new(*ConfigError))
}

// permanentf returns a permanentError.
func permanentf(format string, args ...any) error {
	return permanentError{fmt.Errorf("mqtt: "+format, args...)}
}

// isPeerClose reports whether err means that the other side closed the connection.
func isPeerClose(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE) || strings.HasPrefix(err.Error(), "websocket: close")
}

// timeoutError returns the error of a login that was not answered before dialTimeout or the end of ctx.
func (p *target) timeoutError(ctx context.Context) error {
	if ctx.Err() != nil {
		return fmt.Errorf("mqtt: %s has not answered: %w", p.host, context.Cause(ctx))
	}
	if why, certain := p.explainProtocol(ctx, false); certain {
		return permanentf("%s did not answer a login within %v: %s", p.host, dialTimeout, why)
	}
	return p.noAnswerError()
}

// noAnswerError returns the error for a host that has not answered.
func (p *target) noAnswerError() error {
	return fmt.Errorf("mqtt: no answer from %s within %v (is the address right? Is a firewall in between?)", p.host, dialTimeout)
}

// explainRefusal returns, in words for users, why dialling failed with err. reached is true if the network connection to the broker was made,
// including the handshake of TLS or WebSocket.
func (p *target) explainRefusal(ctx context.Context, err error, reached bool) error {
	for _, explanation := range []error{p.explainConnack(err), p.explainUnreachable(err), p.explainCertificate(err)} {
		if explanation != nil {
			return explanation
		}
	}
	var remote *net.OpError
	switch {
	case errors.Is(err, errNotMQTT):
		why, _ := p.explainProtocol(ctx, true)
		return permanentf("%s answers, but does not speak MQTT (%s)", p.host, why)
	case errors.As(err, new(tls.RecordHeaderError)):
		why, _ := p.explainProtocol(ctx, true)
		return permanentf("%s does not speak TLS (%s)", p.host, why)
	case errors.As(err, &remote) && remote.Op == "remote error": // a TLS alert, for example because the client has no certificate
		return p.explainAlert(remote)
	case !isPeerClose(err):
		return fmt.Errorf("mqtt: connect to %s: %w", p.host, err)
	}
	when := "during the handshake"
	if reached {
		when = "without an answer"
	}
	why, certain := p.explainProtocol(ctx, false)
	if certain {
		return permanentf("%s closed the connection %s: %s", p.host, when, why)
	}
	err = fmt.Errorf("mqtt: %s closed the connection %s (%s)", p.host, when, why)
	if reached {
		return unexplainedError{err}
	}
	return err
}

// explainConnack explains a CONNACK that refuses the login (MQTT 3.1.1, section 3.2.2.3). It returns nil if err has another cause.
func (p *target) explainConnack(err error) error {
	const wants = "%s wants a user name and password (set mqtt.username and mqtt.password)"
	forbidden := errors.Is(err, packets.ErrorRefusedNotAuthorised)
	switch {
	case errors.Is(err, packets.ErrorRefusedBadProtocolVersion):
		return permanentf("%s does not speak MQTT 3.1.1", p.host)
	case errors.Is(err, packets.ErrorRefusedIDRejected):
		return permanentf("%s does not accept the client id %q (change mqtt.client_id)", p.host, p.ClientID)
	case errors.Is(err, packets.ErrorRefusedServerUnavailable):
		return unexplainedError{fmt.Errorf("mqtt: %s says that it is not available at present (look at its log)", p.host)}
	case !errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword) && !forbidden:
		return nil
	case p.Username == "" && forbidden:
		return permanentf(wants+", or does not accept the client id %q (mqtt.client_id)", p.host, p.ClientID)
	case p.Username == "":
		return permanentf(wants, p.host)
	}
	return permanentf("%s refuses user %q with the client id %q (is the password right, and is this user allowed to connect?)", p.host, p.Username, p.ClientID)
}

// explainUnreachable explains why the network connection was not made. It returns nil if err has another cause.
func (p *target) explainUnreachable(err error) error {
	var dnsErr *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &dnsErr) && dnsErr.IsNotFound:
		return fmt.Errorf("mqtt: there is no host %q (is mqtt.url spelt right?)", dnsErr.Name)
	case errors.As(err, &dnsErr):
		return fmt.Errorf("mqtt: cannot look up host %q: %s (is the network up?)", dnsErr.Name, dnsErr.Err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("mqtt: nobody listens on %s (is the broker running?)", p.host)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return fmt.Errorf("mqtt: cannot reach %s: %w (is the network up?)", p.host, err)
	case errors.As(err, &timeout) && timeout.Timeout():
		return p.noAnswerError()
	case strings.HasSuffix(err.Error(), "websocket: bad handshake"): // the error of gorilla/websocket, which only paho imports
		return permanentf("%s answers, but offers no MQTT at %s (is the path in mqtt.url right? Most brokers have /mqtt)", p.host, p.url.Path)
	}
	return nil
}

// explainAlert explains a TLS alert of the other side (RFC 8446, section 6.2).
func (p *target) explainAlert(remote *net.OpError) error {
	why := p.clientCertificateHint()
	if text := remote.Err.Error(); !strings.Contains(text, "certificate") && !strings.Contains(text, "handshake failure") {
		why = "the broker's log tells why; hanbridge supports TLS 1.2 and 1.3"
	}
	return permanentf("%s refuses the encrypted connection: %w (%s)", p.host, remote.Err, why)
}

// clientCertificateHint returns a question to the user about the likely fault of this client's certificate.
func (p *target) clientCertificateHint() string {
	if p.CertFile == "" {
		return "does the broker want a client certificate? Set mqtt.cert_file and mqtt.key_file"
	}
	return "does the broker trust the authority that signed mqtt.cert_file?"
}

// explainLoss returns, in words for users, why an established connection ended with err.
func (c *Conn) explainLoss(err error) error {
	switch {
	case errors.Is(err, errMalformed):
		return fmt.Errorf("mqtt: %s has sent data that is not MQTT: %w (a fault of the broker, or of a proxy in between: look at its version and log)", c.target.host, err)
	case isPeerClose(err):
		return closedByPeer{fmt.Errorf("mqtt: %s closed the connection (was the broker restarted, or is there another client with the id %q?)", c.target.host, c.target.ClientID)}
	case strings.HasPrefix(err.Error(), "pingresp not received"): // paho exports no error value for this
		return fmt.Errorf("mqtt: %s is connected but has not answered for %v (is the network down?)", c.target.host, c.target.KeepAlive+c.target.KeepAlive/3)
	}
	return fmt.Errorf("mqtt: connection to %s lost: %w", c.target.host, err)
}

// explainEnding returns the likely reason for the end of the connection: a message that the broker does not accept, another client with this
// client id, or the network. It also records the end in Capabilities and in the ConflictDetector.
func (c *Conn) explainEnding(err error) error {
	lifetime, brokerRuns := time.Since(c.dialedAt), false
	if errors.As(err, new(closedByPeer)) {
		unacked := c.window.unacknowledged(c.packets.out.begun.Load()) // before stillAnswers, because messages that are published during its wait are not the cause
		brokerRuns = c.secondConn != nil && c.secondConn.stillAnswers()
		c.target.Capabilities.connectionLost(unacked, lifetime, brokerRuns)
		if unacked.count > 0 {
			err = closedByPeer{fmt.Errorf("mqtt: %s closed the connection while a message under %s with %d bytes was in flight (was the broker "+
				"restarted, or does it not accept that message? Look at its log)", c.target.host, unacked.largest.topic, unacked.largest.size)}
			// An unacknowledged message with QoS 1 is a likelier cause than another client with this client id. If brokerRuns is false, the
			// ConflictDetector reports no conflict.
			brokerRuns = brokerRuns && unacked.onlyQoS0
		}
	}
	return c.target.Conflict.connectionLost(&c.target, err, lifetime, brokerRuns)
}
