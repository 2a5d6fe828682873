package broker_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
)

// TestValidate tests the error for each invalid setting, and that no error contains a password.
func TestValidate(t *testing.T) {
	dir := t.TempDir()
	empty, missing := filepath.Join(dir, "empty.pem"), filepath.Join(dir, "missing.pem")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		config    broker.Config
		key, want string // the configuration key without "mqtt.", and part of the error; both "" if the configuration is valid
	}{
		"mqtt":                        {broker.Config{URL: "mqtt://localhost"}, "", ""},
		"wss with a path":             {broker.Config{URL: "wss://localhost/broker/ws?a=b"}, "", ""},
		"IPv6":                        {broker.Config{URL: "mqtt://[::1]:1884/"}, "", ""},
		"no URL":                      {broker.Config{}, "url", "mqtt://homeassistant.local"},
		"no scheme":                   {broker.Config{URL: "localhost:1883"}, "url", "write mqtt:// in front"},
		"another scheme":              {broker.Config{URL: "ftp://localhost"}, "url", "mqtts://"},
		"mqtt with a path":            {broker.Config{URL: "mqtt://localhost/base"}, "url", "follows after the port"},
		"user in the URL":             {broker.Config{URL: "mqtt://me@localhost"}, "url", "mqtt.username"},
		"# in password":               {broker.Config{URL: "mqtt://me:s3cret#1@localhost"}, "url", "mqtt.password"},
		"password begins like a port": {broker.Config{URL: "mqtt://me:12#s3cret@localhost"}, "url", "mqtt.password"},
		"/ in password":               {broker.Config{URL: "mqtt://me:s3cret/1@localhost"}, "url", "mqtt.password"},
		"% in password":               {broker.Config{URL: "mqtt://me:s3cret%@localhost"}, "url", "mqtt.password"},
		"password only":               {broker.Config{URL: "mqtt://localhost", Password: "s3cret"}, "password", "without mqtt.username"},
		"CA without TLS":              {broker.Config{URL: "mqtt://localhost", CAFile: empty}, "ca_file", "certificates need TLS"},
		"skip without TLS":            {broker.Config{URL: "ws://localhost", InsecureSkipVerify: true}, "insecure_skip_verify", "has no effect without TLS"},
		"CA file is missing":          {broker.Config{URL: "mqtts://localhost", CAFile: missing}, "ca_file", "no such file"},
		"CA file is empty":            {broker.Config{URL: "mqtts://localhost", CAFile: empty}, "ca_file", "no certificate"},
		"certificate only":            {broker.Config{URL: "wss://localhost", CertFile: empty}, "cert_file", "without mqtt.key_file"},
		"key only":                    {broker.Config{URL: "wss://localhost", KeyFile: empty}, "key_file", "without mqtt.cert_file"},
		"key file is missing":         {broker.Config{URL: "wss://localhost", CertFile: empty, KeyFile: missing}, "key_file", "no such file"},
		"not a certificate":           {broker.Config{URL: "wss://localhost", CertFile: empty, KeyFile: empty}, "cert_file", "not a certificate"},
		"will to a wildcard":          {broker.Config{URL: "mqtt://localhost", Will: broker.Message{Topic: "+/status"}}, "base_topic", "topic"},
	} {
		t.Run(name, func(t *testing.T) {
			err := tc.config.Validate()
			if tc.key == "" {
				if err != nil {
					t.Errorf("got %v, want no error", err)
				}
				return
			}
			var invalid *broker.ConfigError
			if !errors.As(err, &invalid) || invalid.Key != "mqtt."+tc.key || !broker.Permanent(err) {
				t.Fatalf("got %v, want a ConfigError of mqtt.%s", err, tc.key)
			}
			checkRefusal(t, err, tc.want)
		})
	}
}

// TestValidateReportsEveryFault tests that Validate returns an error for each of several faults.
func TestValidateReportsEveryFault(t *testing.T) {
	err := broker.Config{URL: "localhost", Password: "s3cret", CAFile: "/nowhere/ca", CertFile: "/nowhere/cert", KeyFile: "/nowhere/key"}.Validate()
	for _, key := range []string{"url", "password", "ca_file", "cert_file", "key_file"} {
		checkRefusal(t, err, "mqtt."+key+": ")
	}
}

// TestParseURL tests which port and path ParseURL adds.
func TestParseURL(t *testing.T) {
	for text, want := range map[string]string{
		"mqtt://localhost": "mqtt://localhost:1883", "mqtt://localhost:": "mqtt://localhost:1883", "mqtts://[fd00::1]": "mqtts://[fd00::1]:8883",
		"ws://localhost": "ws://localhost:80/mqtt", "wss://a:9001/": "wss://a:9001/", "wss://a/b?c=d": "wss://a:443/b?c=d",
	} {
		if got, err := broker.ParseURL(text); err != nil || got.String() != want {
			t.Errorf("%s: got %v, %v, want %s", text, got, err, want)
		}
	}
}
