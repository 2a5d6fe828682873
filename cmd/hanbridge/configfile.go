package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"syscall"

	"go.yaml.in/yaml/v3"
)

// maxConfigFile bounds what is read of a configuration or password file, in bytes.
const maxConfigFile = 64 << 10

// readFile returns the settings of the file as nested maps of the values that
// are sound, and notes the place of each.
func (l *loader) readFile() map[string]any {
	if l.file == "" {
		return map[string]any{}
	}
	text, err := readSmall(l.file)
	if err != nil {
		l.add(place{name: l.file}, "", "%s", openFault(err))
		return map[string]any{}
	}
	root, err := parseYAML(text)
	if err != nil {
		line, hint := yamlFault(text, err)
		l.add(place{l.file, line}, "", "not valid YAML: %s", hint)
		return map[string]any{}
	}
	return l.section(root, configKeys, "")
}

func readSmall(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxConfigFile+1))
	if err == nil && len(text) > maxConfigFile {
		err = fmt.Errorf("larger than %d KiB", maxConfigFile>>10)
	}
	return text, err
}

// openFault says what to do about a configuration file that cannot be read.
func openFault(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "no such file: copy config.example.yaml to this name and edit it, or go without a file: " +
			"HANBRIDGE_MQTT_URL=mqtt://localhost HANBRIDGE_METER_PORT=/dev/ttyUSB0 hanbridge run"
	case errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf("permission denied: let user id %d read it (chmod a+r)", os.Getuid())
	case errors.Is(err, syscall.EISDIR):
		return "is a directory (container engines make one where the file to mount is missing: remove it, and put the file there)"
	}
	return strings.TrimPrefix(err.Error(), "read ")
}

// section reads the mapping n, whose keys can be keys.
func (l *loader) section(n *yaml.Node, keys []key, path string) map[string]any {
	out := map[string]any{}
	n = target(n)
	if isNull(n) {
		return out
	}
	if n.Kind != yaml.MappingNode {
		l.add(place{l.file, n.Line}, path, "want lines of \"key: value\" here (is the space after a colon missing?)")
		return out
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i].Value, n.Content[i+1]
		at := place{l.file, n.Content[i].Line}
		if first, ok := seen[name]; ok {
			l.add(at, joined(path, name), "already set in line %d: keep one of the two", first)
			continue
		}
		seen[name] = at.line
		k := keyNamed(keys, name)
		if k.name == "" {
			l.unknown(name, keys, at, path)
			continue
		}
		if v, ok := l.entry(value, k, at, joined(path, name)); ok {
			out[name] = v
		}
	}
	return out
}

// unknown complains of a key. Of "password:x" only the part before the colon is
// shown: the rest may be a secret.
func (l *loader) unknown(name string, keys []key, at place, path string) {
	name, _, colon := strings.Cut(name, ":")
	if colon {
		l.add(at, joined(path, name), "a space is missing after the colon")
		return
	}
	l.add(at, joined(path, name), "no such key%s", whereIs(name, keys))
}

// entry reads n as the value of k, and reports whether it is sound.
func (l *loader) entry(n *yaml.Node, k key, at place, path string) (any, bool) {
	l.places[path] = at
	n = target(n)
	if k.isList() {
		return l.list(n, k, path), true
	}
	if len(k.keys) > 0 {
		return l.section(n, k.keys, path), true
	}
	if k.isTable() && isNull(n) {
		return "", true
	}
	if k.isTable() && n.Kind == yaml.MappingNode {
		return l.table(n, k, path)
	}
	if fault := k.mistyped(n); fault != "" {
		l.add(at, path, "%s", fault)
		return nil, false
	}
	v, err := k.value(n.Value)
	if err != nil {
		l.add(at, path, "%s", err)
	}
	return v, err == nil
}

func (l *loader) list(n *yaml.Node, k key, path string) []any {
	if isNull(n) {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		l.add(place{l.file, n.Line}, path, "want a list: begin each of its %s with \"- \"", k.name)
		return nil
	}
	var out []any
	for i, item := range n.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		l.places[at] = place{l.file, item.Line}
		out = append(out, l.section(item, k.keys, at))
	}
	return out
}

// mistyped says why n cannot be a value of k, or nothing. A number that should be
// text is refused, because YAML has changed it already: 0012345 is octal.
func (k key) mistyped(n *yaml.Node) string {
	tag := n.ShortTag()
	switch {
	case n.Kind != yaml.ScalarNode && k.isRates():
		return "want the names of quantities in the lines below it, without a dash: import_power: { min_interval: 5s }"
	case n.Kind != yaml.ScalarNode && k.isTable():
		return "want a key and its value in each line below it, without a dash: import_energy: 0.1"
	case n.Kind != yaml.ScalarNode:
		return "want one value, not a list or keys below it"
	case tag == "!secret":
		return "!secret is known to Home Assistant alone: write the value, or use a file or an environment variable"
	case n.Anchor != "" || !strings.HasPrefix(tag, "!!"):
		return "a value that begins with ! or & must be put in quotes"
	case tag == "!!null":
		return "has no value: write one after the colon, or take the line out"
	case k.isPlainText() && tag != "!!str" && k.isSecret():
		return "is not text to YAML but a " + kindOf(tag) + ": put quotes around it"
	case k.isPlainText() && tag != "!!str":
		return fmt.Sprintf("%s is not text to YAML but a %s: put quotes around it: %q", n.Value, kindOf(tag), n.Value)
	case k.typ.Kind() != reflect.String && !k.parsesItself() && n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
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

// parseYAML returns the root of the one document in text.
func parseYAML(text []byte) (*yaml.Node, error) {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc, more yaml.Node
	err := dec.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return &yaml.Node{}, nil
	}
	if err != nil {
		return nil, err
	}
	err = dec.Decode(&more)
	if err == nil {
		return nil, errors.New("a second document begins (---): put all into one")
	}
	if !errors.Is(err, io.EOF) {
		return nil, err
	}
	return doc.Content[0], nil
}
