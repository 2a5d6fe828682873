package config

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// readEnviron reads the HANBRIDGE_ variables among environ. It returns their
// values by key path; those of a meter it puts into settings, where the list of
// meters is. An empty variable counts as not set, because compose files make
// such of an unset ${NAME}.
func (l *loader) readEnviron(environ []string, settings map[string]any) map[string]any {
	overlay := map[string]any{}
	known := values(configKeys)
	for _, entry := range slices.Sorted(slices.Values(environ)) {
		name, text, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, "HANBRIDGE_") {
			continue
		}
		i := slices.IndexFunc(known, func(k key) bool { return k.env == name })
		if i < 0 {
			l.add(place{name: name}, "", "no such setting%s", guessVariable(name))
			continue
		}
		if text != "" {
			l.readVariable(known[i], text, settings, overlay)
		}
	}
	return overlay
}

// readVariable puts the value of k's variable where it belongs.
func (l *loader) readVariable(k key, text string, settings, overlay map[string]any) {
	at, n := place{name: k.env, key: k.path}, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	if !k.inList() {
		switch value := l.value(n, k, at, k.path); {
		case value == nil:
		case k.isTable():
			settings[k.path] = value // it replaces that of the file, where viper would merge the two
		default:
			overlay[k.path] = value
		}
		return
	}
	path := "meters[0]." + k.name
	at.key = path
	list, _ := settings["meters"].([]any)
	if len(list) > 1 {
		l.add(at, path, "%s holds %d meters, and a variable cannot say which one it means: write %s there",
			l.file, len(list), k.name)
		return
	}
	if len(list) == 0 {
		list = []any{map[string]any{}}
		settings["meters"] = list
	}
	if value := l.value(n, k, at, path); value != nil {
		list[0].(map[string]any)[k.name] = value
	}
}
