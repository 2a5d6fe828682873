package config

import (
	"bytes"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
)

// A loader gathers the problems of one configuration, and where its keys stand.
type loader struct {
	file    string
	places  map[string]place // by key path, with indices: "meters[0].port"
	secrets bool             // the file holds one
	found   Problems
}

// readFile returns the settings of the file: maps of values, and lists of maps. It notes the place of each.
func (l *loader) readFile() map[string]any {
	if l.file == "" {
		return nil
	}
	text, err := readSmall(l.file)
	if err != nil {
		l.add(place{name: l.file}, "", "%s", fileFault(err, "copy config.example.yaml to this name and edit it, or go without a file: "+
			"HANBRIDGE_MQTT_URL=mqtt://localhost HANBRIDGE_METER_PORT=/dev/ttyUSB0 hanbridge run"))
		return nil
	}
	root, err := parseYAML(bytes.NewReader(text))
	if err != nil {
		line, hint := yamlFault(text)
		l.add(place{name: l.file, line: line}, "", "not valid YAML: %s", hint)
		return nil
	}
	return l.section(root, configKeys, place{name: l.file}, "")
}

// section reads the mapping n, which is written at a place and whose keys can be keys.
func (l *loader) section(n *yaml.Node, keys []key, at place, path string) map[string]any {
	const wanted = "want lines of \"key: value\" here (is the space after a colon missing?)"
	return l.mapping(n, at, path, wanted, func(name string, n *yaml.Node, at place) any {
		i := slices.Index(names(keys), name)
		if i < 0 {
			l.addUnknown(name, keys, at, path)
			return nil
		}
		return l.value(n, keys[i], at, joined(path, name))
	})
}

// mapping returns what read makes of each key of the mapping n, but for those that are there already. Of nothing it makes nothing.
func (l *loader) mapping(n *yaml.Node, at place, path, wanted string, read func(name string, n *yaml.Node, at place) any) map[string]any {
	out, seen := map[string]any{}, map[string]int{}
	if !isNull(n) && n.Kind != yaml.MappingNode {
		l.add(at.on(n.Line), path, "%s", wanted)
		return out
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		at := at.on(n.Content[i].Line)
		first, again := seen[name]
		switch {
		case again && first == 0: // in a variable
			l.add(at, joined(path, shownName(name)), "already set: keep one of the two")
		case again:
			l.add(at, joined(path, shownName(name)), "already set in line %d: keep one of the two", first)
		default:
			seen[name] = at.line
			if value := read(name, n.Content[i+1], at); value != nil {
				out[name] = value
			}
		}
	}
	return out
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

// shownName returns a key as it may be shown. Of "password:x" and "password=x" only the part before the sign is: the rest may be a secret.
func shownName(name string) string {
	name = keyName.FindString(name)
	if name == "" || safetext.LooksLikeKey(name) {
		return safetext.Redacted
	}
	return name
}

// value reads n as what k holds: a value of its type, a map or a list. It returns nil where that is not sound.
func (l *loader) value(n *yaml.Node, k key, at place, path string) any {
	l.places[path] = at
	switch {
	case k.isList():
		return l.list(n, k, at, path)
	case k.isTable():
		return l.table(n, k, at, path)
	case len(k.keys) > 0:
		return l.section(n, k.keys, at, path)
	}
	if fault := k.mistyped(n); fault != "" {
		l.add(at, path, "%s", fault)
		return nil
	}
	l.secrets = l.secrets || k.typ == reflect.TypeFor[Secret]() && at.line > 0
	value, err := k.parse(n.Value)
	if err != nil {
		l.add(at, path, "%s", err)
		return nil
	}
	return value
}

func (l *loader) list(n *yaml.Node, k key, at place, path string) any {
	if !isNull(n) && n.Kind != yaml.SequenceNode {
		l.add(at.on(n.Line), path, "want a list: begin each of its %s with \"- \"", k.name)
		return nil
	}
	var out []any
	for i, item := range n.Content {
		at, path := at.on(item.Line), fmt.Sprintf("%s[%d]", path, i)
		l.places[path] = at
		out = append(out, l.section(item, k.keys, at, path))
	}
	return out
}

// mistyped says why n cannot be a value of k, or nothing. A number that should be text is refused, because YAML has changed it already:
// 0012345 is octal.
func (k key) mistyped(n *yaml.Node) string {
	tag := n.ShortTag()
	switch {
	case tag == "!secret":
		return "!secret is known to Home Assistant alone: write the value, or use a file or an environment variable"
	case n.Kind == yaml.AliasNode || n.Anchor != "" || !strings.HasPrefix(tag, "!!"):
		return "a value that begins with !, & or * must be put in quotes"
	case n.Kind != yaml.ScalarNode:
		return "want one value, not a list or keys below it"
	case tag == "!!null":
		return "has no value: write one after the colon, or take the line out"
	case k.typ.Kind() == reflect.String && len(k.oneOf) == 0 && tag != "!!str":
		return "without quotes YAML reads this as a number, a date, or yes or no: put quotes around it"
	}
	return ""
}

func isNull(n *yaml.Node) bool { return n.Kind == 0 || n.ShortTag() == "!!null" }
