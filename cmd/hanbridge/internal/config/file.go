package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"regexp"
	"strings"
	"syscall"

	"go.yaml.in/yaml/v3"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
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
	root, err := parseYAML(bytes.NewReader(text))
	if err != nil {
		line, hint := yamlFault(text)
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

// readText reads a small file of text without the mark that some editors put before it.
func readText(name string) ([]byte, error) {
	text, err := readSmall(name)
	if err == nil && safetext.IsUTF16(text) {
		err = fmt.Errorf("%s: is in UTF-16, as > of PowerShell writes it: save it as UTF-8", name)
	}
	return bytes.TrimPrefix(text, []byte("\ufeff")), err
}

// openFault says what to do about a configuration file that cannot be read.
func openFault(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "no such file: copy config.example.yaml to this name and edit it, or go without a file: " +
			"HANBRIDGE_MQTT_URL=mqtt://localhost HANBRIDGE_METER_PORT=/dev/ttyUSB0 hanbridge run"
	case errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf("permission denied: let user id %d alone read it (chown %d, then chmod 600)", os.Getuid(), os.Getuid())
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
	for i := 0; i+1 < len(n.Content) && l.counts(n, path); i += 2 {
		name, value := n.Content[i].Value, n.Content[i+1]
		at := place{l.file, n.Content[i].Line}
		if first, ok := seen[name]; ok {
			l.add(at, joined(path, shownName(name)), "already set in line %d: keep one of the two", first)
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

// mostKeys is more keys than a file can hold that repeats nothing by alias: *x stands for as many as &x has, and a few lines of
// them for millions.
const mostKeys = maxConfigFile / 2

// counts counts a key of n, and reports whether it is to be read. It complains once.
func (l *loader) counts(n *yaml.Node, path string) bool {
	if l.keys++; l.keys == mostKeys+1 {
		l.add(place{l.file, n.Line}, path, "aliases (* and &) repeat too much: write out what they stand for")
	}
	return l.keys <= mostKeys
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
	case k.isPlainText() && tag != "!!str" && k.maySecret():
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
