package config

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.yaml.in/yaml/v3"

	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
	"github.com/hanbridge/hanbridge/bridge/source"
	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

var updateConfig = flag.Bool("update-config", false, "write testdata/wrong.txt")

// defaultConfig returns the configuration of an empty file.
func defaultConfig() Config {
	return Config{
		MQTT:          MQTT{Config: mqtt.Config{BaseTopic: "hanbridge", QoS: 1, Retain: true}, Listen: "127.0.0.1:1883"},
		HomeAssistant: HomeAssistant{Discovery: discovery.Device, Prefix: "homeassistant", StatusTopic: discovery.StatusTopic},
		StateDir:      "/var/lib/hanbridge",
		Publish:       throttle.Balanced,
		Meters:        []Meter{defaultMeter()},
		Log:           Log{Level: "info", Format: "auto"},
	}
}

func defaultMeter() Meter {
	return Meter{
		ID: "meter", Name: "Electricity meter", Port: Port{Kind: AutoPort}, Serial: Serial{Auto: true},
		Checksum: "check", FrameCounter: "any",
	}
}

// configEqual are the options to compare configurations. 10.0 equals 10, and an empty table equals a missing table.
var configEqual = cmp.Options{cmpopts.EquateEmpty(), cmp.Comparer(func(a, b obis.Decimal) bool { return a.Cmp(b) == 0 })}

// TestConfigValid tests that settings are read from a file, from the environment, and from both.
func TestConfigValid(t *testing.T) {
	house := defaultMeter()
	house.ID, house.Name = "house", "Huset på åkern"
	house.Port = Port{SerialPort, "/dev/serial/by-id/usb-FTDI-if00-port0"}
	house.Serial = Serial{Line: source.Line{Baud: 9600, DataBits: 7, Parity: 'E', StopBits: 1}}
	barn := defaultMeter()
	barn.ID, barn.Port = "barn", Port{TCPPort, "[fd00::1]:8088"}
	replayed := defaultMeter()
	replayed.ID, replayed.Port = "past", Port{ReplayPort, "testdata/full.yaml"} // any file that exists
	replayed.Key, replayed.AuthKey = "00112233445566778899001122334455", "0011223344556677889900112233445F"
	replayed.Scale = parseScale(t, "import_power=60,import_energy=0.1,gas=0.001")
	replayed.Fuse, replayed.Checksum, replayed.FrameCounter = 25, "ignore", "rising"
	full := Config{
		MQTT: MQTT{Config: mqtt.Config{URL: "wss://broker.example:443/mqtt", Username: "anna", Password: "0012345", ClientID: "cellar",
			InsecureSkipVerify: true, BaseTopic: "energy/hanbridge"}, Listen: "127.0.0.1:1883", Publish: new(throttle.Realtime)},
		HomeAssistant: HomeAssistant{Discovery: discovery.Off, Prefix: "ha", StatusTopic: "ha/birth"},
		StateDir:      "/srv/hanbridge",
		Publish:       throttle.Frugal,
		Quantities:    parseQuantities(t, "voltage_* max_silence=1m; import_power min_interval=5s deadband=10 deadband=1% max_silence=30s; tariff min_interval=1h"),
		Meters:        []Meter{house, barn, replayed},
		Log:           Log{Level: "debug", Format: "json"},
		SecretsInFile: true,
	}
	fromEnv := defaultConfig()
	fromEnv.MQTT.URL, fromEnv.MQTT.Retain, fromEnv.MQTT.QoS = "mqtt://localhost:1883", false, 0
	fromEnv.MQTT.Publish = new(throttle.Balanced)
	usb := defaultMeter()
	usb.Port, usb.Serial = Port{SerialPort, "/dev/ttyUSB9"}, Serial{Line: source.Line{Baud: 2400, DataBits: 8, Parity: 'E', StopBits: 1}}
	usb.Key, usb.KeyFile = "00112233445566778899AABBCCDDEEFF", writePrivate(t, "# keys\n00112233445566778899aabbccddeeff\n")
	usb.Scale, usb.Checksum, usb.Fuse = parseScale(t, "export_energy=0.1,import_energy=10"), "ignore", 16
	fromEnv.Quantities, fromEnv.StateDir = parseQuantities(t, "import_power min_interval=0s deadband=0.5%"), "off"
	fromEnv.Meters = []Meter{usb}
	envOverFile := defaultConfig()
	envOverFile.MQTT.URL, envOverFile.Log.Level = "mqtts://b:8883", "warn"
	renamed := defaultMeter()
	renamed.ID, renamed.Name = "house", "House"
	renamed.Scale = parseScale(t, "gas=2") // the variable replaces the table of the file, which has a factor for water
	envOverFile.Meters = []Meter{renamed}
	envOverFile.Quantities = parseQuantities(t, "gas min_interval=1h")
	tests := []struct {
		name, text string
		env        []string
		want       Config
	}{
		{"empty file", "", nil, defaultConfig()},
		{"only comments", "# mqtt:\n", nil, defaultConfig()},
		{"empty sections", "mqtt:\nquantities:\nmeters:\nlog:\n", nil, defaultConfig()},
		{"every key", readText(t, "testdata/full.yaml"), nil, full},
		{"byte order mark and CRLF line ends", "\ufeff" + strings.ReplaceAll(readText(t, "testdata/full.yaml"), "\n", "\r\n"), nil, full},
		{"numbers and booleans in quotes", "mqtt: {qos: \"1\", retain: \"true\"}\nmeters: [{fuse: \"0\"}]\n", nil, defaultConfig()}, // the three values are the defaults
		{"only variables", "", []string{"HANBRIDGE_MQTT_URL=mqtt://localhost", "HANBRIDGE_MQTT_RETAIN=FALSE", "HANBRIDGE_MQTT_QOS=0",
			"HANBRIDGE_MQTT_PUBLISH=balanced", "HANBRIDGE_METER_PORT=/dev/ttyUSB9", "HANBRIDGE_METER_SERIAL=2400 8E1",
			"HANBRIDGE_METER_KEY=00112233445566778899AABBCCDDEEFF", "HANBRIDGE_METER_KEY_FILE=" + usb.KeyFile,
			"HANBRIDGE_METER_SCALE=import_energy=10, export_energy=0.1", "HANBRIDGE_METER_CHECKSUM=ignore", "HANBRIDGE_METER_FUSE=16",
			"HANBRIDGE_STATE_DIR=off", "HANBRIDGE_QUANTITIES=import_power  min_interval=0s deadband=0.50%;", "HANBRIDGE_LOG_LEVEL=", "HOME=/root"}, fromEnv},
		{"variables override the file", "mqtt: {url: mqtt://a}\nquantities: { water: { min_interval: 1m } }\nmeters:\n  - {id: house, name: Huset, scale: {water: 3}}\n",
			[]string{"HANBRIDGE_MQTT_URL=mqtts://b", "HANBRIDGE_METER_SCALE=gas=2", "HANBRIDGE_METER_NAME=House",
				"HANBRIDGE_QUANTITIES=gas min_interval=60m", "HANBRIDGE_LOG_LEVEL=warn"}, envOverFile},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Load(writeTemp(t, tt.text), tt.env)
			if err != nil {
				t.Fatalf("Load: %v", err)
			}
			if diff := cmp.Diff(tt.want, got, configEqual); diff != "" {
				t.Errorf("config (-want +got):\n%s", diff)
			}
		})
	}
}

