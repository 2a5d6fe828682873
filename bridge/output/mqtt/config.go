package mqtt

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
	"github.com/hanbridge/hanbridge/discovery"
)

// A Config says where the broker is and how to publish. The tags are the keys below mqtt in the configuration file.
type Config struct {
	// URL is mqtt://, mqtts://, ws:// or wss://host:port.
	URL      string `mapstructure:"url"`
	Username string `mapstructure:"username"`
	Password Secret `mapstructure:"password"`
	// CAFile, CertFile and KeyFile are PEM files; "" for the system's trust and no client certificate.
	CAFile   string `mapstructure:"ca_file"`
	CertFile string `mapstructure:"cert_file"`
	KeyFile  string `mapstructure:"key_file"`
	// InsecureSkipVerify takes any certificate for the broker's.
	InsecureSkipVerify bool `mapstructure:"insecure_skip_verify" default:"false"`
	// ClientID names the bridge to the broker, which ends an older connection of the same name.
	ClientID string `mapstructure:"client_id"`
	// BaseTopic begins every topic of the bridge.
	BaseTopic string `mapstructure:"base_topic" default:"hanbridge"`
	// QoS is that of every message, 0 or 1; Retain says if values are retained. States and descriptions always are.
	QoS    byte `mapstructure:"qos" default:"1" oneof:"0 1"`
	Retain bool `mapstructure:"retain" default:"true"`
	// BrokerEmpty tells that the broker began with this program, and so holds nothing of an earlier one.
	BrokerEmpty bool `mapstructure:"-"`
	// Style and Prefix are how and where entities are announced, Version whose they are.
	Style   discovery.Style `mapstructure:"-"`
	Prefix  string          `mapstructure:"-"`
	Version string          `mapstructure:"-"`
	// StatusTopic is where the hub says that it has started.
	StatusTopic string `mapstructure:"-"`
}

// A Secret is text that is never printed: every way of formatting it gives "[secret]". Convert it to string to use it.
type Secret string

// String returns "[secret]", or nothing for an empty one.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "[secret]"
}

// Format writes what String returns, whatever the verb: %d would show the text.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText returns what String returns. JSON and logs use it.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// A ConfigError says which key of the configuration is wrong, and why. No password is ever in it.
type ConfigError = broker.ConfigError

// Validate returns all that is wrong with the configuration, as one or more *ConfigErrors. It reads the files that c names, and does not
// touch the network.
func (c Config) Validate() error {
	return errors.Join(c.checkBase(), ValidateTopic("homeassistant.prefix", c.Prefix), c.checkStatus(), c.broker().Validate())
}

// takenTopics are the trees that Home Assistant's own integrations listen to: what is published there makes it offer devices that do not
// exist.
var takenTopics = []string{"homeassistant", "dsmr", "tasmota", "fully", "drop_connect"}

func (c Config) checkBase() error {
	const key = "mqtt.base_topic"
	if err := ValidateTopic(key, c.BaseTopic); err != nil {
		return err
	}
	for _, taken := range takenTopics {
		if Inside(c.BaseTopic, taken) {
			return wrong(key, "%q is a topic that Home Assistant takes for something else (it listens to %s for another of its integrations, "+
				"which would offer devices that do not exist): choose another, such as hanbridge", c.BaseTopic, taken)
		}
	}
	if Inside(c.BaseTopic, c.Prefix) {
		return wrong(key, "%q lies inside homeassistant.prefix: choose another, such as hanbridge", c.BaseTopic)
	}
	return nil
}

// checkStatus looks that the bridge does not take its own "online" for the hub's.
func (c Config) checkStatus() error {
	const key = "homeassistant.status_topic"
	if err := ValidateTopic(key, c.StatusTopic); err != nil {
		return err
	}
	if Inside(c.StatusTopic, c.BaseTopic) {
		return wrong(key, "%q lies inside mqtt.base_topic, where this bridge publishes: write the topic of the birth message that is set in "+
			"Home Assistant, which is homeassistant/status unless somebody changed it", c.StatusTopic)
	}
	return nil
}

// Inside reports whether a topic is another one or below it.
func Inside(topic, parent string) bool {
	return topic == parent || strings.HasPrefix(topic, parent+"/")
}

// ValidateTopic returns a *ConfigError of a key unless something can be published below its topic.
func ValidateTopic(key, topic string) error {
	control := strings.ContainsFunc(topic, unicode.IsControl) || !utf8.ValidString(topic)
	switch {
	case topic == "":
		return wrong(key, "must not be empty: take the line out for the default")
	case strings.ContainsAny(topic, "+#"):
		return wrong(key, "%q has a wildcard: + and # cannot be in a topic that is published", topic)
	case strings.Contains("/"+topic+"/", "//"):
		return wrong(key, "%q has a / too many: write it as in energy/hanbridge", topic)
	case strings.HasPrefix(topic, "$"):
		return wrong(key, "%q: topics that begin with $ are the broker's own", topic)
	case control:
		return wrong(key, "%q has a character that cannot be in a topic", topic)
	}
	return nil
}

func wrong(key, format string, args ...any) error {
	return &ConfigError{Key: key, Reason: fmt.Sprintf(format, args...)}
}

// CompleteURL returns a broker's address with what people leave out: its port, and the path of a websocket. Its errors do not quote the
// text, which may be a password.
func CompleteURL(text string) (string, error) {
	u, err := broker.ParseURL(text)
	if err != nil {
		return "", err
	}
	return u.String(), nil
}

func (c Config) broker() broker.Config {
	return broker.Config{
		URL: c.URL, ClientID: c.ClientID, Username: c.Username, Password: string(c.Password),
		CAFile: c.CAFile, CertFile: c.CertFile, KeyFile: c.KeyFile, InsecureSkipVerify: c.InsecureSkipVerify,
		TestTopic: c.testTopic(),
		Will:      broker.Message{Topic: c.BaseTopic + "/status", Payload: []byte(offline), QoS: 1, Retain: true},
	}
}

// Discovery returns what the announcements need to know of the configuration.
func (c Config) Discovery() discovery.Config { return c.discovery(c.Style) }

func (c Config) discovery(style discovery.Style) discovery.Config {
	return discovery.Config{Prefix: c.Prefix, BaseTopic: c.BaseTopic, Style: style, Version: c.Version}
}
