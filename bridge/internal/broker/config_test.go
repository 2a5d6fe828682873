package broker_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
)

func TestValidate(t *testing.T) {
	dir := t.TempDir()
	empty, missing := filepath.Join(dir, "empty.pem"), filepath.Join(dir, "missing.pem")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		config    broker.Config
		key, want string // both "" if all is well
	}{
		"mqtt":                {broker.Config{URL: "mqtt://localhost"}, "", ""},
		"wss with a path":     {broker.Config{URL: "wss://localhost/broker/ws"}, "", ""},
		"IPv6":                {broker.Config{URL: "mqtt://[::1]:1884/"}, "", ""},
		"nothing":             {broker.Config{}, "url", "mqtt://localhost:1883"},
		"no scheme":           {broker.Config{URL: "localhost:1883"}, "url", "mqtt://localhost:1883"},
		"another scheme":      {broker.Config{URL: "http://localhost"}, "url", "mqtts://"},
		"a path":              {broker.Config{URL: "mqtt://localhost/base"}, "url", "after the port"},
		"# in password":       {broker.Config{URL: "mqtt://me:s3cret#1@localhost"}, "url", "mqtt.password"},
		"# after digits":      {broker.Config{URL: "mqtt://me:12#s3cret@localhost"}, "url", "mqtt.password"},
		"/ in password":       {broker.Config{URL: "mqtt://me:s3cret/1@localhost"}, "url", "mqtt.password"},
		"% in password":       {broker.Config{URL: "mqtt://me:s3cret%@localhost"}, "url", "mqtt.password"},
		"two users":           {broker.Config{URL: "mqtt://me:s3cret@localhost", Username: "you"}, "url", "mqtt.username"},
		"password alone":      {broker.Config{URL: "mqtt://localhost", Password: "s3cret"}, "username", "missing"},
		"CA without TLS":      {broker.Config{URL: "mqtt://localhost", CAFile: empty}, "ca_file", "not encrypted"},
		"CA missing":          {broker.Config{URL: "mqtts://localhost", CAFile: missing}, "ca_file", "no such file"},
		"CA empty":            {broker.Config{URL: "mqtts://localhost", CAFile: empty}, "ca_file", "no certificate"},
		"certificate alone":   {broker.Config{URL: "wss://localhost", CertFile: empty}, "key_file", "missing"},
		"key alone":           {broker.Config{URL: "wss://localhost", KeyFile: empty}, "cert_file", "missing"},
		"key missing":         {broker.Config{URL: "wss://localhost", CertFile: empty, KeyFile: missing}, "key_file", "no such file"},
		"certificate is none": {broker.Config{URL: "wss://localhost", CertFile: empty, KeyFile: empty}, "cert_file", "not a certificate"},
		"will to a wildcard":  {broker.Config{URL: "mqtt://localhost", Will: broker.Message{Topic: "+/status"}}, "base_topic", "topic"},
	} {
		t.Run(name, func(t *testing.T) {
			err := tc.config.Validate()
			if tc.key == "" {
				if err != nil {
					t.Errorf("got %v, want no error", err)
				}
				return
			}
			var wrong *broker.ConfigError
			if !errors.As(err, &wrong) || wrong.Key != tc.key || !broker.Permanent(err) {
				t.Fatalf("got %v, want a ConfigError of %s", err, tc.key)
			}
			refuses(t, err, tc.want)
		})
	}
}
