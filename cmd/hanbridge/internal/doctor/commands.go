package doctor

import (
	"os"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
)

// Order is what `doctor` is asked for.
type Order struct {
	Port, Config, Serial string
	Keys                 config.KeyFlags
	Dwell                time.Duration
	Write, Force, JSON   bool
}

// starts is the command that starts the bridge with the configuration that was looked at.
func (o Order) starts() string {
	if o.Config == "" || o.Config == config.Places[0] || o.Config == config.Found("") {
		return "hanbridge run"
	}
	return "hanbridge run --config " + o.Config
}

// writes is the command that does the same once more and writes the configuration. It holds no key.
func (o Order) writes() string {
	words := []string{"hanbridge doctor"}
	for _, w := range []struct{ flag, value string }{{"", o.Port}, {"--key-file ", o.Keys.File}, {"--config ", o.Config}} {
		if w.value != "" {
			words = append(words, w.flag+w.value)
		}
	}
	if o.Keys.Key != "" {
		words = append(words, "--key HEX")
	}
	if o.Keys.AuthKey != "" {
		words = append(words, "--auth-key HEX")
	}
	words = append(words, "--write")
	if _, err := os.Stat(o.target()); err == nil {
		words = append(words, "--force")
	}
	return strings.Join(words, " ")
}
