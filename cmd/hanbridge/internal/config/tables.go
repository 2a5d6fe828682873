package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"go.yaml.in/yaml/v3"

	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// table reads the table k. n is a mapping by names of quantities, or a text with all entries, such as the text of a variable.
func (l *loader) table(n *yaml.Node, k key, at location, path string) any {
	if n.Kind == yaml.ScalarNode && !isNull(n) {
		var err error
		if n, err = k.parseEntries(n.Value, at.line); err != nil {
			l.addProblem(at, path, "%s", err)
			return nil
		}
	}
	entry := k // describes the value of a single entry
	entry.typ = k.typ.Elem()
	const wrongKind = "want the names of quantities in the lines below, without a dash, as in config.example.yaml"
	entries := l.mapping(n, at, path, wrongKind, func(name string, n *yaml.Node, at location) any {
		entryPath := joined(path, name)
		if err := k.checkName(name); err != nil {
			l.addProblem(at, path, "%s", err)
			return nil
		}
		if len(k.children) > 0 && (n.Kind != yaml.MappingNode || len(n.Content) == 0) {
			l.addProblem(at, entryPath, "%s", noSettings(name, at))
			return nil
		}
		return l.value(n, entry, at, entryPath)
	})
	table := reflect.New(k.typ)
	if err := mapstructure.Decode(entries, table.Interface()); err != nil {
		l.addProblem(at, path, "%s", err)
	}
	if overrides, ok := table.Elem().Interface().(throttle.Overrides); ok {
		for _, name := range slices.Sorted(maps.Keys(overrides)) {
			if err := overrides.Validate(name); err != nil {
				l.addProblem(l.locationOf(joined(path, name)), joined(path, name), "%s", err)
			}
		}
	}
	return table.Elem().Interface()
}

// noSettings returns the text of the problem that the name of a quantity is not followed by settings.
func noSettings(name string, at location) string {
	if at.line == 0 {
		return "has no settings: write for example " + name + " min_interval=5s"
	}
	return "has no settings: write for example min_interval: 5s in the line below, or { min_interval: 5s } in the same line"
}

// checkName returns an error if name cannot be the name of an entry in the table k. A name in the table quantities can be a pattern such as
// voltage_*. A name in the table scale must be a numeric quantity.
func (k key) checkName(name string) error {
	isQuantities := len(k.children) > 0 // else k is the table scale
	prefix, isPattern := strings.CutSuffix(name, "*")
	i := slices.IndexFunc(quantity.Rows(), func(r quantity.Row) bool {
		return r.Name == name || isQuantities && isPattern && strings.HasPrefix(r.Name, prefix)
	})
	switch {
	case i < 0 && isQuantities && strings.Contains(prefix, "*"):
		return fmt.Errorf("%q: a * can only be the last character, as in voltage_*", name)
	case i < 0 && isQuantities && isPattern:
		return fmt.Errorf("%q is the beginning of no quantity%s", name, nearQuantities(name))
	case i < 0:
		return fmt.Errorf("%q is not a quantity%s", name, nearQuantities(name))
	case !isQuantities && !quantity.Rows()[i].Numeric():
		return fmt.Errorf("%s is text: only numbers can be multiplied", name)
	}
	return nil
}

// nearQuantities returns a hint for a name or pattern that matches no quantity. The hint shows the most similar name or pattern, and at most
// four quantities that contain the name. If there are none of them, the hint shows the command that lists all quantities.
func nearQuantities(name string) string {
	var all, near []string // all has the names of all quantities, and if name is a pattern also patterns such as voltage_*
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
		return " (hanbridge quantities lists all quantities)"
	}
	return fmt.Sprintf(" (did you mean %s?)", strings.Join(near, ", "))
}

// parseEntries parses the text of a table. An example of the table scale is "import_energy=0.1,gas=2". An example of the table quantities is
// "gas min_interval=5s deadband=1; water min_interval=1m".
func (k key) parseEntries(text string, line int) (*yaml.Node, error) {
	if len(k.children) == 0 {
		return parseAssignments(strings.Split(text, ","), line, "a quantity and its factor: write for example import_energy=0.1")
	}
	table := &yaml.Node{Kind: yaml.MappingNode, Line: line}
	for item := range strings.SplitSeq(text, ";") {
		words := strings.Fields(item)
		if len(words) == 0 {
			continue
		}
		entry, err := parseAssignments(words[1:], line, "a setting and its value: write for example min_interval=5s (a semicolon separates two quantities)")
		if err != nil {
			return nil, fmt.Errorf("%s: %w", words[0], err)
		}
		table.Content = append(table.Content, scalar(words[0], line), entry)
	}
	return table, nil
}

// parseAssignments parses items of the form name=value into a mapping. Errors contain expected, which describes an item. Two adjacent items
// deadband=10 and deadband=1% become one item with the value "10 1%".
func parseAssignments(items []string, line int, expected string) (*yaml.Node, error) {
	out := &yaml.Node{Kind: yaml.MappingNode, Line: line}
	for _, item := range items {
		item = strings.TrimSpace(item)
		name, value, found := strings.Cut(item, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		last := len(out.Content) - 1
		switch {
		case item == "":
		case !found:
			return nil, fmt.Errorf("%q is not %s", item, expected)
		case name == "deadband" && last > 0 && out.Content[last-1].Value == name:
			out.Content[last].Value += " " + value
		default:
			out.Content = append(out.Content, scalar(name, line), scalar(value, line))
		}
	}
	return out, nil
}

// scalar returns the node of a text.
func scalar(text string, line int) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text, Line: line}
}
