package config

import (
	"os"
	"strings"
	"testing"
)

// TestConfigHidesSecrets tests that an error does not show a secret, although the user has written the secret where another value belongs.
func TestConfigHidesSecrets(t *testing.T) {
	const halfKey = "0011223344556677"
	// text is a configuration. The error must contain want, and must not contain secret.
	tests := []struct{ name, text, secret, want string }{
		{"a key as key_file", "meters:\n  - key_file: \"" + aKey + "\"\n", aKey, "meters[0].key_file: no file has this name (the name is not shown"},
		{"a key without its first digit as key_file", "meters:\n  - key_file: \"" + aKey[1:] + "\"\n", aKey[1:], "meters[0].key_file: "},
		{"a misspelt key as key_file", "meters:\n  - key_file: \"o" + aKey[1:] + "\"\n", aKey[1:], "write the path of a file that contains the key"},
		{"a key in groups as key_file", "meters:\n  - key_file: 00 11 22 33 44 55 66 77 88 99 aa bb cc dd ee ff\n", "44 55", "write the path of a file that contains the key"},
		{"a key without quotes as key_file", "meters:\n  - key_file: 12345678901234567890123456789012\n", "12345678", "put quotes around it"},
		{"a key as the id", "meters:\n  - id: \"" + strings.ToUpper(aKey) + "\"\n", "223344", "cannot be part of a topic"},
		{"a key as the port", "meters:\n  - port: \"" + aKey + "\"\n", "223344", "is not a port"},
		{"a key as the name of a setting", aKey + ": 1\n", "223344", "no such key"},
		{"half a key as key_file", "meters:\n  - key_file: \"" + halfKey + "\"\n", halfKey, "write the path of a file that contains the key"},
		{"a password as password_file", "mqtt:\n  username: a\n  password_file: hunter2\n", "hunter2", "write the path of a file that contains the password"},
		{"a password with a slash as password_file", "mqtt:\n  username: a\n  password_file: hun/ter2\n", "ter2", "write the path of a file"},
		{"a password that begins with a slash as password_file", "mqtt:\n  username: a\n  password_file: /hunter2\n", "hunter2", "write the path of a file"},
		{"a number as password_file", "mqtt:\n  username: a\n  password_file: 246813579\n", "246813579", "put quotes around it"},
		{"a password as the address", "mqtt:\n  url: hunter2\n", "hunter2", "has no scheme"},
		{"a password in the address", "mqtt:\n  url: mqtt://anna:hunter2@a\n", "hunter2", "mqtt.username and mqtt.password"},
		{"a password in an incomplete address", "mqtt:\n  url: mqtt://anna:hunter2\n", "hunter2", "write mqtt://HOST:PORT"},
		{"a token after the address", "mqtt:\n  url: mqtt://a/hunter2\n", "hunter2", "remove what follows after the port"},
		{"a token as the address", "mqtt:\n  url: eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln\n", "eyJ", "has no scheme"},
		{"a password in the address of a reader", "meters:\n  - port: tcp://anna:hunter2@a:1\n", "hunter2", "is not a host and a port"},
		{"a password in mqtt.listen", "mqtt:\n  url: embedded\n  listen: anna:hunter2@a:1\n", "hunter2", "is not a host and a port"},
		{"a private key as mqtt.key_file", "mqtt:\n  url: mqtts://a\n  cert_file: x.crt\n  key_file: \"-----BEGIN PRIVATE KEY-----\\nMIIE\"\n", "MIIE", "write the path of a file that contains the client's private key as PEM"},
		{"an = in place of the colon, in braces", "mqtt: { password=hunter2 }\n", "hunter2", "no such key"},
		{"an open quote", "mqtt:\n  password: \"hunter2\n", "hunter2", "a quote is not closed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(writeTemp(t, tt.text), nil)
			checkErr(t, err, tt.want)
			if err != nil && strings.Contains(err.Error(), tt.secret) {
				t.Errorf("a secret is shown: %v", err)
			}
		})
	}
}

// TestConfigOpenFiles tests the warnings about secrets in files that every user can read, and about an embedded broker without a password.
func TestConfigOpenFiles(t *testing.T) {
	secret := writePrivate(t, "hunter2\n")
	tests := []struct {
		name, text string
		mode       os.FileMode
		want       string // "" for no warning
	}{
		{"a password that every user can read", "mqtt: {username: a, password: \"b\"}\n", 0o644, "every user of this machine"},
		{"a key that every user can change", "meters: [{key: \"" + aKey + "\"}]\n", 0o602, "every user of this machine"},
		{"a password that the group of the file can read", "mqtt: {username: a, password: \"b\"}\n", 0o640, ""},
		{"a password that only the owner of the file can read", "mqtt: {username: a, password: \"b\"}\n", 0o600, ""},
		{"no secret", "mqtt: {url: mqtt://a}\n", 0o644, ""},
		{"the password in a separate file", "mqtt: {username: a, password_file: " + secret + "}\n", 0o644, ""},
		{"an embedded broker for every host", "mqtt: {url: embedded, listen: \"0.0.0.0:1883\"}\n", 0o600, "without a password"},
		{"an embedded broker for every host, over IPv6", "mqtt: {url: embedded, listen: \"[::]:1883\"}\n", 0o600, "without a password"},
		{"an embedded broker with a password", "mqtt: {url: embedded, listen: \"0.0.0.0:1883\", username: a, password: \"b\"}\n", 0o600, ""},
		{"an embedded broker for this machine", "mqtt: {url: embedded, listen: \"localhost:1883\"}\n", 0o600, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := writeTemp(t, tt.text)
			if err := os.Chmod(file, tt.mode); err != nil {
				t.Fatal(err)
			}
			cfg, err := Load(file, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, w := range cfg.Warnings(file) {
				got += w.Source + ": " + w.Message + "\n"
			}
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("warnings: got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestConfigByteOrderMarks tests that files with a UTF-8 byte order mark are read, and that files in UTF-16 are refused.
func TestConfigByteOrderMarks(t *testing.T) {
	env := func(text string) []string {
		return []string{"HANBRIDGE_MQTT_USERNAME=a", "HANBRIDGE_MQTT_PASSWORD_FILE=" + writePrivate(t, text)}
	}
	cfg, err := Load(writeTemp(t, "\ufeffmqtt:\n  qos: 0\n"), env("\ufeffhunter2\r\n"))
	if err != nil || string(cfg.MQTT.Password) != "hunter2" || cfg.MQTT.QoS != 0 {
		t.Errorf("got error %v, password %q and qos %d, want the password hunter2 and qos 0", err, string(cfg.MQTT.Password), cfg.MQTT.QoS)
	}
	for _, text := range []string{"\xFF\xFEh\x00", "\xFE\xFF\x00h"} {
		_, err := Load("", env(text))
		checkErr(t, err, "is in UTF-16")
	}
}