// TestConfigWithoutFile tests that without file and variables all settings have their defaults.
func TestConfigWithoutFile(t *testing.T) {
	got, err := Load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(defaultConfig(), got, configEqual); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
}

// TestConfigWrong tests that the error for a file with many problems lists all of them, as in testdata/wrong.txt.
func TestConfigWrong(t *testing.T) {
	_, err := Load("testdata/wrong.yaml", []string{
		"HANBRIDGE_MQTT_PASWORD=secret-two", "HANBRIDGE_PORT=/dev/ttyUSB0", "HANBRIDGE_LOG_FORMAT=xml", "HANBRIDGE_METER_PORT=/dev/ttyUSB0",
	})
	if err == nil {
		t.Fatal("Load: no error")
	}
	got := strings.ReplaceAll(err.Error(), "testdata/", "") + "\n"
	const golden = "testdata/wrong.txt"
	if *updateConfig {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(readText(t, golden), got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if strings.Contains(got, "secret-") {
		t.Error("a secret is printed")
	}
}

// TestConfigErrors tests that the error for a configuration with one problem has one line and shows no secret.
func TestConfigErrors(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none")
	secret := writeTemp(t, "hunter2\r\n") // the path of a file with a secret
	empty := writeTemp(t, "\n")           // the path of a file without text
	tests := []struct {
		name, text string   // text is the configuration file; "hunter2" in the file is a secret
		env        []string // environment variables
		want       string   // the beginning of the error
	}{
		{"indent with a tab", "mqtt:\n\turl: mqtt://a\n", nil, "config.yaml:2: not valid YAML: a tab: YAML wants spaces to indent"},
		{"wrong indent", "mqtt:\n  url: mqtt://a\n qos: 1\nlog:\n  level: info\n", nil, "config.yaml:3: not valid YAML: the line is not indented like the lines above"},
		{"missing colon", "mqtt:\n  url: mqtt://a\n  qos 1\nlog:\n", nil, "config.yaml:3: not valid YAML: want \"key: value\""},
		{"open quote", "mqtt:\n  client_id: \"a\n  qos: 1\n", nil, "config.yaml:2: not valid YAML: a quote is not closed"},
		{"two colons", "mqtt:\n  client_id: a: b\n", nil, "config.yaml:2: not valid YAML: two colons in one line"},
		{"open bracket", "mqtt:\n  client_id: [a\nlog:\n  level: info\n", nil, "config.yaml:2: not valid YAML: "},
		{"password that begins with an asterisk", "log:\n mqtt:\n  password: *hunter2\n", nil, "config.yaml:3: not valid YAML: a value that begins with * must be put in quotes"},
		{"password that begins with an at sign", "mqtt:\n  password: @hunter2\n", nil, "config.yaml:2: not valid YAML: a value that begins with @"},
		{"Latin-1", "mqtt:\n  client_id: \xe5ker\n", nil, "config.yaml:2: not valid YAML: not UTF-8"},
		{"two documents", "mqtt:\n  qos: 1\n---\nlog:\n", nil, "config.yaml:3: not valid YAML: a second document"},
		{"text instead of sections", "hello\n", nil, `config.yaml:1: want lines of "key: value" here`},
		{"section is text", "mqtt:\n  url:mqtt://a\n", nil, `config.yaml:2: mqtt: want lines of "key: value" here`},
		{"no space after a colon", "mqtt: { qos: 1, password:hunter2 }\n", nil, "config.yaml:1: mqtt.password: a space is missing after the colon"},
		{"key in capitals", "MQTT:\n  qos: 1\n", nil, `config.yaml:1: MQTT: no such key (did you mean "mqtt"?)`},
		{"misspelt key of a meter", "meters:\n  - prt: /dev/ttyUSB0\n", nil, `config.yaml:2: meters[0].prt: no such key (did you mean "port"?)`},
		{"key of another section", "mqtt:\n  discovery: off\n", nil, `config.yaml:2: mqtt.discovery: no such key (did you mean "homeassistant.discovery"?)`},
		{"key that resembles no other", "log:\n  zzzzzz: 1\n", nil, `config.yaml:2: log.zzzzzz: no such key (known here: level, format)`},
		{"section is repeated", "mqtt:\n  qos: 1\nlog:\nmqtt:\n  qos: 2\n", nil, "config.yaml:4: mqtt: already set in line 1"},
		{"meters is no list", "meters:\n  id: a\n", nil, `config.yaml:2: meters: want a list`},
		{"meter is text", "meters:\n  - a\n", nil, `config.yaml:2: meters[0]: want lines of "key: value" here`},
		{"password is a number", "mqtt:\n  username: a\n  password: 112233\n", nil, "config.yaml:3: mqtt.password: without quotes YAML reads this as a number"},
		{"password with an exclamation mark", "mqtt:\n  password: !hunter2\n", nil, "config.yaml:2: mqtt.password: a value that begins with !, & or * must be put in quotes"},
		{"password with an ampersand", "mqtt:\n  password: &hunter2\n", nil, "config.yaml:2: mqtt.password: a value that begins with !, & or * must"},
		{"password is a secret of Home Assistant", "mqtt:\n  password: !secret mqtt\n", nil, "config.yaml:2: mqtt.password: !secret works only in the files of Home Assistant"},
		{"empty password", "mqtt:\n  password:\n", nil, "config.yaml:2: mqtt.password: has no value"},
		{"password without a username", "mqtt:\n  password: \"hunter2\"\n", nil, "config.yaml:2: mqtt.password: is set without mqtt.username"},
		{"id is a number", "meters:\n  - id: 0012345\n", nil, `config.yaml:2: meters[0].id: without quotes YAML reads this as a number`},
		{"name is a date", "meters:\n  - name: 2026-11-22\n", nil, `config.yaml:2: meters[0].name: without quotes YAML reads this as a number`},
		{"discovery is a boolean", "homeassistant:\n  discovery: false\n", nil, `config.yaml:2: homeassistant.discovery: "false" is not one of device, component, off`},
		{"retain is a word", "mqtt:\n  retain: sure\n", nil, `config.yaml:2: mqtt.retain: "sure" is not true or false`},
		{"serial is a number", "meters:\n  - serial: 115200\n", nil, `config.yaml:2: meters[0].serial: "115200" is not a line setting: write for example "2400 8E1"`},
		{"password and password file", "mqtt:\n  username: a\n  password: hunter2\n  password_file: " + secret + "\n", nil,
			"config.yaml:4: mqtt.password_file: mqtt.password is set too (config.yaml:3)"},
		{"password file does not exist", "mqtt:\n  username: a\n  password_file: " + missing + "\n", nil, "config.yaml:3: mqtt.password_file: " + missing + ": no such file: write the password into this file"},
		{"empty password file", "mqtt:\n  password_file: " + empty + "\n", nil, "config.yaml:2: mqtt.password_file: " + empty + " is empty"},
		{"certificate without a key", "mqtt:\n  url: mqtts://a\n  cert_file: " + secret + "\n", nil, "config.yaml:3: mqtt.cert_file: set without mqtt.key_file"},
		{"ca_file without TLS", "mqtt:\n  url: mqtt://a\n  ca_file: " + secret + "\n", nil, "config.yaml:3: mqtt.ca_file: certificates need TLS"},
		{"ca_file does not exist, without TLS", "mqtt:\n  url: mqtt://a\n  ca_file: " + missing + "\n", nil,
			"config.yaml:3: mqtt.ca_file: certificates need TLS: write mqtt.url with mqtts:// or wss://; and " + missing + ": no such file"},
		{"insecure_skip_verify without TLS", "mqtt:\n  url: mqtt://a\n  insecure_skip_verify: true\n", nil, "config.yaml:3: mqtt.insecure_skip_verify: has no effect without TLS"},
		{"insecure_skip_verify for a websocket without TLS", "mqtt:\n  url: ws://a\n  insecure_skip_verify: true\n", nil, "config.yaml:3: mqtt.insecure_skip_verify: has no effect without TLS"},
		{"insecure_skip_verify not a boolean", "mqtt:\n  url: mqtts://a\n  insecure_skip_verify: sometimes\n", nil, "config.yaml:3: mqtt.insecure_skip_verify"},
		{"ca_file does not exist", "mqtt:\n  ca_file: " + missing + "\n  url: mqtts://a\n", nil, "config.yaml:2: mqtt.ca_file: " + missing + ": no such file"},
		{"listen without a port", "mqtt:\n  url: embedded\n  listen: localhost\n", nil, `config.yaml:3: mqtt.listen: "localhost" is not a host and a port`},
		{"two meters with the default id", "meters:\n  - port: /dev/a\n  - port: /dev/b\n", nil, `config.yaml:3: meters[1].id: "meter" is the id of meters[0] too`},
		{"two meters with the same port", "meters:\n  - {id: a, port: /dev/a}\n  - {id: b, port: /dev/a}\n", nil, `config.yaml:3: meters[1].port: /dev/a is the port of meters[0] too`},
		{"port is a file", "meters:\n  - port: " + secret + "\n", nil, "config.yaml:2: meters[0].port: " + secret + " is a file, not a device"},
		{"base topic inside the prefix", "mqtt: { base_topic: ha/x }\nhomeassistant: { prefix: ha }\n", nil, `config.yaml:1: mqtt.base_topic: "ha/x" lies inside`},
		{"empty base topic", "mqtt: { base_topic: \"\" }\n", nil, "config.yaml:1: mqtt.base_topic: must not be empty"},
		{"prefix with a slash at the end", "homeassistant: { prefix: ha/ }\n", nil, `config.yaml:1: homeassistant.prefix: "ha/" has an empty level`},
		{"status topic with a wildcard", "homeassistant: { status_topic: homeassistant/+ }\n", nil, `config.yaml:1: homeassistant.status_topic: "homeassistant/+" has a wildcard`},
		{"status topic is the wildcard for all levels", "homeassistant: { status_topic: \"#\" }\n", nil, `config.yaml:1: homeassistant.status_topic: "#" has a wildcard`},
		{"empty status topic", "homeassistant: { status_topic: \"\" }\n", nil, `config.yaml:1: homeassistant.status_topic: must not be empty`},
		{"status topic of the bridge", "homeassistant: { status_topic: hanbridge/status }\n", nil, `config.yaml:1: homeassistant.status_topic: "hanbridge/status" lies inside mqtt.base_topic`},
		{"status topic of a meter", "mqtt: { base_topic: a/b }\nhomeassistant: { status_topic: a/b/house/status }\n", nil, `config.yaml:2: homeassistant.status_topic: "a/b/house/status" lies inside mqtt.base_topic`},
		{"wrong status topic in a variable", "", []string{"HANBRIDGE_HOMEASSISTANT_STATUS_TOPIC=$SYS/hub"}, `HANBRIDGE_HOMEASSISTANT_STATUS_TOPIC: "$SYS/hub": topics that begin with $`},
		{"base topic begins with $", "mqtt: { base_topic: $SYS/a }\n", nil, `config.yaml:1: mqtt.base_topic: "$SYS/a": topics that begin with $`},
		{"base topic with a control character", "mqtt: { base_topic: \"a\\0\" }\n", nil, `config.yaml:1: mqtt.base_topic: "a\x00" has a character`},
		{"name is a blank", "meters: [ { name: \" \" } ]\n", nil, `config.yaml:1: meters[0].name: " " is not a name`},
		{"name is a boolean", "meters: [ { name: true } ]\n", nil, `config.yaml:1: meters[0].name: without quotes YAML reads this as a number`},
		{"key is a number", "meters:\n  - key: 00112233445566778899001122334455\n", nil,
			"config.yaml:2: meters[0].key: without quotes YAML reads this as a number"},
		{"key is too short", "meters:\n  - key: \"0a11223344556677889900112233445\"\n", nil,
			"config.yaml:2: meters[0].key: has 31 hexadecimal digits, and a key has 32"},
		{"key is not hexadecimal", "meters:\n  - key: hunter2\n", nil,
			"config.yaml:2: meters[0].key: character 1 is no hexadecimal digit (0 to 9, a to f): write the key as 32 hexadecimal digits"},
		{"authentication key is too long", "meters:\n  - key: \"00112233445566778899001122334455\"\n    auth_key: \"001122334455667788990011223344556\"\n", nil,
			"config.yaml:3: meters[0].auth_key: has 33 hexadecimal digits"},
		{"authentication key without a key", "meters:\n  - auth_key: \"00112233445566778899001122334455\"\n", nil,
			"config.yaml:2: meters[0].auth_key: an authentication key without an encryption key"},
		{"key file does not exist", "meters:\n  - key_file: " + missing + "\n", nil, "config.yaml:2: meters[0].key_file: " + missing + ": no such file"},
		{"empty key file", "meters:\n  - key_file: " + empty + "\n", nil, "config.yaml:2: meters[0].key_file: " + empty + ": no key found"},
		{"key file contains a password", "meters:\n  - key_file: " + secret + "\n", nil, "config.yaml:2: meters[0].key_file: " + secret + ":1: character 1 is no"},
		{"scale with a misspelt quantity", "meters:\n  - scale:\n      import_energi: 10\n", nil,
			`config.yaml:3: meters[0].scale: "import_energi" is not a quantity (did you mean import_energy?)`},
		{"scale with a part of a quantity's name", "meters:\n  - scale: { energy: 10 }\n", nil,
			`config.yaml:2: meters[0].scale: "energy" is not a quantity (did you mean import_energy, export_energy, `},
		{"scale with an unknown quantity", "meters:\n  - scale: { zzzzzz: 10 }\n", nil,
			`config.yaml:2: meters[0].scale: "zzzzzz" is not a quantity (hanbridge quantities lists all quantities)`},
		{"scale with a text quantity", "meters:\n  - scale: { breaker: 10 }\n", nil, `config.yaml:2: meters[0].scale: breaker is text`},
		{"factor is zero", "meters:\n  - scale: { import_energy: 0 }\n", nil, `config.yaml:2: meters[0].scale.import_energy: "0" is not a factor`},
		{"factor is negative", "meters:\n  - scale: { import_energy: -1 }\n", nil, `config.yaml:2: meters[0].scale.import_energy: "-1" is not a factor`},
		{"factor is a word", "meters:\n  - scale: { import_energy: ten }\n", nil, `config.yaml:2: meters[0].scale.import_energy: "ten" is not a factor`},
		{"factor has an exponent", "meters:\n  - scale: { import_energy: 1e1 }\n", nil, `config.yaml:2: meters[0].scale.import_energy: "1e1" is not a factor`},
		{"empty factor", "meters:\n  - scale: { import_energy: }\n", nil, `config.yaml:2: meters[0].scale.import_energy: has no value`},
		{"scale is a list", "meters:\n  - scale: [ 1 ]\n", nil, `config.yaml:2: meters[0].scale: want the names of quantities in the lines below, without a dash`},
		{"factor with a decimal comma", "meters:\n  - scale: { import_energy: \"0,1\" }\n", nil, `config.yaml:2: meters[0].scale.import_energy: "0,1" is not a factor: write a decimal number above 0 with a point`},
		{"scale with one quantity twice", "meters:\n  - scale:\n      gas: 2\n      gas: 2\n", nil, `config.yaml:4: meters[0].scale.gas: already set in line 3`},
		{"scale without a quantity", "meters:\n  - scale: 10\n", nil, `config.yaml:2: meters[0].scale: "10" is not a quantity and its factor: write for example`},
		{"wrong scale in a variable", "", []string{"HANBRIDGE_METER_SCALE=import_energy=0.1,export=0.1"}, `HANBRIDGE_METER_SCALE: "export" is not a quantity (did`},
		{"fuse too small", "meters:\n  - fuse: 3\n", nil, `config.yaml:2: meters[0].fuse: 3 is not the rating of a main fuse: write the amperes of one phase, from 6 to 2000`},
		{"fuse with a unit", "meters:\n  - fuse: 16 A\n", nil, `config.yaml:2: meters[0].fuse: "16 A" is not a whole number`},
		{"empty state dir", "state_dir: \"\"\n", nil, `config.yaml:1: state_dir: must not be empty: write off to store no state`},
		{"state dir begins with ~", "state_dir: ~/hanbridge\n", nil, `config.yaml:1: state_dir: ~/hanbridge: ~ does not work here: write the path of the home directory`},
		{"state dir is a file", "state_dir: " + secret + "\n", nil, `config.yaml:1: state_dir: ` + secret + ` is a file: name a directory`},
		{"base topic that Home Assistant uses", "mqtt:\n  base_topic: tasmota\n", nil, `config.yaml:2: mqtt.base_topic: "tasmota" is reserved: an integration of Home Assistant reads the topics below tasmota`},
		{"unknown checksum mode", "meters:\n  - checksum: ignored\n", nil, `config.yaml:2: meters[0].checksum: "ignored" is not one of check, ignore (did you mean "ignore"?)`},
		{"unknown frame counter mode", "meters:\n  - frame_counter: up\n", nil, `config.yaml:2: meters[0].frame_counter: "up" is not one of any, rising`},
		{"two meters with port auto", "meters:\n  - {id: a}\n  - {id: b}\n", nil, `config.yaml:3: meters[1].port: auto is the port of meters[0] too`},
		{"empty port", "meters:\n  - port: \"\"\n", nil, `config.yaml:2: meters[0].port: "" is not a port: write auto, /dev/`},
		{"variable with a wrong value", "mqtt:\n  qos: 1\n", []string{"HANBRIDGE_MQTT_QOS=high"}, `HANBRIDGE_MQTT_QOS: "high" is not one of 0, 1`},
		{"wrong value in the file, although a variable overrides it", "meters:\n  - fuse: many\n", []string{"HANBRIDGE_METER_FUSE=25"}, `config.yaml:2: meters[0].fuse: "many" is not a whole number`},
		{"wrong table in the file, although a variable overrides it", "quantities:\n  tariff: {deadband: 1}\n", []string{"HANBRIDGE_QUANTITIES=import_power min_interval=5s"}, `config.yaml:2: quantities.tariff`},
		{"variable with a wildcard", "", []string{"HANBRIDGE_MQTT_BASE_TOPIC=a/#"}, `HANBRIDGE_MQTT_BASE_TOPIC: "a/#" has a wildcard`},
		{"variable for a meter, but the file has two meters", "meters:\n  - {id: a, port: /dev/a}\n  - {id: b, port: /dev/b}\n", []string{"HANBRIDGE_METER_NAME=c"},
			"HANBRIDGE_METER_NAME: config.yaml has 2 meters, and this variable works only with a single meter"},
		{"variable with a misspelt name", "", []string{"HANBRIDGE_MQTT_PASWORD=hunter2"}, `HANBRIDGE_MQTT_PASWORD: no such setting (did you mean "HANBRIDGE_MQTT_PASSWORD"?)`},
		{"variable with the index of a meter", "", []string{"HANBRIDGE_METERS_0_PORT=x"}, `HANBRIDGE_METERS_0_PORT: no such setting (did you mean "HANBRIDGE_METER_PORT"?)`},
		{"variable without the name of the section", "", []string{"HANBRIDGE_PORT=x"}, `HANBRIDGE_PORT: no such setting (did you mean "HANBRIDGE_METER_PORT"?)`},
		{"variable that resembles no other", "", []string{"HANBRIDGE_ZZZZZZ=x"}, `HANBRIDGE_ZZZZZZ: no such setting (for example, the variable of the key`},
		{"variable for a whole section", "", []string{"HANBRIDGE_MQTT=x"}, `HANBRIDGE_MQTT: no such setting`},
		{"unknown preset of the MQTT output", "mqtt: {publish: often}\n", nil, `config.yaml:1: mqtt.publish: "often" is not one of realtime, balanced, frugal`},
		{"empty preset of the MQTT output", "mqtt: {publish: }\n", nil, `config.yaml:1: mqtt.publish: has no value`},
		{"file is too large", strings.Repeat("# long\n", maxConfigFile<<10/7+1), nil, "config.yaml: larger than 4096 KiB: is it the right file?"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := writeTemp(t, tt.text)
			cfg, err := Load(file, tt.env)
			if err == nil {
				t.Fatalf("Load: no error, want %q", tt.want)
			}
			got := strings.ReplaceAll(err.Error(), filepath.Dir(file)+"/", "")
			if !strings.HasPrefix(got, tt.want) || strings.Contains(got, "\n") {
				t.Errorf("error:\n got %s\nwant %s", got, tt.want)
			}
			if strings.Contains(got, "hunter2") {
				t.Error("a secret is printed")
			}
			if diff := cmp.Diff(Config{}, cfg); diff != "" {
				t.Errorf("the configuration returned with the error is not empty (-want +got):\n%s", diff)
			}
		})
	}
}

// TestConfigWrongAddress tests that other problems are reported besides a wrong broker address.
func TestConfigWrongAddress(t *testing.T) {
	_, err := Load(writeTemp(t, "mqtt:\n  url: nonsense\n  insecure_skip_verify: true\n"), nil)
	checkErr(t, err, "config.yaml:2: mqtt.url: has no scheme")
	checkErr(t, err, "config.yaml:3: mqtt.insecure_skip_verify: has no effect without TLS")
}

// TestConfigFileMissing tests the error for a configuration file that cannot be read.
func TestConfigFileMissing(t *testing.T) {
	dir := t.TempDir()
	tests := []struct{ name, file, want string }{
		{"no such file", filepath.Join(dir, "none.yaml"), "none.yaml: no such file: copy config.example.yaml"},
		{"directory", dir, ": is a directory (container engines make a directory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(tt.file, nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error: got %v, want one that contains %q", err, tt.want)
			}
		})
	}
}

