package config

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Text returns a configuration as a file holds it: what differs from the defaults, and what everybody wants to see.
// secret says how a secret is written.
func Text(c Config, secret func(Secret) string) string {
	w := configWriter{secret: secret}
	root := w.section(reflect.ValueOf(c), configKeys)
	var text bytes.Buffer
	e := yaml.NewEncoder(&text)
	e.SetIndent(2)
	_ = e.Encode(root) // nodes of strings in memory
	return text.String()
}

func ShowSecrets(s Secret) string { return string(s) }

func HideSecrets(s Secret) string { return s.String() }

// shownAlways are the keys that are written also where they are the default.
var shownAlways = map[string]bool{"mqtt.url": true, "meters.id": true, "meters.port": true}

type configWriter struct{ secret func(Secret) string }

// section writes the values of a struct whose keys are keys, in their order.
func (w configWriter) section(v reflect.Value, keys []key) *yaml.Node {
	out := &yaml.Node{Kind: yaml.MappingNode}
	for i, k := range keys {
		if n := w.entry(v.Field(i), k); n != nil {
			out.Content = append(out.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: k.name}, n)
		}
	}
	return out
}

// entry writes one value, nil where it need not be written.
func (w configWriter) entry(v reflect.Value, k key) *yaml.Node {
	switch {
	case k.isList():
		list := &yaml.Node{Kind: yaml.SequenceNode}
		for i := range v.Len() {
			list.Content = append(list.Content, w.section(v.Index(i), k.keys))
		}
		return list
	case len(k.keys) > 0:
		if s := w.section(v, k.keys); len(s.Content) > 0 {
			return s
		}
		return nil
	}
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: fmt.Sprint(v.Interface())}
	if n.Value == k.def && !shownAlways[k.path] || n.Value == "" && k.path != "mqtt.url" {
		return nil
	}
	switch value := v.Interface().(type) {
	case Secret:
		n.Value, n.Style = w.secret(value), yaml.DoubleQuotedStyle
	case Scale:
		return value.node()
	case Quantities:
		return value.node()
	case bool:
		n.Tag = "!!bool"
	case int:
		n.Tag = "!!int"
	case string:
		if n.Value == "" {
			n.Value, n.LineComment = "mqtt://localhost:1883", "the address of your broker"
		}
	}
	return n
}

// node returns the factors as a mapping.
func (s Scale) node() *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
	for item := range strings.SplitSeq(s.String(), ",") {
		name, factor, _ := strings.Cut(item, "=")
		n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: name}, &yaml.Node{Kind: yaml.ScalarNode, Value: factor})
	}
	return n
}
