package config

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// table reads lines that begin with the names of quantities, or all of them as one text. A line that is wrong does not hide the next.
func (l *loader) table(n *yaml.Node, k key, at place, path string) any {
	out := map[string]any{}
	if n.Kind == yaml.ScalarNode && !isNull(n) {
		var err error
		if n, err = k.entriesOf(n.Value, at.line); err != nil {
			l.add(at, path, "%s", err)
			return nil
		}
	}
	if isNull(n) {
		return out
	}
	if n.Kind != yaml.MappingNode {
		example := "import_energy: 0.1"
		if len(k.keys) > 0 {
			example = "import_power: { min_interval: 5s }"
		}
		l.add(at, path, "want the names of quantities in the lines below it, without a dash: %s", example)
		return nil
	}
	entry := k // what stands behind each name
	entry.typ = k.typ.Elem()
	l.each(n, at, path, func(name string, n *yaml.Node, at place) {
		within := joined(path, name)
		switch err := k.checkName(name); {
		case err != nil:
			l.add(at, path, "%s", err)
		case len(k.keys) > 0 && (n.Kind != yaml.MappingNode || len(n.Content) == 0):
			l.add(at, within, "want what is said of it: { min_interval: 5s }, in a variable %s min_interval=5s", name)
		default:
			if value := l.value(n, entry, at, within); value != nil {
				out[name] = value
			}
		}
	})
	return out
}

// checkName returns what is wrong with the name of an entry. Rates may be those of several quantities, factors are those of numbers.
func (k key) checkName(name string) error {
	begin, many := strings.CutSuffix(name, "*")
	rates := len(k.keys) > 0
	switch {
	case rates && strings.Contains(begin, "*"):
		return fmt.Errorf("%q: a * stands at the end of a name alone, as in voltage_*", name)
	case rates && many && !slices.ContainsFunc(quantity.Rows(), func(r quantity.Row) bool { return strings.HasPrefix(r.Name, begin) }):
		return fmt.Errorf("%q is the beginning of no quantity%s", name, nearBeginning(begin))
	case rates && many:
		return nil
	}
	id, ok := quantity.Named(name)
	if !ok {
		return fmt.Errorf("%q is not a quantity%s", name, nearQuantities(name))
	}
	if !rates && !id.Row().Numeric() {
		return fmt.Errorf("%s is text: only numbers can be multiplied", name)
	}
	return nil
}

// entriesOf reads a table in one text: "import_energy=0.1,gas=2", or, where an entry has keys, "gas min_interval=5s deadband=1; water …".
func (k key) entriesOf(text string, line int) (*yaml.Node, error) {
	table := mapping(line)
	if len(k.keys) == 0 {
		for item := range strings.SplitSeq(text, ",") {
			if item = strings.TrimSpace(item); item == "" {
				continue
			}
			name, factor, found := strings.Cut(item, "=")
			if !found {
				return nil, fmt.Errorf("%q is not a quantity and its factor: write for example import_energy=0.1", item)
			}
			appendEntry(table, strings.TrimSpace(name), scalar(strings.TrimSpace(factor), line))
		}
		return table, nil
	}
	for item := range strings.SplitSeq(text, ";") {
		words := strings.Fields(item)
		if len(words) == 0 {
			continue
		}
		entry := mapping(line)
		for _, word := range words[1:] {
			name, value, found := strings.Cut(word, "=")
			if !found {
				return nil, fmt.Errorf("%s: %q is not a setting and its value: write for example min_interval=5s (a ; parts quantities)", words[0], word)
			}
			if last := len(entry.Content); name == "deadband" && last > 0 && entry.Content[last-2].Value == name {
				entry.Content[last-1].Value += " " + value // it may come in two parts
				continue
			}
			appendEntry(entry, name, scalar(value, line))
		}
		appendEntry(table, words[0], entry)
	}
	return table, nil
}

func mapping(line int) *yaml.Node { return &yaml.Node{Kind: yaml.MappingNode, Line: line} }

func scalar(text string, line int) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text, Line: line}
}

func appendEntry(to *yaml.Node, name string, value *yaml.Node) {
	to.Content = append(to.Content, scalar(name, value.Line), value)
}
