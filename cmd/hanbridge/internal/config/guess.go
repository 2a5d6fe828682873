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

// unknown complains of a key.
func (l *loader) unknown(name string, keys []key, at place, path string) {
	shown := joined(path, shownName(name))
	if strings.Contains(name, ":") {
		l.add(at, shown, "a space is missing after the colon")
		return
	}
	hint := ""
	if len(l.found) < 2*mostProblems { // further ones are counted alone
		hint = whereIs(name, keys)
	}
	l.add(at, shown, "no such key%s", hint)
}

// keyName is what the name of a key may look like.
var keyName = regexp.MustCompile(`^[\w.-]{1,40}`)

// shownName returns a key as it may be shown. Of "password:x" and "password=x" only the part before the sign is: the rest may be
// a secret.
func shownName(name string) string {
	name = keyName.FindString(name)
	if name == "" || safetext.IsKeyLike(name) {
		return safetext.Hidden
	}
	return name
}

// nearQuantities returns a hint for a quantity that does not exist: what it is a slip of, else those that it is a part of.
func nearQuantities(name string) string {
	var all, near []string
	for _, row := range quantity.Rows() {
		all = append(all, row.Name)
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

// nearBeginning returns a hint for a beginning that no quantity has.
func nearBeginning(begin string) string {
	var all []string
	for _, row := range quantity.Rows() {
		for i, r := range row.Name {
			if r == '_' {
				all = append(all, row.Name[:i+1])
			}
		}
	}
	if best := cli.Nearest(begin, all); best != "" {
		return fmt.Sprintf(" (did you mean %s*?)", best)
	}
	return " (hanbridge quantities shows them all)"
}