// TestConfigPasswordFile tests that only line ends are removed from the password in a file.
func TestConfigPasswordFile(t *testing.T) {
	env := []string{"HANBRIDGE_MQTT_USERNAME=a", "HANBRIDGE_MQTT_PASSWORD_FILE=" + writeTemp(t, " hunter 2 \r\n")}
	cfg, err := Load("", env)
	if got, want := string(cfg.MQTT.Password), " hunter 2 "; err != nil || got != want {
		t.Errorf("password: got %q, %v, want %q", got, err, want)
	}
}

// TestConfigBrokerAddress tests that valid broker addresses are completed, and that other addresses are refused.
func TestConfigBrokerAddress(t *testing.T) {
	tests := []struct{ in, want, wantErr string }{
		{in: "mqtt://localhost", want: "mqtt://localhost:1883"},
		{in: "mqtt://localhost:", want: "mqtt://localhost:1883"},
		{in: "mqtt://localhost:1884/", want: "mqtt://localhost:1884"},
		{in: "mqtts://[fd00::1]", want: "mqtts://[fd00::1]:8883"},
		{in: "ws://localhost:9001", want: "ws://localhost:9001/mqtt"},
		{in: "ws://localhost:9001/", want: "ws://localhost:9001/"},
		{in: "wss://a/b?c=d", want: "wss://a:443/b?c=d"},
		{in: "embedded", want: "embedded"},
		{in: "embeded", wantErr: `(did you mean "embedded"?)`},
		{in: "192.168.1.2:1883", wantErr: `has no scheme: write mqtt:// in front of the host`},
		{in: "tcp://a", wantErr: `use mqtt://`},
		{in: "ssl://a", wantErr: `use mqtts://`},
		{in: "amqp://a", wantErr: `is not the address of a broker`},
		{in: "mqtt://", wantErr: `has no host`},
		{in: "mqtt://:1883", wantErr: `has no host`},
		{in: "mqtt://a:0", wantErr: `"0" is not a port`},
		{in: "mqtt://a:99999", wantErr: `"99999" is not a port`},
		{in: "mqtt://a/topic", wantErr: `remove what follows after the port`},
		{in: "mqtt://a%zz", wantErr: `is not an address: write mqtt://HOST:PORT`},
		{in: "mqtt://a b", wantErr: `has a space in it`},
		{in: "mqtt://anna:hunter2@a", wantErr: `write user name and password as mqtt.username and mqtt.password`},
		{in: "mqtt://anna:hunter2%zz@a", wantErr: `write user name and password as mqtt.username and mqtt.password`},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			cfg, err := Load("", []string{"HANBRIDGE_MQTT_URL=" + tt.in})
			if got := cfg.MQTT.URL; got != tt.want {
				t.Errorf("url: got %q, want %q", got, tt.want)
			}
			checkErr(t, err, tt.wantErr)
		})
	}
}

