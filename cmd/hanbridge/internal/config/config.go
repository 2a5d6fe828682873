// Package config makes a valid configuration of a file and the environment. Every problem is told with its file, line
// and key.
package config

import (
	"fmt"
	"maps"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"
)

// A Config is everything that a person can set. The tags of its fields are the
// one list of keys: the environment variables, the defaults and the check for
// unknown keys all follow from them.
type Config struct {
	MQTT          MQTT          `mapstructure:"mqtt"`
	HomeAssistant HomeAssistant `mapstructure:"homeassistant"`
	// StateDir is where the bridge keeps what must survive a restart; see Config.remembered.
	StateDir string `mapstructure:"state_dir" default:"/var/lib/hanbridge"`
	// Publish is how often values are published, Quantities what differs from that.
	Publish    string     `mapstructure:"publish" default:"balanced" oneof:"realtime balanced frugal"`
	Quantities Quantities `mapstructure:"quantities"`
	Meters     []Meter    `mapstructure:"meters"`
	Log        Log        `mapstructure:"log"`
	// SecretsInFile tells that the file itself holds a password or a key.
	SecretsInFile bool `mapstructure:"-"`
}

// An MQTT says where readings are published, and how.
type MQTT struct {
	// URL of the broker, always with a port for mqtt and mqtts; "embedded" for
	// a broker inside, or empty where none was set (see NeedBroker).
	URL      string `mapstructure:"url"`
	Username string `mapstructure:"username"`
	// Password holds the content of PasswordFile where that was set.
	Password     Secret `mapstructure:"password"`
	PasswordFile string `mapstructure:"password_file"`
	// Paths of PEM files. CertFile and KeyFile are both set or both empty.
	CAFile   string `mapstructure:"ca_file"`
	CertFile string `mapstructure:"cert_file"`
	KeyFile  string `mapstructure:"key_file"`
	// InsecureSkipVerify takes any certificate for the broker's.
	InsecureSkipVerify bool `mapstructure:"insecure_skip_verify" default:"false"`
	// ClientID is empty where the program may choose one.
	ClientID string `mapstructure:"client_id"`
	// Listen is the host:port of the embedded broker.
	Listen    string `mapstructure:"listen" default:"127.0.0.1:1883"`
	BaseTopic string `mapstructure:"base_topic" default:"hanbridge"`
	QoS       int    `mapstructure:"qos" default:"1" oneof:"0 1"`
	Retain    bool   `mapstructure:"retain" default:"true"`
}

// A HomeAssistant says how meters are announced to Home Assistant.
type HomeAssistant struct {
	Discovery string `mapstructure:"discovery" default:"device" oneof:"device component off"`
	Prefix    string `mapstructure:"prefix" default:"homeassistant"`
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
	// Scale multiplies what the meter sends, quantity by quantity.
	Scale Scale `mapstructure:"scale"`
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

// Load reads file, lays the HANBRIDGE_ variables of environ ("NAME=value")
// over it, and checks the whole. An empty file means environment and defaults
// only. The error holds every problem found, one a line; the Config is then
// empty. Where no meter is configured there is one, whose port is looked for. A
// broker may still be missing: see NeedBroker.
func Load(file string, environ []string) (Config, error) {
	l := &loader{file: file, places: map[string]place{}}
	settings := l.readFile()
	if l.keys > mostKeys {
		return Config{}, l.found.Err()
	}
	overlay := l.readEnviron(environ, settings)
	cfg, err := merge(settings, overlay)
	if err != nil {
		return Config{}, fmt.Errorf("configuration: %w", err)
	}
	l.readPassword(&cfg.MQTT)
	l.checkAll(cfg)
	if err := l.found.Err(); err != nil {
		return Config{}, err
	}
	cfg.MQTT.URL = withPort(cfg.MQTT.URL)
	cfg.SecretsInFile = l.secretsInFile()
	return cfg, nil
}

// merge lays overlay (key path to value) over settings, and both over the
// defaults. Viper cannot reach into a list: meters come complete in settings.
func merge(settings, overlay map[string]any) (Config, error) {
	v := viper.New()
	for path, value := range defaultsOf(configKeys) {
		v.SetDefault(path, value)
	}
	if err := v.MergeConfigMap(withMeterDefaults(settings)); err != nil {
		return Config{}, err
	}
	for path, value := range overlay {
		v.Set(path, value)
	}
	var cfg Config
	err := v.UnmarshalExact(&cfg, viper.DecodeHook(mapstructure.TextUnmarshallerHookFunc()))
	return cfg, err
}

// withMeterDefaults returns settings with the defaults in every meter of its
// list, which has one at least.
func withMeterDefaults(settings map[string]any) map[string]any {
	list, _ := settings["meters"].([]any)
	if len(list) == 0 {
		list = []any{map[string]any{}}
	}
	full := make([]any, 0, len(list))
	for _, item := range list {
		meter := defaultsOf(keyNamed(configKeys, "meters").keys)
		maps.Copy(meter, item.(map[string]any))
		full = append(full, meter)
	}
	out := maps.Clone(settings)
	out["meters"] = full
	return out
}
