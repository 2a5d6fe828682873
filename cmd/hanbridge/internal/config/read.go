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

// A loader reads one configuration. It collects the problems and the location of each setting.
type loader struct {
	file      string
	locations map[string]location // by key path, with indices: "meters[0].port"
	problems  Problems
	// secretsInFile is true if the file contains a password or an encryption key.
	secretsInFile bool
}

// The limits of a configuration file: its size in KiB, and the length of the list meters. The settings of maxMeters meters fit into the file.
const maxConfigFile, maxMeters = 4096, 10000

// readFile returns the settings of the file by key. A section is a map, and a list of sections is a slice of maps.
func (l *loader) readFile() map[string]any {
	if l.file == "" {
		return nil
	}
	text, err := readSmallFile(l.file, maxConfigFile)
	if err != nil {
		l.addProblem(location{name: l.file}, "", "%s", fileFault(err, "copy config.example.yaml to this name and edit it, or go without a file: "+
			"HANBRIDGE_MQTT_URL=mqtt://localhost HANBRIDGE_METER_PORT=/dev/ttyUSB0 hanbridge run"))
		return nil
	}
	root, err := parseYAML(bytes.NewReader(text))
	if err != nil {
		line, hint := yamlFault(text)
		l.addProblem(location{name: l.file, line: line}, "", "not valid YAML: %s", hint)
		return nil
	}
	return l.section(root, configKeys, location{name: l.file}, "")
}

// section returns the settings of the section that n contains. keys are the keys that the section can have. at and path
// are the location and the key path of the section.
func (l *loader) section(n *yaml.Node, keys []key, at location, path string) map[string]any {
	const wrongKind = "want lines of \"key: value\" here (is the space after a colon missing?)"
	return l.mapping(n, at, path, wrongKind, func(name string, n *yaml.Node, at location) any {
		i := slices.IndexFunc(keys, func(k key) bool { return k.name == name })
		if i < 0 {
			l.addUnknown(name, keys, at, path)
			return nil
		}
		return l.value(n, keys[i], at, joined(path, name))
	})
}

// mapping calls read for each key of the mapping n, and returns the results by key. It omits results that are nil. A repeated key is a
// problem. If n is neither a mapping nor empty, mapping adds a problem with the text wrongKind.
func (l *loader) mapping(n *yaml.Node, at location, path, wrongKind string, read func(name string, n *yaml.Node, at location) any) map[string]any {
	out, firstLine := map[string]any{}, map[string]int{} // firstLine is the line of each key
	if !isNull(n) && n.Kind != yaml.MappingNode {
		l.addProblem(at.on(n.Line), path, "%s", wrongKind)
		return out
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		at := at.on(n.Content[i].Line)
		first, repeated := firstLine[name]
		switch {
		case repeated && first == 0: // the mapping is the text of an environment variable (see table), which has no lines
			l.addProblem(at, joined(path, shownName(name)), "already set: keep one of the two")
		case repeated:
			l.addProblem(at, joined(path, shownName(name)), "already set in line %d: keep one of the two", first)
		default:
			firstLine[name] = at.line
			if value := read(name, n.Content[i+1], at); value != nil {
				out[name] = value
			}
		}
	}
	return out
}

// addUnknown adds the problem that a section has no key of this name. keys are the keys of the section. The text has the first of these hints
// that applies: a space is missing after a colon, the most similar key of the section, the key of that name in another section. If no hint
// applies, the text lists the keys of the section.
func (l *loader) addUnknown(name string, keys []key, at location, path string) {
	shown, hint := joined(path, shownName(name)), ""
	elsewhere := slices.IndexFunc(allKeys, func(k key) bool { return k.name == name })
	switch {
	case strings.Contains(name, ":"):
		l.addProblem(at, shown, "a space is missing after the colon")
		return
	case len(l.problems) > 2*maxProblems: // There is no hint, because finding one costs time, and only the first maxProblems problems are printed.
	case cli.Nearest(name, names(keys)) != "":
		hint = cli.DidYouMean(name, names(keys))
	case elsewhere >= 0:
		hint = fmt.Sprintf(" (did you mean %q?)", allKeys[elsewhere].path)
	default:
		hint = " (known here: " + strings.Join(names(keys), ", ") + ")"
	}
	l.addProblem(at, shown, "no such key%s", hint)
}

// keyName matches the beginning of a text, as long as its characters are allowed in a key. It matches at most 40 characters.
var keyName = regexp.MustCompile(`^[\w.*-]{1,40}`)

// shownName returns the part of an unknown key that a message can show. For "password:x" and "password=x" it returns "password", because x is
// possibly a secret.
func shownName(name string) string {
	name = keyName.FindString(name)
	if name == "" || safetext.LooksLikeKey(name) {
		return safetext.Redacted
	}
	return name
}

// value returns the value that n contains for the key k: a map for a section or a table, a slice for a list, or a single value. If n is not
// valid, the result is nil.
func (l *loader) value(n *yaml.Node, k key, at location, path string) any {
	l.locations[path] = at
	switch {
	case k.isList():
		return l.list(n, k, at, path)
	case k.isTable():
		return l.table(n, k, at, path)
	case len(k.children) > 0:
		return l.section(n, k.children, at, path)
	}
	if fault := k.typeFault(n); fault != "" {
		l.addProblem(at, path, "%s", fault)
		return nil
	}
	inFile := at.line > 0 // a variable has no line
	l.secretsInFile = l.secretsInFile || inFile && k.typ == reflect.TypeFor[Secret]()
	value, err := k.parse(n.Value)
	if err != nil {
		l.addProblem(at, path, "%s", err)
		return nil
	}
	return value
}

// list returns the sections of the list k.
func (l *loader) list(n *yaml.Node, k key, at location, path string) any {
	if !isNull(n) && n.Kind != yaml.SequenceNode {
		l.addProblem(at.on(n.Line), path, "want a list: begin each of its %s with \"- \"", k.name)
		return nil
	}
	if len(n.Content) > maxMeters {
		l.addProblem(at, path, "has %d %s, and a bridge can have %d: divide them among several bridges", len(n.Content), k.name, maxMeters)
		return nil
	}
	var out []any
	for i, item := range n.Content {
		at, path := at.on(item.Line), fmt.Sprintf("%s[%d]", path, i)
		l.locations[path] = at
		out = append(out, l.section(item, k.children, at, path))
	}
	return out
}

// typeFault returns the reason why n cannot be the value of k, or "". A value that must be text needs quotes if YAML would read the value
// as another type. For example, YAML reads 0012345 as an octal number.
func (k key) typeFault(n *yaml.Node) string {
	tag := n.ShortTag()
	switch {
	case tag == "!secret":
		return "!secret works only in the files of Home Assistant: write the value, or use a file or an environment variable"
	case n.Kind == yaml.AliasNode || n.Anchor != "" || !strings.HasPrefix(tag, "!!"):
		return "a value that begins with !, & or * must be put in quotes"
	case n.Kind != yaml.ScalarNode:
		return "want one value, not a list or keys below it"
	case tag == "!!null":
		return "has no value: write one after the colon, or remove this line"
	case k.typ.Kind() == reflect.String && len(k.oneOf) == 0 && tag != "!!str":
		return "without quotes YAML reads this as a number, a date, or yes or no: put quotes around it"
	}
	return ""
}

// isNull reports whether n has no content. The node of an empty file has the kind 0.
func isNull(n *yaml.Node) bool { return n.Kind == 0 || n.ShortTag() == "!!null" }
