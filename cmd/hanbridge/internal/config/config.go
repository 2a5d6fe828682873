// Package config makes a valid configuration of a file and the environment. Every problem is told with its file, line and key.
package config

import (
	"errors"

	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A Config is everything that a person can set. The tags of its fields are the one list of keys: the environment variables, the defaults
// and the check for unknown keys all follow from them.
type Config struct {
	MQTT          MQTT          `mapstructure:"mqtt"`
	HomeAssistant HomeAssistant `mapstructure:"homeassistant"`
	// StateDir is where the bridge keeps what must survive a restart; see StateDirToRead.
	StateDir string `mapstructure:"state_dir" default:"/var/lib/hanbridge"`
	// Publish is how often values are published, Quantities what differs from that.
	Publish    throttle.Preset    `mapstructure:"publish" default:"balanced" oneof:"realtime balanced frugal"`
	Quantities throttle.Overrides `mapstructure:"quantities"`
	Meters     []Meter            `mapstructure:"meters"`
	Log        Log                `mapstructure:"log"`
	// SecretsInFile tells that the file itself holds a password or a key.
	SecretsInFile bool `mapstructure:"-"`
	// UserStateDir is used in place of StateDir where that is not "".
	UserStateDir string `mapstructure:"-"`
}

// An MQTT says where readings are published, and how. URL is complete; "embedded" for a broker inside, or empty where none was set (see
// RequireBroker). ClientID is empty where the program may choose one.
type MQTT struct {
	mqtt.Config `mapstructure:",squash"`
	// PasswordFile is the file whose content Password holds, where that was set.
	PasswordFile string `mapstructure:"password_file"`
	// Listen is the host:port of the embedded broker.
	Listen string `mapstructure:"listen" default:"127.0.0.1:1883"`
}

// Embedded is the mqtt.url that asks for a broker inside.
const Embedded = "embedded"

// A Secret is text that is never printed.
type Secret = mqtt.Secret

// A HomeAssistant says how meters are announced to Home Assistant.
type HomeAssistant struct {
	Discovery discovery.Style `mapstructure:"discovery" default:"device" oneof:"device component off"`
	Prefix    string          `mapstructure:"prefix" default:"homeassistant"`
	// StatusTopic is where the hub says that it has started, whatever the prefix.
	StatusTopic string `mapstructure:"status_topic" default:"homeassistant/status"`
}

// A Meter is one meter and the way to it.
type Meter struct {
	// ID is part of every topic and unique_id of the meter.
	ID     string `mapstructure:"id" default:"meter"`
	Name   string `mapstructure:"name" default:"Electricity meter"`
	Port   Port   `mapstructure:"port" default:"auto"`
	Serial Serial `mapstructure:"serial" default:"auto"`
	// Key and AuthKey are 32 hexadecimal digits each; KeyFile is a file of lines KEY [AUTH_KEY]. All may be empty.
	Key     Secret `mapstructure:"key"`
	AuthKey Secret `mapstructure:"auth_key"`
	KeyFile string `mapstructure:"key_file"`
	// Scale multiplies what the meter sends, by the name of the quantity.
	Scale map[string]obis.Decimal `mapstructure:"scale"`
	// Fuse is the rating of the main fuse, in A for each phase; 0 where it is not known.
	Fuse         int    `mapstructure:"fuse" default:"0"`
	Checksum     string `mapstructure:"checksum" default:"check" oneof:"check ignore"`
	FrameCounter string `mapstructure:"frame_counter" default:"any" oneof:"any rising"`
}

// A Log says what is logged and in which form.
type Log struct {
	Level  string `mapstructure:"level" default:"info" oneof:"debug info warn error"`
	Format string `mapstructure:"format" default:"auto" oneof:"auto console json"`
}

// Load reads file, lays the HANBRIDGE_ variables of environ ("NAME=value") over it, and checks the whole. An empty file means environment
// and defaults only. The error holds every problem found, one a line; the Config is then empty. Where no meter is configured there is one,
// whose port is looked for. A broker may still be missing: see RequireBroker.
func Load(file string, environ []string) (Config, error) {
	l := &loader{file: file, places: map[string]place{}}
	cfg := l.merge(l.readFile(), environ)
	l.readPassword(&cfg.MQTT)
	l.validate(cfg.problems())
	if err := l.found.Err(); err != nil {
		return Config{}, err
	}
	if cfg.MQTT.URL != Embedded {
		cfg.MQTT.URL, _ = mqtt.CompleteURL(cfg.MQTT.URL) // "" where there is none; else it has been checked
	}
	cfg.SecretsInFile = l.secrets
	if _, set := l.places["state_dir"]; !set {
		cfg.UserStateDir = userState(cfg.StateDir, environ)
	}
	return cfg, nil
}

// RequireBroker returns an error that says what to do if no broker is set.
func (c Config) RequireBroker() error {
	if c.MQTT.URL != "" {
		return nil
	}
	return errors.New("mqtt.url: no broker is set: write it in the configuration file, or set HANBRIDGE_MQTT_URL=mqtt://localhost " +
		`(who has no broker yet writes "embedded", and hanbridge is one)`)
}

// Output returns what the MQTT output needs to know. Where the broker is inside, it is that of a bridge which runs beside this program.
func (c Config) Output() mqtt.Config {
	out := c.MQTT.Config
	out.Style, out.Prefix, out.StatusTopic = c.HomeAssistant.Discovery, c.HomeAssistant.Prefix, c.HomeAssistant.StatusTopic
	if out.URL == Embedded {
		out.URL = "mqtt://" + c.MQTT.Listen
	}
	return out
}

// Plan returns how often each quantity is published.
func (c Config) Plan() *throttle.Plan {
	plan := throttle.NewPlan(c.Publish)
	plan.Override(c.Quantities)
	return plan
}

// ScaleFactors returns the scale as a Decoder wants it, nil where there is none.
func (m Meter) ScaleFactors() *quantity.Scale {
	if len(m.Scale) == 0 {
		return nil
	}
	factors := new(quantity.Scale)
	for name, factor := range m.Scale {
		if id, ok := quantity.Named(name); ok {
			factors[id] = factor
		}
	}
	return factors
}
