// Package broker is one connection to an MQTT broker: it publishes in order, with many messages under way, and tells the
// truth about what arrived.
//
// A connection is never mended: when it is lost its Conn is over, and the caller dials again. So nothing that was published
// before the loss can be sent after something newer.
package broker

import (
	"cmp"
	"crypto/tls"
	"errors"
	"net/url"
	"strings"
	"time"
)

// A Config says where the broker is and how to be let in. The zero value of every field but URL is useful.
type Config struct {
	// URL is the broker's address: mqtt, mqtts, ws or wss, with port 1883, 8883, 80 or 443 where none is given, and the path
	// /mqtt for the last two.
	URL string
	// ClientID names this client. The broker ends an older connection of the same name.
	ClientID string
	// Username and Password are sent to the broker, in the clear unless the scheme is mqtts or wss.
	Username, Password string
	// CAFile holds the certificates (PEM) that the broker's must be signed by, instead of those that the system trusts.
	CAFile string
	// CertFile and KeyFile hold this client's certificate and its key (PEM), for brokers that ask for one.
	CertFile, KeyFile string
	// Will is what the broker publishes when the connection is lost. None if its topic is empty.
	Will Message
	// KeepAlive is the silence after which the broker is pinged, in whole seconds; 15 s if zero. An idle connection that is dead is found
	// within KeepAlive × 4/3 + 10 s.
	KeepAlive time.Duration
	// AckTimeout is how long the broker may leave all messages unacknowledged before it counts as dead; 10 s if zero.
	AckTimeout time.Duration
	// MaxInFlight is how many messages may be under way without acknowledgement; 1024 if zero.
	MaxInFlight int
	// Conflict notices other clients of the same ClientID; nil if nobody is to be told of them.
	Conflict *ConflictDetector
	// Capabilities remembers what the broker takes; nil if nobody asks.
	Capabilities *Capabilities
	// TestTopic is a topic to which nobody listens and where this client may publish, to try out what the broker takes; "" if there is none.
	TestTopic string
	// OnOversized is told of each message that was too large to be read. It is called from any goroutine and must not use the
	// connection. Nil if nobody wants to know.
	OnOversized func(error)
	// OnAcknowledged is called when Publish, Flush or Close has seen another acknowledgement: a slow broker may take long over many messages.
	// Nil if nobody wants to know.
	OnAcknowledged func()
	// InsecureSkipVerify takes any certificate for the broker's: whoever is in between can read and change everything.
	InsecureSkipVerify bool
}

// A Message is what is published under a topic.
type Message struct {
	Topic   string
	Payload []byte
	QoS     byte // 0: may be lost; 1: acknowledged, may arrive twice
	Retain  bool // the broker keeps it for those who subscribe later; an empty payload takes it back
}

// Validate returns all that is wrong with the configuration, as one or more *ConfigErrors, without looking at the network. It reads the
// files that are named.
func (c Config) Validate() error {
	_, err := c.resolve()
	return err
}

// An endpoint is a Config made ready to be dialled.
type endpoint struct {
	Config
	url  *url.URL    // with port
	host string      // host:port
	tls  *tls.Config // nil for plain connections
}

func (c Config) resolve() (endpoint, error) {
	p := endpoint{Config: c}
	p.KeepAlive = max(cmp.Or(p.KeepAlive, 15*time.Second).Truncate(time.Second), time.Second) // MQTT counts it in seconds, and 0 switches it off
	p.AckTimeout = cmp.Or(p.AckTimeout, 10*time.Second)
	p.MaxInFlight = cmp.Or(p.MaxInFlight, 1024)
	p.Conflict = cmp.Or(p.Conflict, new(ConflictDetector))
	p.Capabilities = cmp.Or(p.Capabilities, new(Capabilities))
	var wrong []error
	if u, err := ParseURL(p.URL); err == nil {
		p.url, p.host = u, u.Host
	} else {
		wrong = append(wrong, &ConfigError{"mqtt.url", err.Error(), nil})
	}
	if p.Password != "" && p.Username == "" {
		wrong = append(wrong, &ConfigError{"mqtt.password", "a password without mqtt.username: MQTT sends both or none", nil})
	}
	if p.Will.Topic != "" {
		if err := p.Will.check(); err != nil {
			wrong = append(wrong, &ConfigError{"mqtt.base_topic", "no topic can begin so", err})
		}
	}
	wrong = append(wrong, p.certificates()...)
	return p, errors.Join(wrong...)
}

// beside returns p for a connection of its own that neither disturbs the one of the bridge nor learns from its end. Its client id ends
// with suffix.
func (p endpoint) beside(suffix string) endpoint {
	p.ClientID += suffix
	p.Will, p.Capabilities, p.Conflict = Message{}, new(Capabilities), new(ConflictDetector)
	return p
}

// A ConfigError says that a setting can never work. No password is ever in it.
type ConfigError struct {
	Key    string // of the configuration: "mqtt.ca_file"
	Reason string // what is wrong with it; may be empty if Err is not nil
	Err    error  // the cause, may be nil
}

func (e *ConfigError) Error() string { return e.Key + ": " + e.Problem() }

// Problem returns the error without its key.
func (e *ConfigError) Problem() string {
	if e.Err == nil {
		return e.Reason
	}
	return strings.TrimPrefix(e.Reason+": "+e.Err.Error(), ": ")
}

// Unwrap gives the cause, or nil.
func (e *ConfigError) Unwrap() error { return e.Err }
