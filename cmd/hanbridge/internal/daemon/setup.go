package daemon

import (
	"fmt"
	"hash/fnv"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/output/health"
	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
	"github.com/hanbridge/hanbridge/bridge/output/systemd"
	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/bridge/source"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/localbroker"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// EndpointName returns the port of an endpoint for a log message, with the line setting if the endpoint has a line setting.
func EndpointName(e probe.Endpoint) string {
	if e.Line == "" {
		return e.Port
	}
	return e.Port + " at " + e.Line
}

// A Setup builds a bridge from a configuration.
type Setup struct {
	config.Config
	file    string   // the configuration file; "" if there are only environment variables
	environ []string // in the form of os.Environ
	health  []string // the socket addresses at which the bridge answers the command health
	Logger  zerolog.Logger
}

// Bridge returns a bridge with outputs and without meters. If MQTT.URL is config.Embedded, Bridge starts the embedded broker and sets MQTT.URL
// to its address. If err is nil, the caller must call done, which stops the embedded broker.
func (s *Setup) Bridge() (b *bridge.Bridge, done func(), err error) {
	done = func() {}
	c := s.MQTTOutput()
	if s.MQTT.URL == config.Embedded {
		embedded, err := localbroker.Start(s.MQTT)
		if err != nil {
			return nil, nil, err
		}
		c.URL, c.BrokerEmpty, done = embedded.URL(), true, embedded.Stop
		s.MQTT.URL = c.URL
		s.Logger.Info().Str("source", c.URL).Msg("embedded broker listens")
	}
	if err := c.Validate(); err != nil {
		done()
		return nil, nil, err
	}
	b = bridge.New(s.Logger)
	b.AddOutput("mqtt", mqtt.New(c, s.Logger.With().Str("output", "mqtt").Logger()))
	b.AddOutput("health", health.New(s.health))
	if systemd.Enabled() {
		b.AddOutput("systemd", systemd.New())
	}
	return b, done, nil
}

// MQTTOutput returns the configuration of the MQTT output.
func (s *Setup) MQTTOutput() mqtt.Config {
	c := s.Output()
	c.Version = cli.Version()
	if c.ClientID == "" {
		c.ClientID = defaultClientID("hanbridge", s.Config)
	}
	return c
}

// defaultClientID returns an MQTT client id for a configuration on this machine. The id is the same at every start. After a crash the broker
// therefore closes the old connection of the bridge. Another base topic or other meters give another id. Commands append a suffix to the id, so that
// they do not replace the connection of the bridge. Id and suffix together have at most 23 characters, because every broker accepts 23 (MQTT 3.1.1,
// section 3.1.3.1).
func defaultClientID(name string, c config.Config) string {
	host, _ := os.Hostname() // with an error, machines with the same configuration get the same id
	h := fnv.New32a()
	fmt.Fprintf(h, "%q %q", host, c.MQTT.BaseTopic)
	for _, m := range c.Meters {
		fmt.Fprintf(h, " %q", m.ID)
	}
	return fmt.Sprintf("%s-%06x", name, h.Sum32()&0xff_ffff)
}

// addMeter adds the configured meter with the index to the bridge.
func (s *Setup) addMeter(b *bridge.Bridge, index int) error {
	m := s.Meters[index]
	src := SourceOf(m)
	var err error
	if src.Options, err = OptionsOf(m); err != nil {
		return err
	}
	key, authKey := s.keySettings(index)
	return b.AddMeter(bridge.Meter{ID: m.ID, Name: m.Name, Fuse: m.Fuse, KeySetting: key, AuthKeySetting: authKey}, src)
}

// keySettings returns texts for log messages. key says where the user sets the encryption key of a meter: in a setting, in a file of keys, or in
// both. authKey says the same about the authentication key.
func (s *Setup) keySettings(index int) (key, authKey string) {
	m := &s.Meters[index]
	key, authKey = s.setting(index, "key"), s.setting(index, "auth_key")
	if m.KeyFile == "" {
		return key, authKey
	}
	file := "the file " + m.KeyFile
	if m.Key == "" {
		return file, "the second key in " + file
	}
	return key + " and " + file, authKey + " and the second key in " + file
}

// setting returns where the user writes a setting of a meter: the name of the environment variable, or the path in the configuration file,
// such as meters[0].key.
func (s *Setup) setting(index int, name string) string {
	variable := "HANBRIDGE_METER_" + strings.ToUpper(name)
	isSet := slices.ContainsFunc(s.environ, func(entry string) bool { return strings.HasPrefix(entry, variable+"=") })
	// A variable is for the first meter, and takes precedence over the file.
	if s.file == "" || isSet && index == 0 {
		return variable
	}
	return fmt.Sprintf("meters[%d].%s", index, name)
}

// SourceOf returns the source of a configured meter's bytes.
func SourceOf(m config.Meter) probe.Source {
	switch m.Port.Kind {
	case config.AutoPort:
		return source.Auto(m.Serial.Lines()...)
	case config.TCPPort:
		return source.TCP(m.Port.Address)
	case config.ReplayPort:
		return source.Replay(m.Port.Address)
	default:
		return source.Serial(m.Port.Address, m.Serial.Lines()...)
	}
}

// OptionsOf returns the decoder options of a configured meter. An error means that the file of keys was changed after the configuration was
// validated.
func OptionsOf(m config.Meter) (meter.Options, error) {
	keys, err := m.Keys()
	return meter.Options{
		Keys: keys, Scale: m.ScaleFactors(), IgnoreChecksum: m.Checksum == "ignore", RejectRepeated: m.FrameCounter == "rising",
	}, err
}

// CheckTimeout is the maximum time that a command takes to check the broker.
const CheckTimeout = 15 * time.Second
