package config

import (
	"errors"
	"strings"

	"go.yaml.in/yaml/v3"
)

// node returns the rates as a mapping of mappings.
func (q Quantities) node() *yaml.Node {
	text := func(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }
	n := &yaml.Node{Kind: yaml.MappingNode}
	for _, r := range q.rates {
		fields := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
		for _, pair := range r.pairs() {
			fields.Content = append(fields.Content, text(pair[0]), text(pair[1]))
		}
		n.Content = append(n.Content, text(r.name), fields)
	}
	return n
}

// rates reads a mapping of quantities, and returns it in the text form. A line that is wrong does not hide the next.
func (l *loader) rates(n *yaml.Node, path string) (any, bool) {
	var q Quantities
	before := len(l.found)
	for i := 0; i+1 < len(n.Content) && l.counts(n, path); i += 2 {
		name, at := n.Content[i].Value, place{l.file, n.Content[i].Line}
		if err := q.checkName(name); err != nil {
			l.add(at, path, "%s", err)
			continue
		}
		rate := rateConfig{name: name}
		sound := len(l.found)
		l.rate(&rate, target(n.Content[i+1]), at, joined(path, name))
		if err := rate.check(); err != nil && len(l.found) == sound {
			l.add(at, joined(path, name), "%s", err)
		}
		q.rates = append(q.rates, rate)
	}
	return q.String(), len(l.found) == before
}

// rate reads the fields of one quantity.
func (l *loader) rate(r *rateConfig, n *yaml.Node, at place, path string) {
	if n.Kind != yaml.MappingNode || len(n.Content) == 0 {
		l.add(at, path, "want what is said of it in lines below: min_interval: 5s, or as { min_interval: 5s }")
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content) && l.counts(n, path); i += 2 {
		field, value := n.Content[i].Value, target(n.Content[i+1])
		at := place{l.file, n.Content[i].Line}
		if first, ok := seen[field]; ok {
			l.add(at, joined(path, field), "already set in line %d: keep one of the two", first)
			continue
		}
		seen[field] = at.line
		err := errors.New("want one value behind the colon")
		if value.Kind == yaml.ScalarNode && !isNull(value) {
			err = r.set(field, value.Value)
		}
		if err != nil { // the path names the field already
			l.add(at, joined(path, field), "%s", strings.TrimPrefix(err.Error(), field+": "))
		}
	}
}
