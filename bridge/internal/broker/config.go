// Package broker connects to an MQTT broker with MQTT 3.1.1. It publishes in order, with many messages in flight, and waits until
// the broker has acknowledged them.
//
// A Conn never reconnects. When its connection is lost, the caller dials again. So no message from before the loss can be sent after a newer
// message.
package broker

import (
	"cmp"
	"crypto/tls"
	"errors"
	"net/url"
	"strings"
	"time"
)

// A Config holds the address of a broker and the credentials for it. The zero value of every field but URL is useful.
type Config struct {
	// URL is the broker's address. Its scheme is mqtt, mqtts, ws or wss, with the default port 1883, 8883, 80 or 443. The default path of
	// ws and wss is /mqtt.
	URL string
	// ClientID is the client identifier. The broker closes an older connection with the same client id.
	ClientID string
	// Username and Password are sent to the broker. They are encrypted only if the scheme is mqtts or wss.
	Username, Password string
	// CAFile holds the certificates (PEM) of the authorities that are trusted to sign the broker's certificate. They replace the
	// authorities of the system.
	CAFile string
	// CertFile and KeyFile hold this client's certificate and its key (PEM), for brokers that require a client certificate.
	CertFile, KeyFile string
	// Will is the message that the broker publishes when the connection is lost. There is no will if its topic is empty.
	Will Message
	// KeepAlive is the MQTT keep alive, in whole seconds; 15 s if zero. The loss of an idle connection is noticed within KeepAlive × 4/3 +
	// 10 s.
	KeepAlive time.Duration
	// AckTimeout is the longest time without an acknowledgement while messages are in flight; 10 s if zero. After that time the connection
	// is closed.
	AckTimeout time.Duration
	// MaxInFlight is the largest number of messages that wait for their acknowledgement; 1024 if zero.
	MaxInFlight int
	// Conflict detects other clients with the same ClientID. If it is nil, each connection uses a detector of its own.
	Conflict *ConflictDetector
	// Capabilities records, over connections, which messages the broker accepts. If it is nil, each connection uses a record of its own.
	Capabilities *Capabilities
	// TestTopic is a topic to which nobody subscribes and under which this client is permitted to publish. Test messages there show which
	// messages the broker accepts. If it is empty, no test messages are published.
	TestTopic string
	// OnOversized is called with an error for each received message that was too large and was discarded. It is called from any
	// goroutine and must not use the connection. It can be nil.
	OnOversized func(error)
	// OnAcknowledged is called by Publish, Acknowledged, Flush and Close for each acknowledgement. It shows progress while a slow broker
	// processes many messages. It can be nil.
	OnAcknowledged func()
	// InsecureSkipVerify accepts any certificate of the broker. Then somebody between client and broker can read and change every message.
	InsecureSkipVerify bool
}

// A Message is an MQTT application message.
type Message struct {
	Topic   string
	Payload []byte
	QoS     byte // 0: the message can be lost; 1: the broker acknowledges it, and it can arrive twice
	Retain  bool // the broker retains the message for later subscribers; an empty payload removes the retained message
}

// Validate returns every fault of the configuration, as one or more joined *ConfigErrors. Validate reads the files that c names and does not
// use the network.
func (c Config) Validate() error {
	_, err := c.resolve()
	return err
}

// A target is a Config with its URL parsed, its certificates loaded and its defaults set.
type target struct {
	Config
	url  *url.URL    // with port
	host string      // host:port
	tls  *tls.Config // nil for plain connections
}

// resolve returns the target of c. The error is one or more joined *ConfigErrors.
func (c Config) resolve() (target, error) {
	p := target{Config: c}
	p.KeepAlive = max(cmp.Or(p.KeepAlive, 15*time.Second).Truncate(time.Second), time.Second) // in MQTT, 0 means no keep alive
	p.AckTimeout = cmp.Or(p.AckTimeout, 10*time.Second)
	p.MaxInFlight = cmp.Or(p.MaxInFlight, 1024)
	p.Conflict = cmp.Or(p.Conflict, new(ConflictDetector))
	p.Capabilities = cmp.Or(p.Capabilities, new(Capabilities))
	var errs []error
	if u, err := ParseURL(p.URL); err == nil {
		p.url, p.host = u, u.Host
	} else {
		errs = append(errs, &ConfigError{"mqtt.url", err.Error(), nil})
	}
	if p.Password != "" && p.Username == "" {
		errs = append(errs, &ConfigError{"mqtt.password", "is set without mqtt.username: MQTT sends a password only with a user name", nil})
	}
	if p.Will.Topic != "" {
		if err := p.Will.validate(); err != nil {
			errs = append(errs, &ConfigError{"mqtt.base_topic", "topics cannot begin like this", err})
		}
	}
	errs = append(errs, p.loadCertificates()...)
	return p, errors.Join(errs...)
}

// forSeparateConnection returns the target of a connection that exists in addition to the connection of p. Its client id is the client id of p
// with suffix. It has no will, and shares neither Capabilities nor ConflictDetector with p.
func (p target) forSeparateConnection(suffix string) target {
	p.ClientID += suffix
	p.Will, p.Capabilities, p.Conflict = Message{}, new(Capabilities), new(ConflictDetector)
	return p
}

// A ConfigError reports a setting that can never work. It never contains a password.
type ConfigError struct {
	Key    string // the configuration key, such as "mqtt.ca_file"
	Reason string // what is wrong with the value; can be empty if Err is not nil
	Err    error  // the cause; can be nil
}

func (e *ConfigError) Error() string { return e.Key + ": " + e.Problem() }

// Problem returns the text of the error without its key.
func (e *ConfigError) Problem() string {
	if e.Err == nil {
		return e.Reason
	}
	return strings.TrimPrefix(e.Reason+": "+e.Err.Error(), ": ")
}

// Unwrap returns the cause, or nil.
func (e *ConfigError) Unwrap() error { return e.Err }
