package config

import (
	"slices"
	"strings"
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
			l.take(known[i], text, settings, overlay)
		}
	}
	return overlay
}

// take puts the value of k's variable where it belongs.
func (l *loader) take(k key, text string, settings, overlay map[string]any) {
	at := place{name: k.env}
	_, inList := strings.CutPrefix(k.path, "meters.")
	path := k.path
	if inList {
		path = "meters[0]." + k.name
	}
	value, err := k.value(text)
	if err != nil {
		l.add(at, path, "%s", err)
		return
	}
	if !inList {
		l.places[path], overlay[path] = at, value
		return
	}
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
	list[0].(map[string]any)[k.name] = value
	l.places[path] = at
}
