package config

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/viper"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
)

// DefaultFiles are where a configuration is looked for when none is named.
var DefaultFiles = []string{"config.yaml", "/etc/hanbridge/config.yaml"}

// FindFile returns the named file, else the first of DefaultFiles that is there, else "".
func FindFile(named string) string {
	if named != "" {
		return named
	}
	for _, place := range DefaultFiles {
		if _, err := os.Stat(place); err == nil {
			return place
		}
	}
	return ""
}

const variablePrefix = "HANBRIDGE_"

// CountVariables returns how many variables of an environment ("NAME=value") configure the program.
func CountVariables(environ []string) (n int) {
	for _, entry := range environ {
		if strings.HasPrefix(entry, variablePrefix) {
			n++
		}
	}
	return n
}

// readEnviron returns the values of the HANBRIDGE_ variables by key path; "meters.port" is the port of the only meter among so many
// of the file. An empty variable counts as not set, because compose files make such of an unset ${NAME}.
func (l *loader) readEnviron(environ []string, meters int) map[string]any {
	set := map[string]any{}
	known := values(configKeys)
	for _, entry := range slices.Sorted(slices.Values(environ)) {
		name, text, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, variablePrefix) {
			continue
		}
		i := slices.IndexFunc(known, func(k key) bool { return k.variable() == name })
		if i < 0 {
			l.add(place{name: name}, "", "no such setting%s", guessVariable(name))
			continue
		}
		k, path := known[i], known[i].path
		of, inMeter := k.inMeter()
		if inMeter {
			path = meterKey(0, of)
		}
		at := place{name: name, key: path}
		switch {
		case text == "":
		case inMeter && meters > 1:
			l.add(at, path, "%s holds %d meters, and a variable cannot say which one it means: write %s there", l.file, meters, of)
		default:
			if value := l.value(scalar(text, 0), k, at, path); value != nil {
				set[k.path] = value
			}
		}
	}
	return set
}

// guessVariable returns a hint for a HANBRIDGE_ variable that does not exist.
func guessVariable(name string) string {
	name = strings.TrimPrefix(name, variablePrefix)
	var known []string
	for _, k := range values(configKeys) {
		if strings.HasSuffix(k.variable(), "_"+name) {
			return fmt.Sprintf(" (did you mean %q?)", k.variable())
		}
		known = append(known, strings.TrimPrefix(k.variable(), variablePrefix))
	}
	if best := cli.Nearest(name, known); best != "" {
		return fmt.Sprintf(" (did you mean %q?)", variablePrefix+best)
	}
	return " (a key of config.example.yaml makes a variable thus: mqtt.url, HANBRIDGE_MQTT_URL)"
}

// merge puts the variables over the settings of the file, and both over the defaults. Viper cannot reach into a list, so each meter is
// merged by itself.
func (l *loader) merge(file map[string]any, environ []string) (cfg Config) {
	meters, _ := file["meters"].([]any)
	variables := l.readEnviron(environ, len(meters))
	if len(meters) == 0 {
		meters = []any{map[string]any{}}
	}
	delete(file, "meters")
	l.mergeKeys(file, variables, false, &cfg)
	cfg.Meters = make([]Meter, len(meters))
	for i, settings := range meters {
		l.mergeKeys(settings.(map[string]any), variables, true, &cfg.Meters[i])
	}
	return cfg
}

// mergeKeys puts the settings of a meter, or all others, into out.
func (l *loader) mergeKeys(file, variables map[string]any, ofMeter bool, out any) {
	v := viper.New()
	for _, k := range values(configKeys) {
		path, inMeter := k.inMeter()
		if inMeter != ofMeter {
			continue
		}
		if value, err := k.parse(k.def); err == nil && k.def != "" {
			v.SetDefault(path, value)
		}
		if value, ok := variables[k.path]; ok {
			v.Set(path, value)
		}
	}
	err := v.MergeConfigMap(file)
	if err == nil {
		err = v.UnmarshalExact(out)
	}
	if err != nil {
		l.add(place{}, "", "configuration: %s", err)
	}
}
