package main

import (
	"os"
	"strings"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
)

// starts is the command that starts the bridge with the configuration that was looked at.
func (o doctorOrder) starts() string {
	if o.config == "" || o.config == config.Places[0] || o.config == config.Found("") {
		return "hanbridge run"
	}
	return "hanbridge run --config " + o.config
}

// writes is the command that does the same once more and writes the configuration. It holds no key.
func (o doctorOrder) writes() string {
	words := []string{"hanbridge doctor"}
	for _, w := range []struct{ flag, value string }{{"", o.port}, {"--key-file ", o.keys.File}, {"--config ", o.config}} {
		if w.value != "" {
			words = append(words, w.flag+w.value)
		}
	}
	if o.keys.Key != "" {
		words = append(words, "--key HEX")
	}
	if o.keys.AuthKey != "" {
		words = append(words, "--auth-key HEX")
	}
	words = append(words, "--write")
	if _, err := os.Stat(o.target()); err == nil {
		words = append(words, "--force")
	}
	return strings.Join(words, " ")
}
