package config

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A loader gathers the problems of one configuration, and where its keys stand.
type loader struct {
	file    string
	places  map[string]place // by key path, with indices: "meters[0].port"
	keys    int              // that were read
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
	n = target(n)
	if !isNull(n) && n.Kind != yaml.MappingNode {
		l.add(at.on(n.Line), path, "%s", wanted)
		return out
	}
	for i := 0; i+1 < len(n.Content) && l.counts(n, path); i += 2 {
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
			if value := read(name, target(n.Content[i+1]), at); value != nil {
				out[name] = value
			}
		}
	}
	return out
}

// mostKeys is more keys than a file can hold that repeats nothing by alias: *x stands for as many as &x has, and a few lines of
// them for millions.
const mostKeys = maxConfigFile / 2

// counts counts a key of n, and reports whether it is to be read. It complains once.
func (l *loader) counts(n *yaml.Node, path string) bool {
	if l.keys++; l.keys == mostKeys+1 {
		l.add(place{name: l.file, line: n.Line}, path, "aliases (* and &) repeat too much: write out what they stand for")
	}
	return l.keys <= mostKeys
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
	l.secrets = l.secrets || k.isSecret() && at.line > 0
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

// mistyped says why n cannot be a value of k, or nothing. A number that should be
// text is refused, because YAML has changed it already: 0012345 is octal.
func (k key) mistyped(n *yaml.Node) string {
	tag := n.ShortTag()
	switch {
	case n.Kind != yaml.ScalarNode:
		return "want one value, not a list or keys below it"
	case tag == "!secret":
		return "!secret is known to Home Assistant alone: write the value, or use a file or an environment variable"
	case n.Anchor != "" || !strings.HasPrefix(tag, "!!"):
		return "a value that begins with ! or & must be put in quotes"
	case tag == "!!null":
		return "has no value: write one after the colon, or take the line out"
	case k.isPlainText() && tag != "!!str" && k.maySecret():
		return "is not text to YAML but a " + kindOf(tag) + ": put quotes around it"
	case k.isPlainText() && tag != "!!str":
		return fmt.Sprintf("%s is not text to YAML but a %s: put quotes around it: %q", n.Value, kindOf(tag), n.Value)
	case k.isUnquoted() && n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		return fmt.Sprintf("%q is text: take the quotes away", n.Value)
	}
	return ""
}

func kindOf(tag string) string {
	switch tag {
	case "!!int", "!!float":
		return "number"
	case "!!bool":
		return "yes or no"
	case "!!timestamp":
		return "date"
	}
	return strings.TrimPrefix(tag, "!!")
}

func isNull(n *yaml.Node) bool { return n.Kind == 0 || n.ShortTag() == "!!null" }

// target follows aliases to what they stand for.
func target(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}
