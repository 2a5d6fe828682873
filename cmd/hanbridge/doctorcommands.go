package main

import (
	"os"
	"strings"
)

// starts is the command that starts the bridge with the configuration that was looked at.
func (o doctorOrder) starts() string {
	if o.config == "" || o.config == configPlaces[0] || o.config == foundConfig("") {
		return "hanbridge run"
	}
	return "hanbridge run --config " + o.config
}

// writes is the command that does the same once more and writes the configuration. It holds no key.
func (o doctorOrder) writes() string {
	words := []string{"hanbridge doctor"}
	for _, w := range []struct{ flag, value string }{{"", o.port}, {"--key-file ", o.keys.file}, {"--config ", o.config}} {
		if w.value != "" {
			words = append(words, w.flag+w.value)
		}
	}
	if o.keys.key != "" {
		words = append(words, "--key HEX")
	}
	if o.keys.authKey != "" {
		words = append(words, "--auth-key HEX")
	}
	words = append(words, "--write")
	if _, err := os.Stat(o.target()); err == nil {
		words = append(words, "--force")
	}
	return strings.Join(words, " ")
}