// TestConfigPort tests that valid ports are read, and that Port.String returns a text that gives the same port.
func TestConfigPort(t *testing.T) {
	tests := []struct {
		in, wantErr string
		want        Port
	}{
		{in: "", wantErr: "is not a port"},
		{in: "auto", want: Port{Kind: AutoPort}},
		{in: "/dev/ttyUSB0", want: Port{SerialPort, "/dev/ttyUSB0"}},
		{in: "tcp://a:8088", want: Port{TCPPort, "a:8088"}},
		{in: "replay:/a/b", want: Port{ReplayPort, "/a/b"}},
		{in: "replay:///a/b", want: Port{ReplayPort, "/a/b"}},
		{in: "replay:a/b", want: Port{ReplayPort, "a/b"}},
		{in: "ttyUSB0", wantErr: `did you mean "/dev/ttyUSB0"?`},
		{in: "tcp://a", wantErr: "is not a host and a port"},
		{in: "tcp://a:b", wantErr: `"b" is not a port`},
		{in: "tcp://a:1/x", wantErr: "is not a host and a port"},
		{in: "file:///a/b", wantErr: `write "replay:/a/b"`},
		{in: "replay:", wantErr: "is not a port"},
		{in: "replay://", wantErr: "is not a port"},
		{in: "COM3", wantErr: "is not a port"},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			var got Port
			err := got.UnmarshalText([]byte(tt.in))
			checkErr(t, err, tt.wantErr)
			if err == nil && got != tt.want {
				t.Errorf("port: got %+v, want %+v", got, tt.want)
			}
			var reread Port
			if err == nil && (reread.UnmarshalText([]byte(got.String())) != nil || reread != got) {
				t.Errorf("port read from the text %q: got %+v, want %+v", got, reread, got)
			}
		})
	}
}

