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

// EndpointName names a port with its line setting, for people.
func EndpointName(c probe.Endpoint) string {
	if c.Line == "" {
		return c.Port
	}
	return c.Port + " at " + c.Line
}

// Setup makes a bridge of a configuration.
type Setup struct {
	config.Config
	file    string   // "" where there are variables alone
	environ []string // as of os.Environ
	health  []string // where the bridge answers hanbridge health
	Logger  zerolog.Logger
}

// Bridge returns a bridge with its outputs, and what ends the broker inside where there is one, whose address the configuration then has.
// This is the one list of outputs.
func (w *Setup) Bridge() (b *bridge.Bridge, done func(), err error) {
	done = func() {}
	c := w.MQTTOutput()
	if w.MQTT.URL == config.Embedded {
		inside, err := localbroker.Start(w.MQTT)
		if err != nil {
			return nil, nil, err
		}
		c.URL, c.BrokerEmpty, done = inside.URL(), true, inside.Stop
		w.MQTT.URL = c.URL
		w.Logger.Info().Str("source", c.URL).Msg("broker inside listens")
	}
	if err := c.Validate(); err != nil {
		done()
		return nil, nil, err
	}
	b = bridge.New(w.Logger)
	b.AddOutput("mqtt", mqtt.New(c, w.Logger.With().Str("output", "mqtt").Logger()))
	b.AddOutput("health", health.New(w.health))
	if systemd.Enabled() {
		b.AddOutput("systemd", systemd.New())
	}
	return b, done, nil
}

// MQTTOutput returns the configuration of the MQTT output.
func (w *Setup) MQTTOutput() mqtt.Config {
	c := w.Output()
	c.Version = cli.Version()
	if c.ClientID == "" {
		c.ClientID = ownClientID("hanbridge", w.Config)
	}
	return c
}

// ownClientID is the same at every start of a configuration on a machine, so that a connection left over from a crash is ended by
// the broker, and another one for every other configuration. With what Check and Hub put behind it, it has 23 characters at
// most, as many as every broker takes (MQTT 3.1.1, 3.1.3.1).
func ownClientID(name string, c config.Config) string {
	host, _ := os.Hostname() // without one, two machines with one configuration are told apart by nothing
	h := fnv.New32a()
	fmt.Fprintf(h, "%q %q", host, c.MQTT.BaseTopic)
	for _, m := range c.Meters {
		fmt.Fprintf(h, " %q", m.ID)
	}
	return fmt.Sprintf("%s-%06x", name, h.Sum32()&0xff_ffff)
}

// addMeter adds a configured meter.
func (w *Setup) addMeter(b *bridge.Bridge, index int) error {
	m := w.Meters[index]
	s := SourceOf(m)
	var err error
	if s.Options, err = OptionsOf(m); err != nil {
		return err
	}
	key, authKey := w.keySettings(index)
	b.AddMeter(bridge.Meter{ID: m.ID, Name: m.Name, Fuse: m.Fuse, KeySetting: key, AuthKeySetting: authKey}, s)
	return nil
}

// keySettings names what a person sets to give the keys of a meter.
func (w *Setup) keySettings(index int) (key, authKey string) {
	m := &w.Meters[index]
	key, authKey = w.setting(index, "key"), w.setting(index, "auth_key")
	if m.KeyFile == "" {
		return key, authKey
	}
	file := "the file " + m.KeyFile
	if m.Key == "" {
		return file, "the second key in " + file
	}
	return key + " and " + file, authKey + " and the second key in " + file
}

// setting names a setting of a meter where it is written: the variable wins over the file.
func (w *Setup) setting(index int, name string) string {
	variable := "HANBRIDGE_METER_" + strings.ToUpper(name)
	set := slices.ContainsFunc(w.environ, func(entry string) bool { return strings.HasPrefix(entry, variable+"=") })
	if w.file == "" || set && index == 0 {
		return variable
	}
	return fmt.Sprintf("meters[%d].%s", index, name)
}

// SourceOf returns where the bytes of a configured meter come from.
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

// OptionsOf returns what the telegrams of a meter are read with. The configuration has been checked, but for files that have changed since.
func OptionsOf(m config.Meter) (meter.Options, error) {
	keys, err := m.Keys()
	return meter.Options{
		Keys: keys, Scale: m.ScaleFactors(), IgnoreChecksum: m.Checksum == "ignore", RejectRepeated: m.FrameCounter == "rising",
	}, err
}

// CheckTimeout bounds the check: container health is asked for often.
const CheckTimeout = 15 * time.Second
