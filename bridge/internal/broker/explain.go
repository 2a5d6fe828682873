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

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// refused marks what the broker, or its certificate, said no to.
type refused struct{ error }

func (e refused) Unwrap() error { return e.error }

// unexplained marks a login that failed for a reason that the broker does not tell.
type unexplained struct{ error }

func (e unexplained) Unwrap() error { return e.error }

// hungUp marks the loss of a sound connection that the other side closed without a reason.
type hungUp struct{ error }

func (e hungUp) Unwrap() error { return e.error }

// Permanent tells whether err, which Dial returned, will most likely stay until a person acts: a wrong setting, wrong
// password or wrong certificate. Trying again remains right, at long intervals: the other side may be mended as well.
func Permanent(err error) bool {
	return errors.As(err, new(refused)) || errors.As(err, new(*ConfigError))
}

func no(format string, args ...any) error { return refused{fmt.Errorf("mqtt: "+format, args...)} }

// ended tells whether the other side closed the connection.
func ended(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE) || strings.HasPrefix(err.Error(), "websocket: close")
}

// unanswered is the error of an attempt that was ended by its time-out or by ctx.
func (p *endpoint) unanswered(ctx context.Context) error {
	if ctx.Err() != nil {
		return fmt.Errorf("mqtt: %s has not answered: %w", p.host, context.Cause(ctx))
	}
	if why, certain := p.explainProtocol(ctx, false); certain {
		return no("%s did not answer a login within %v: %s", p.host, dialTimeout, why)
	}
	return p.silence()
}

func (p *endpoint) silence() error {
	return fmt.Errorf("mqtt: no answer from %s within %v (is the address right, a firewall in between?)", p.host, dialTimeout)
}

// refusal says in words for people why dialling failed. reached tells that there was a connection.
func (p *endpoint) refusal(ctx context.Context, err error, reached bool) error {
	for _, explanation := range []error{p.answer(err), p.unreachable(err), p.explainCertificate(err)} {
		if explanation != nil {
			return explanation
		}
	}
	var remote *net.OpError
	switch {
	case errors.Is(err, errNotMQTT):
		why, _ := p.explainProtocol(ctx, true)
		return no("%s answers, but does not speak MQTT (%s)", p.host, why)
	case errors.As(err, new(tls.RecordHeaderError)):
		why, _ := p.explainProtocol(ctx, true)
		return no("%s does not speak TLS (%s)", p.host, why)
	case errors.As(err, &remote) && remote.Op == "remote error": // TLS 1.3 tells after the handshake that it wants a certificate
		return p.alert(remote)
	case !ended(err): // the refusal of a certificate may be lost, when it closes while the login is under way
		return fmt.Errorf("mqtt: connect to %s: %w", p.host, err)
	}
	when := "during the handshake"
	if reached {
		when = "without an answer"
	}
	why, certain := p.explainProtocol(ctx, false)
	if certain {
		return no("%s closed the connection %s: %s", p.host, when, why)
	}
	err = fmt.Errorf("mqtt: %s closed the connection %s (%s)", p.host, when, why)
	if reached {
		return unexplained{err}
	}
	return err
}

// answer explains a CONNACK that says no (MQTT 3.1.1, 3.2.2.3); nil if there was none.
func (p *endpoint) answer(err error) error {
	const wants = "%s wants a user name and password (set mqtt.username and mqtt.password)"
	forbidden := errors.Is(err, packets.ErrorRefusedNotAuthorised)
	switch {
	case errors.Is(err, packets.ErrorRefusedBadProtocolVersion):
		return no("%s does not speak MQTT 3.1.1", p.host)
	case errors.Is(err, packets.ErrorRefusedIDRejected):
		return no("%s does not accept the client id %q (change mqtt.client_id)", p.host, p.ClientID)
	case errors.Is(err, packets.ErrorRefusedServerUnavailable):
		return unexplained{fmt.Errorf("mqtt: %s says that it is not available at present (look at its log)", p.host)}
	case !errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword) && !forbidden:
		return nil
	case p.Username == "" && forbidden:
		return no(wants+", or does not let in the client id %q (mqtt.client_id)", p.host, p.ClientID)
	case p.Username == "":
		return no(wants, p.host)
	}
	return no("%s refuses user %q with the client id %q (is the password right, may this user connect?)", p.host, p.Username, p.ClientID)
}

// unreachable explains why there is no connection; nil if that is not so.
func (p *endpoint) unreachable(err error) error {
	var name *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &name) && name.IsNotFound:
		return fmt.Errorf("mqtt: there is no host %q (is mqtt.url spelt right?)", name.Name)
	case errors.As(err, &name):
		return fmt.Errorf("mqtt: cannot look up host %q: %s (is the network up?)", name.Name, name.Err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("mqtt: nobody listens on %s (is the broker running?)", p.host)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return fmt.Errorf("mqtt: no way to %s: %w (is the network up?)", p.host, err)
	case errors.As(err, &timeout) && timeout.Timeout():
		return p.silence()
	case strings.HasSuffix(err.Error(), "websocket: bad handshake"): // gorilla's, which is imported by paho alone
		return no("%s answers, but offers no MQTT at %s (is the path in mqtt.url right? Most brokers have /mqtt)", p.host, p.url.Path)
	}
	return nil
}

// alert explains why the other side has ended a TLS handshake (RFC 8446, 6.2).
func (p *endpoint) alert(remote *net.OpError) error {
	why := p.ownCertificate()
	if text := remote.Err.Error(); !strings.Contains(text, "certificate") && !strings.Contains(text, "handshake failure") {
		why = "its log tells why; hanbridge speaks TLS 1.2 and 1.3"
	}
	return no("%s refuses the encrypted connection: %w (%s)", p.host, remote.Err, why)
}

// ownCertificate asks what may be wrong with this client's certificate.
func (p *endpoint) ownCertificate() string {
	if p.CertFile == "" {
		return "does it want a certificate, mqtt.cert_file and mqtt.key_file?"
	}
	return "does it know the authority of the certificate in mqtt.cert_file?"
}

// loss says in words for people why an established connection ended.
func (c *Conn) loss(err error) error {
	switch {
	case errors.Is(err, errMalformed):
		return fmt.Errorf("mqtt: %s has sent what is not MQTT: %w (a fault of the broker, or of a proxy in between: look at its version and log)", c.to.host, err)
	case ended(err):
		return hungUp{fmt.Errorf("mqtt: %s closed the connection (was it restarted, or is there another client with the id %q?)", c.to.host, c.to.ClientID)}
	case strings.HasPrefix(err.Error(), "pingresp not received"): // paho has no sentinel for it
		return fmt.Errorf("mqtt: %s is connected but has not answered for %v (is the network down?)", c.to.host, c.to.KeepAlive+c.to.KeepAlive/3)
	}
	return fmt.Errorf("mqtt: connection to %s lost: %w", c.to.host, err)
}