// TestConfigSerial tests that valid line settings are read, and that Serial.String returns the same text, with the parity as a capital.
func TestConfigSerial(t *testing.T) {
	tests := []struct {
		in    string
		want  Serial
		valid bool
	}{
		{"auto", Serial{Auto: true}, true},
		{"115200 8N1", Serial{Line: source.Line{Baud: 115200, DataBits: 8, Parity: 'N', StopBits: 1}}, true},
		{"2400 8e1", Serial{Line: source.Line{Baud: 2400, DataBits: 8, Parity: 'E', StopBits: 1}}, true},
		{"9600 7O2", Serial{Line: source.Line{Baud: 9600, DataBits: 7, Parity: 'O', StopBits: 2}}, true},
		{"2400 8X1", Serial{}, false},
		{"2400 9N1", Serial{}, false},
		{"0 8N1", Serial{}, false},
		{"2400 8N3", Serial{}, false},
		{"2400", Serial{}, false},
		{"", Serial{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			var got Serial
			if err := got.UnmarshalText([]byte(tt.in)); (err == nil) != tt.valid || got != tt.want {
				t.Errorf("serial: got %+v, %v, want %+v, valid: %t", got, err, tt.want, tt.valid)
			}
			if want := strings.Replace(tt.in, "e", "E", 1); tt.valid && got.String() != want {
				t.Errorf("String: got %q, want %q", got, want)
			}
		})
	}
}

