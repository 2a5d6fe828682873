package config

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/viper"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
)

// DefaultFiles are the paths of the configuration file that are tried in this order if the user names no file.
var DefaultFiles = []string{"config.yaml", "/etc/hanbridge/config.yaml"}

// FindFile returns named. If named is "", it returns the first of DefaultFiles that exists, or "".
func FindFile(named string) string {
	if named != "" {
		return named
	}
	for _, file := range DefaultFiles {
		if _, err := os.Stat(file); err == nil {
			return file
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

// readEnviron returns the values of the HANBRIDGE_ variables by key path. meterCount is the number of meters in the file. A variable can set
// a key of a meter, such as "meters.port", only if there is at most one meter. An empty variable counts as not set, because a compose file
// with NAME: ${NAME} sets an empty variable if NAME is not set.
func (l *loader) readEnviron(environ []string, meterCount int) map[string]any {
	variables := map[string]any{}
	for _, entry := range slices.Sorted(slices.Values(environ)) {
		name, text, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, variablePrefix) {
			continue
		}
		i := slices.IndexFunc(allKeys, func(k key) bool { return k.variable() == name })
		if i < 0 {
			l.addProblem(location{name: name}, "", "no such setting%s", guessVariable(name))
			continue
		}
		k, path := allKeys[i], allKeys[i].path
		meterName, inMeter := k.inMeter()
		if inMeter {
			path = meterKey(0, meterName)
		}
		at := location{name: name, key: path}
		switch {
		case text == "":
		case inMeter && meterCount > 1:
			l.addProblem(at, path, "%s has %d meters, and this variable works only with a single meter: write %s in the file", l.file, meterCount, meterName)
		default:
			if value := l.value(scalar(text, 0), k, at, path); value != nil {
				variables[k.path] = value
			}
		}
	}
	return variables
}

// guessVariable returns a hint for a HANBRIDGE_ variable that does not exist.
func guessVariable(name string) string {
	name = strings.TrimPrefix(name, variablePrefix)
	var names []string
	for _, k := range allKeys {
		if strings.HasSuffix(k.variable(), "_"+name) { // the name of the section is missing
			return fmt.Sprintf(" (did you mean %q?)", k.variable())
		}
		names = append(names, strings.TrimPrefix(k.variable(), variablePrefix))
	}
	if best := cli.Nearest(name, names); best != "" {
		return fmt.Sprintf(" (did you mean %q?)", variablePrefix+best)
	}
	return " (for example, the variable of the key mqtt.url is HANBRIDGE_MQTT_URL; config.example.yaml has all keys)"
}

// merge returns the configuration. Variables override the settings of the file, and the file overrides the defaults. Each meter is merged
// separately, because viper cannot address the elements of a list.
func (l *loader) merge(file map[string]any, environ []string) (cfg Config) {
	meters, _ := file["meters"].([]any)
	variables := l.readEnviron(environ, len(meters))
	if len(meters) == 0 {
		meters = []any{map[string]any{}} // one meter with defaults
	}
	delete(file, "meters")
	l.mergeKeys(file, variables, false, &cfg)
	cfg.Meters = make([]Meter, len(meters))
	for i, settings := range meters {
		l.mergeKeys(settings.(map[string]any), variables, true, &cfg.Meters[i])
	}
	return cfg
}

// mergeKeys merges the settings of file, the variables and the defaults into out. If ofMeter is true, out is a Meter, and file has the settings
// of a meter. If ofMeter is false, out is a Config, and the keys of meters are ignored.
func (l *loader) mergeKeys(file, variables map[string]any, ofMeter bool, out any) {
	v := viper.New()
	for _, k := range allKeys {
		path, inMeter := k.inMeter()
		if inMeter != ofMeter {
			continue
		}
		if value, err := k.parse(k.defaultText); err == nil && k.defaultText != "" {
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
		l.addProblem(location{}, "", "configuration: %s", err)
	}
}
