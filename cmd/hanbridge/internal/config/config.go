// Package config reads the configuration from a file and the environment, and validates it. Every problem is reported with its file, line
// and key.
package config

import (
	"cmp"
	"errors"

	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A Config is the configuration of the program. The tags of its fields define all keys. The environment variables, the defaults and the check for
// unknown keys are derived from these tags.
type Config struct {
	MQTT          MQTT          `mapstructure:"mqtt"`
	HomeAssistant HomeAssistant `mapstructure:"homeassistant"`
	// StateDir is the configured folder for the bridge's state, or "off". The methods StateDirToWrite and StateDirToRead return the
	// folder that is used, which is possibly UserStateDir.
	StateDir string `mapstructure:"state_dir" default:"/var/lib/hanbridge"`
	// Publish is the preset that says how often an output publishes values, unless the section of the output has a preset of its own. Quantities
	// overrides the preset for single quantities.
	Publish    throttle.Preset    `mapstructure:"publish" default:"balanced" oneof:"realtime balanced frugal"`
	Quantities throttle.Overrides `mapstructure:"quantities"`
	Meters     []Meter            `mapstructure:"meters"`
	Log        Log                `mapstructure:"log"`
	// SecretsInFile is true if the configuration file itself contains a password or an encryption key.
	SecretsInFile bool `mapstructure:"-"`
	// UserStateDir is a folder of the user that runs the program. It is used instead of StateDir if state_dir is not configured and the user can
	// write to UserStateDir, but not to the default of state_dir. Otherwise UserStateDir is "".
	UserStateDir string `mapstructure:"-"`
}

// An MQTT is the section mqtt. URL is the complete address of the broker, or Embedded, or "" if no broker is configured. If ClientID is
// empty, the program chooses a client id.
type MQTT struct {
	mqtt.Config `mapstructure:",squash"`
	// PasswordFile is the path of the file from which Password was read, or "".
	PasswordFile string `mapstructure:"password_file"`
	// Listen is the host:port of the embedded broker.
	Listen string `mapstructure:"listen" default:"127.0.0.1:1883"`
	// Publish is the preset of the MQTT output; nil for Config.Publish.
	Publish *throttle.Preset `mapstructure:"publish" oneof:"realtime balanced frugal"`
}

// Embedded is the mqtt.url that starts the broker inside the program.
const Embedded = "embedded"

// A Secret is text that is never printed.
type Secret = mqtt.Secret

// A HomeAssistant is the section homeassistant, which says how meters are announced to Home Assistant.
type HomeAssistant struct {
	Discovery discovery.Style `mapstructure:"discovery" default:"device" oneof:"device component off"`
	Prefix    string          `mapstructure:"prefix" default:"homeassistant"`
	// StatusTopic is the topic of the hub's birth message. It does not depend on Prefix.
	StatusTopic string `mapstructure:"status_topic" default:"homeassistant/status"`
}

// A Meter is one entry of the list meters: a meter, its port and its encryption keys.
type Meter struct {
	// ID is part of every topic and unique_id of the meter.
	ID     string `mapstructure:"id" default:"meter"`
	Name   string `mapstructure:"name" default:"Electricity meter"`
	Port   Port   `mapstructure:"port" default:"auto"`
	Serial Serial `mapstructure:"serial" default:"auto"`
	// Key and AuthKey are 32 hexadecimal digits each. KeyFile is the path of a file with lines KEY or KEY AUTH_KEY. Each of the three can be "".
	Key     Secret `mapstructure:"key"`
	AuthKey Secret `mapstructure:"auth_key"`
	KeyFile string `mapstructure:"key_file"`
	// Scale has factors by the name of a quantity. A number that the meter sends is multiplied by the factor of its quantity.
	Scale map[string]obis.Decimal `mapstructure:"scale"`
	// Fuse is the rating of the main fuse in A per phase, or 0 if the rating is not known.
	Fuse         int    `mapstructure:"fuse" default:"0"`
	Checksum     string `mapstructure:"checksum" default:"check" oneof:"check ignore"`
	FrameCounter string `mapstructure:"frame_counter" default:"any" oneof:"any rising"`
}

// A Log is the section log: the lowest level that is logged, and the format.
type Log struct {
	Level  string `mapstructure:"level" default:"info" oneof:"debug info warn error"`
	Format string `mapstructure:"format" default:"auto" oneof:"auto console json"`
}

// Load reads the configuration file, overrides it with the HANBRIDGE_ variables of environ ("NAME=value"), and validates the result. If
// file is "", Load uses only the environment and the defaults. The error is of type Problems. With an error, the Config is empty. If no meter
// is configured, the Config has one meter with the port auto. Load does not require a broker: see RequireBroker.
func Load(file string, environ []string) (Config, error) {
	l := &loader{file: file, locations: map[string]location{}}
	cfg := l.merge(l.readFile(), environ)
	l.readPassword(&cfg.MQTT)
	l.validate(cfg.problems())
	if err := l.problems.Err(); err != nil {
		return Config{}, err
	}
	if cfg.MQTT.URL != Embedded {
		cfg.MQTT.URL, _ = mqtt.CompleteURL(cfg.MQTT.URL) // there is no error, because cfg.problems refuses a wrong URL; an empty URL remains empty
	}
	cfg.SecretsInFile = l.secretsInFile
	if _, set := l.locations["state_dir"]; !set {
		cfg.UserStateDir = userState(cfg.StateDir, environ)
	}
	return cfg, nil
}

// RequireBroker returns an error if no broker is configured. The error says what to do.
func (c Config) RequireBroker() error {
	if c.MQTT.URL != "" {
		return nil
	}
	return errors.New("mqtt.url: no broker is set: write its address in the configuration file, or set HANBRIDGE_MQTT_URL=mqtt://localhost " +
		`(if you have no broker yet, write "embedded": then hanbridge runs a broker itself)`)
}

// Output returns the configuration of the MQTT output. If the broker is embedded, the URL is the address mqtt.listen.
func (c Config) Output() mqtt.Config {
	out := c.MQTT.Config
	out.Style, out.Prefix, out.StatusTopic = c.HomeAssistant.Discovery, c.HomeAssistant.Prefix, c.HomeAssistant.StatusTopic
	out.Plan = c.MQTTPlan()
	if out.URL == Embedded {
		out.URL = "mqtt://" + c.MQTT.Listen
	}
	return out
}

// MQTTPlan returns how often the MQTT output publishes each quantity: its preset with the overrides of Quantities.
func (c Config) MQTTPlan() *throttle.Plan {
	plan := throttle.NewPlan(c.MQTTPreset())
	plan.Override(c.Quantities)
	return plan
}

// MQTTPreset returns the preset of the MQTT output.
func (c Config) MQTTPreset() throttle.Preset { return *cmp.Or(c.MQTT.Publish, &c.Publish) }

// ScaleFactors returns the factors of Scale by the quantity.ID, or nil if Scale is empty.
func (m Meter) ScaleFactors() *quantity.Scale {
	if len(m.Scale) == 0 {
		return nil
	}
	factors := new(quantity.Scale)
	for name, factor := range m.Scale {
		if id, ok := quantity.ByName(name); ok {
			factors[id] = factor
		}
	}
	return factors
}