// TestRequireBroker tests that a missing broker is an error, and that the embedded broker is no error.
func TestRequireBroker(t *testing.T) {
	cfg := defaultConfig()
	checkErr(t, cfg.RequireBroker(), "HANBRIDGE_MQTT_URL=mqtt://localhost")
	cfg.MQTT.URL = Embedded
	checkErr(t, cfg.RequireBroker(), "")
}

// TestConfigKeepsSecrets tests that no form of printing shows a secret.
func TestConfigKeepsSecrets(t *testing.T) {
	cfg := defaultConfig()
	cfg.MQTT.Password, cfg.Meters[0].Key, cfg.Meters[0].AuthKey = "hunter2", "hunter2", "hunter2"
	asJSON, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	printed := string(asJSON)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t"} {
		printed += fmt.Sprintf(verb+verb, cfg, &cfg.MQTT.Password)
	}
	if strings.Contains(printed, "hunter2") || strings.Contains(printed, fmt.Sprintf("%x", "hunter2")) {
		t.Errorf("a secret is printed: %s", printed)
	}
	if got := strings.Count(printed, "[secret]"); got < 27 { // three secrets in JSON, and three of cfg with each of eight verbs
		t.Errorf("[secret] was printed %d times, want at least 27 times: %s", got, printed)
	}
}

