package config

import (
	"fmt"
	"strings"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
)

// guessVariable returns a hint for a HANBRIDGE_ variable that does not exist.
func guessVariable(name string) string {
	const prefix = "HANBRIDGE_"
	name = strings.TrimPrefix(name, prefix)
	var variables []string
	for _, k := range values(configKeys) {
		variable := strings.TrimPrefix(k.env, prefix)
		if strings.HasSuffix(variable, "_"+name) {
			return fmt.Sprintf(" (did you mean %q?)", k.env)
		}
		variables = append(variables, variable)
	}
	if best := cli.Nearest(name, variables); best != "" {
		return fmt.Sprintf(" (did you mean %q?)", prefix+best)
	}
	return " (a key of config.example.yaml makes a variable thus: mqtt.url, HANBRIDGE_MQTT_URL)"
}

// whereIs returns a hint for a key that does not exist in the section of keys:
// the nearest of them, else the section where it does exist, else all of them.
func whereIs(name string, keys []key) string {
	if hint := cli.DidYouMean(name, names(keys)); hint != "" {
		return hint
	}
	for _, k := range values(configKeys) {
		if k.name == name {
			return fmt.Sprintf(" (did you mean %q?)", k.path)
		}
	}
	return " (known here: " + strings.Join(names(keys), ", ") + ")"
}
