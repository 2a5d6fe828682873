package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// guessVariable returns a hint for a HANBRIDGE_ variable that does not exist.
func guessVariable(name string) string {
	name = strings.TrimPrefix(name, variablePrefix)
	var known []string
	for _, k := range values(configKeys) {
		if strings.HasSuffix(k.env, "_"+name) {
			return fmt.Sprintf(" (did you mean %q?)", k.env)
		}
		known = append(known, strings.TrimPrefix(k.env, variablePrefix))
	}
	if best := cli.Nearest(name, known); best != "" {
		return fmt.Sprintf(" (did you mean %q?)", variablePrefix+best)
	}
	return " (a key of config.example.yaml makes a variable thus: mqtt.url, HANBRIDGE_MQTT_URL)"
}

// addUnknown complains of a key that does not exist in the section of keys. It names the nearest of them, else the section where it does
// exist, else all of them.
func (l *loader) addUnknown(name string, keys []key, at place, path string) {
	shown, hint := joined(path, shownName(name)), ""
	elsewhere := slices.IndexFunc(values(configKeys), func(k key) bool { return k.name == name })
	switch {
	case strings.Contains(name, ":"):
		l.add(at, shown, "a space is missing after the colon")
		return
	case len(l.found) > 2*mostProblems: // it will only be counted
	case cli.Nearest(name, names(keys)) != "":
		hint = cli.DidYouMean(name, names(keys))
	case elsewhere >= 0:
		hint = fmt.Sprintf(" (did you mean %q?)", values(configKeys)[elsewhere].path)
	default:
		hint = " (known here: " + strings.Join(names(keys), ", ") + ")"
	}
	l.add(at, shown, "no such key%s", hint)
}

// keyName is what the name of a key may look like.
var keyName = regexp.MustCompile(`^[\w.*-]{1,40}`)

// shownName returns a key as it may be shown. Of "password:x" and "password=x" only the part before the sign is: the rest may be
// a secret.
func shownName(name string) string {
	name = keyName.FindString(name)
	if name == "" || safetext.IsKeyLike(name) {
		return safetext.Hidden
	}
	return name
}

// nearQuantities returns a hint for a name that no quantity has, or, with a * at its end, begins with: what it is a slip of, else those
// that it is a part of.
func nearQuantities(name string) string {
	var all, near []string
	for _, row := range quantity.Rows() {
		all = append(all, row.Name)
		for i, r := range row.Name {
			if r == '_' && strings.HasSuffix(name, "*") {
				all = append(all, row.Name[:i+1]+"*")
			}
		}
		if name != "" && strings.Contains(row.Name, strings.ToLower(name)) && len(near) < 4 {
			near = append(near, row.Name)
		}
	}
	if best := cli.Nearest(name, all); best != "" {
		near = slices.Insert(slices.DeleteFunc(near, func(s string) bool { return s == best }), 0, best)
	}
	if len(near) == 0 {
		return " (hanbridge quantities shows them all)"
	}
	return fmt.Sprintf(" (did you mean %s?)", strings.Join(near, ", "))
}