const exampleFile = "../../../../config.example.yaml"

// TestConfigExample tests that the example file sets only defaults and the address of the broker.
func TestConfigExample(t *testing.T) {
	got, err := Load(exampleFile, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := defaultConfig()
	want.MQTT.URL = "mqtt://localhost:1883"
	if diff := cmp.Diff(want, got, configEqual); diff != "" {
		t.Errorf("the example differs from the defaults (-want +got):\n%s", diff)
	}
}

// TestConfigExampleHasEveryKey tests that the example file contains the keys of Config and no other keys. Some are in comments.
func TestConfigExampleHasEveryKey(t *testing.T) {
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(uncommentedExample(t)), &root); err != nil {
		t.Fatal(err)
	}
	want, got := []string{}, paths(root.Content[0], "")
	for _, k := range valueKeys(configKeys) {
		want = append(want, k.path)
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys of the example (-want +got):\n%s", diff)
	}
}

// TestConfigExampleUncommented tests that the example file is valid with its optional lines. Either password or password_file is removed,
// because only one of the two is allowed.
func TestConfigExampleUncommented(t *testing.T) {
	file := writePrivate(t, "00112233445566778899aabbccddeeff\n") // valid as a password and as a key
	certAndKey := writePrivate(t, certificatePEM(t))
	for _, without := range []string{"password", "password_file"} {
		text := regexp.MustCompile(`(?m)^  `+without+`:.*\n`).ReplaceAllString(uncommentedExample(t), "")
		text = regexp.MustCompile(`(_file: ).*`).ReplaceAllString(text, "${1}"+file)
		text = regexp.MustCompile(`(?m)^(  (ca|cert|key)_file: ).*`).ReplaceAllString(text, "${1}"+certAndKey)
		text = strings.Replace(text, "url: mqtt:", "url: mqtts:", 1) // for the certificates
		if _, err := Load(writeTemp(t, text), nil); err != nil {
			t.Errorf("without %s: %v", without, err)
		}
	}
}

