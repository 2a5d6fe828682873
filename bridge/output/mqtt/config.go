package mqtt

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/discovery"
)

// A Config holds the address of the broker and how to publish there. The tags are the keys below mqtt in the configuration file.
type Config struct {
	// URL is the address of the broker, such as mqtt://host:port. The scheme is mqtt, mqtts, ws or wss.
	URL string `mapstructure:"url"`
	// Username and Password are empty if the broker asks for none.
	Username string `mapstructure:"username"`
	Password Secret `mapstructure:"password"`
	// CAFile, CertFile and KeyFile are PEM files. Without CAFile the certificate authorities of the system are trusted. CertFile and
	// KeyFile are the client certificate and its key; both are empty if there is none.
	CAFile   string `mapstructure:"ca_file"`
	CertFile string `mapstructure:"cert_file"`
	KeyFile  string `mapstructure:"key_file"`
	// InsecureSkipVerify accepts any certificate of the broker.
	InsecureSkipVerify bool `mapstructure:"insecure_skip_verify" default:"false"`
	// ClientID is the MQTT client identifier. The broker closes an older connection with the same client id.
	ClientID string `mapstructure:"client_id"`
	// BaseTopic is the first part of every topic of the bridge.
	BaseTopic string `mapstructure:"base_topic" default:"hanbridge"`
	// QoS is the QoS of every message, 0 or 1. Retain makes the broker retain values. The broker retains states and
	// descriptions even if Retain is false.
	QoS    byte `mapstructure:"qos" default:"1" oneof:"0 1"`
	Retain bool `mapstructure:"retain" default:"true"`
	// Plan says how often each quantity is published; nil means every telegram.
	Plan *throttle.Plan `mapstructure:"-"`
	// BrokerEmpty is true if the broker was started by this program, so it retains nothing of an earlier run.
	BrokerEmpty bool `mapstructure:"-"`
	// Style says how entities are announced, and Prefix below which topic. Version is the version of the program, which announcements contain.
	Style   discovery.Style `mapstructure:"-"`
	Prefix  string          `mapstructure:"-"`
	Version string          `mapstructure:"-"`
	// StatusTopic is the topic of the birth message, which a hub such as Home Assistant publishes when it starts.
	StatusTopic string `mapstructure:"-"`
}

// A Secret is text that is never printed: every way of formatting a Secret gives "[secret]". Convert it to string to use it.
type Secret string

// String returns "[secret]", or "" for an empty Secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "[secret]"
}

// Format writes what String returns, whatever the verb. Without this method, %d would show the text.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText returns what String returns. JSON and logs use it.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// A ConfigError says which key of the configuration is wrong and why. It never contains a password.
type ConfigError = broker.ConfigError

// Validate returns every fault of the configuration, as one or more joined *ConfigErrors. Validate reads the files that c names and does not
// use the network.
func (c Config) Validate() error {
	return errors.Join(c.validateBaseTopic(), ValidateTopic("homeassistant.prefix", c.Prefix), c.validateStatusTopic(), c.brokerConfig().Validate())
}

// reservedTopics are the first levels of topics to which integrations of Home Assistant subscribe. Messages below them would make Home
// Assistant offer devices that do not exist.
var reservedTopics = []string{"homeassistant", "dsmr", "tasmota", "fully", "drop_connect"}

// validateBaseTopic returns an error if hubs would mistake messages below the base topic for messages of another program.
func (c Config) validateBaseTopic() error {
	const key = "mqtt.base_topic"
	if err := ValidateTopic(key, c.BaseTopic); err != nil {
		return err
	}
	for _, reserved := range reservedTopics {
		if Inside(c.BaseTopic, reserved) {
			return configError(key, "%q is reserved: an integration of Home Assistant reads the topics below %s, and would offer devices that do not exist. "+
				"Choose another base topic, such as hanbridge", c.BaseTopic, reserved)
		}
	}
	if Inside(c.BaseTopic, c.Prefix) {
		return configError(key, "%q lies inside homeassistant.prefix: choose another base topic, such as hanbridge", c.BaseTopic)
	}
	return nil
}

// validateStatusTopic returns an error if the status topic lies inside the base topic. The bridge would take the "online" that it publishes there
// for the birth message of a hub.
func (c Config) validateStatusTopic() error {
	const key = "homeassistant.status_topic"
	if err := ValidateTopic(key, c.StatusTopic); err != nil {
		return err
	}
	if Inside(c.StatusTopic, c.BaseTopic) {
		return configError(key, "%q lies inside mqtt.base_topic, where this bridge publishes: write the topic of the birth message that is set in "+
			"Home Assistant, which is homeassistant/status unless somebody changed it", c.StatusTopic)
	}
	return nil
}

// Inside reports whether topic is parent or lies below it.
func Inside(topic, parent string) bool {
	return topic == parent || strings.HasPrefix(topic, parent+"/")
}

// ValidateTopic returns a *ConfigError for key if messages cannot be published below topic, and nil otherwise.
func ValidateTopic(key, topic string) error {
	hasInvalidChar := strings.ContainsFunc(topic, unicode.IsControl) || !utf8.ValidString(topic)
	switch {
	case topic == "":
		return configError(key, "must not be empty: remove this line to use the default")
	case strings.ContainsAny(topic, "+#"):
		return configError(key, "%q has a wildcard: + and # cannot be in a topic that is published", topic)
	case strings.Contains("/"+topic+"/", "//"):
		return configError(key, "%q has an empty level: write / only between two names, as in energy/hanbridge", topic)
	case strings.HasPrefix(topic, "$"):
		return configError(key, "%q: topics that begin with $ are reserved for the broker", topic)
	case hasInvalidChar:
		return configError(key, "%q has a character that cannot be in a topic", topic)
	}
	return nil
}

// configError returns a *ConfigError without a cause.
func configError(key, format string, args ...any) error {
	return &ConfigError{Key: key, Reason: fmt.Sprintf(format, args...)}
}

// CompleteURL returns the address of a broker with the default port and, for a WebSocket, the default path. Its errors do not quote the text,
// because the text can contain a password.
func CompleteURL(text string) (string, error) {
	u, err := broker.ParseURL(text)
	if err != nil {
		return "", err
	}
	return u.String(), nil
}

// brokerConfig returns the settings of the connection. The caller adds the fields that depend on one Output.
func (c Config) brokerConfig() broker.Config {
	return broker.Config{
		URL: c.URL, ClientID: c.ClientID, Username: c.Username, Password: string(c.Password),
		CAFile: c.CAFile, CertFile: c.CertFile, KeyFile: c.KeyFile, InsecureSkipVerify: c.InsecureSkipVerify,
		TestTopic: c.testTopic(),
		Will:      broker.Message{Topic: c.BaseTopic + "/status", Payload: []byte(offline), QoS: 1, Retain: true},
	}
}

// Discovery returns the settings of the announcements in c.Style.
func (c Config) Discovery() discovery.Config { return c.discovery(c.Style) }

// discovery returns the settings of announcements in any style.
func (c Config) discovery(style discovery.Style) discovery.Config {
	return discovery.Config{Prefix: c.Prefix, BaseTopic: c.BaseTopic, Style: style, Version: c.Version}
}
