package config

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
)

// readFile returns the settings of the file as nested maps of texts, and notes the place of each.
func (l *loader) readFile() map[string]any {
	if l.file == "" {
		return map[string]any{}
	}
	text, err := readSmall(l.file)
	if err != nil {
		l.add(place{name: l.file}, "", "%s", openFault(err))
		return map[string]any{}
	}
	root, err := parseYAML(bytes.NewReader(text))
	if err != nil {
		line, hint := yamlFault(text)
		l.add(place{name: l.file, line: line}, "", "not valid YAML: %s", hint)
		return map[string]any{}
	}
	return l.section(root, configKeys, place{name: l.file}, "")
}

// section reads the mapping n, which is written at a place and whose keys can be keys.
func (l *loader) section(n *yaml.Node, keys []key, at place, path string) map[string]any {
	out := map[string]any{}
	n = target(n)
	if isNull(n) {
		return out
	}
	if n.Kind != yaml.MappingNode {
		l.add(at.on(n.Line), path, "want lines of \"key: value\" here (is the space after a colon missing?)")
		return out
	}
	l.each(n, at, path, func(name string, n *yaml.Node, at place) {
		k := keyNamed(keys, name)
		if k.name == "" {
			l.unknown(name, keys, at, path)
		} else if value := l.value(n, k, at, joined(path, name)); value != nil {
			out[name] = value
		}
	})
	return out
}

// each calls read for each key of the mapping n, but for those that are there already.
func (l *loader) each(n *yaml.Node, at place, path string, read func(name string, n *yaml.Node, at place)) {
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content) && l.counts(n, path); i += 2 {
		name := n.Content[i].Value
		at := at.on(n.Content[i].Line)
		if first, ok := seen[name]; ok {
			l.add(at, joined(path, shownName(name)), "already set%s: keep one of the two", inLine(first))
			continue
		}
		seen[name] = at.line
		read(name, target(n.Content[i+1]), at)
	}
}

func inLine(line int) string {
	if line == 0 {
		return "" // of a variable
	}
	return fmt.Sprintf(" in line %d", line)
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

// value reads n as what k holds: a text, a map or a list. It returns nil where that is not sound.
func (l *loader) value(n *yaml.Node, k key, at place, path string) any {
	l.places[path] = at
	switch {
	case k.isList():
		return l.list(n, k, path)
	case k.isTable():
		return l.table(n, k, at, path)
	case len(k.keys) > 0:
		return l.section(n, k.keys, at, path)
	}
	if fault := k.mistyped(n); fault != "" {
		l.add(at, path, "%s", fault)
		return nil
	}
	text := n.Value
	if slices.Contains(k.oneOf, "true") {
		text = strings.ToLower(text)
	}
	if len(k.oneOf) > 0 && !slices.Contains(k.oneOf, text) {
		choice := "one of " + strings.Join(k.oneOf, ", ")
		if len(k.oneOf) == 2 && k.oneOf[0] == "true" {
			choice = "true or false"
		}
		l.add(at, path, "%q is not %s%s", n.Value, choice, cli.DidYouMean(text, k.oneOf))
		return nil
	}
	return text
}

func (l *loader) list(n *yaml.Node, k key, path string) any {
	if isNull(n) {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		l.add(place{name: l.file, line: n.Line}, path, "want a list: begin each of its %s with \"- \"", k.name)
		return nil
	}
	var out []any
	for i, item := range n.Content {
		at, path := place{name: l.file, line: item.Line}, fmt.Sprintf("%s[%d]", path, i)
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
	case k.isYAMLValue() && n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
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