// certificatePEM returns a self-signed certificate and its private key as PEM.
func certificatePEM(t *testing.T) string {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, public, private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})) +
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
}

// uncommentedExample returns the example file with its optional lines uncommented.
func uncommentedExample(t *testing.T) string {
	return regexp.MustCompile(`(?m)^# ( +[a-z_*]+: )`).ReplaceAllString(readText(t, exampleFile), "$1")
}

// paths returns the dotted path of each key below a YAML node.
func paths(n *yaml.Node, path string) []string {
	var out []string
	switch n.Kind {
	case yaml.MappingNode:
		if path == "meters.scale" || path == "quantities" { // the names of quantities in a table are no keys
			return []string{path}
		}
		for i := 0; i < len(n.Content); i += 2 {
			out = append(out, paths(n.Content[i+1], joined(path, n.Content[i].Value))...)
		}
	case yaml.SequenceNode:
		for _, item := range n.Content {
			out = append(out, paths(item, path)...)
		}
	default:
		out = []string{path}
	}
	return out
}

// checkErr requires that err contains want. If want is "", err must be nil.
func checkErr(t *testing.T, err error, want string) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Errorf("error: got %v, want none", err)
		}
		return
	}
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error: got %v, want one that contains %q", err, want)
	}
}

// parseQuantities parses the text of HANBRIDGE_QUANTITIES.
func parseQuantities(t *testing.T, text string) throttle.Overrides {
	t.Helper()
	cfg, err := Load("", []string{"HANBRIDGE_QUANTITIES=" + text})
	if err != nil {
		t.Fatal(err)
	}
	return cfg.Quantities
}

// parseScale parses the text of HANBRIDGE_METER_SCALE.
func parseScale(t *testing.T, text string) map[string]obis.Decimal {
	t.Helper()
	cfg, err := Load("", []string{"HANBRIDGE_METER_SCALE=" + text})
	if err != nil {
		t.Fatal(err)
	}
	return cfg.Meters[0].Scale
}

func writeTemp(t testing.TB, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func readText(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
