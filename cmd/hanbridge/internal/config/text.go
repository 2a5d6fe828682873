package config

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
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

// ShowSecrets writes secrets as they are.
func ShowSecrets(s Secret) string { return string(s) }

// HideSecrets writes what stands for a secret.
func HideSecrets(s Secret) string { return s.String() }

// shownAlways are the keys that are written also where they are the default.
var shownAlways = map[string]bool{"mqtt.url": true, "meters.id": true, "meters.port": true}

type configWriter struct{ secret func(Secret) string }

// section writes the values of a struct whose keys are keys, in their order.
func (w configWriter) section(v reflect.Value, keys []key) *yaml.Node {
	out := &yaml.Node{Kind: yaml.MappingNode}
	for _, k := range keys {
		n := w.entry(v.FieldByIndex(k.index), k)
		if n != nil && (n.Kind == yaml.ScalarNode || len(n.Content) > 0) {
			out.Content = append(out.Content, scalar(k.name, 0), n)
		}
	}
	return out
}

// entry writes one value, nil where it need not be written.
func (w configWriter) entry(v reflect.Value, k key) *yaml.Node {
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	switch {
	case k.isList():
		return w.list(v, k)
	case k.isTable():
		return w.table(v, k)
	case len(k.keys) > 0:
		return w.section(v, k.keys)
	}
	n := scalar(fmt.Sprint(v.Interface()), 0)
	if n.Value == k.def && !shownAlways[k.path] || n.Value == "" && k.path != "mqtt.url" || v.Kind() == reflect.Pointer {
		return nil
	}
	switch value := v.Interface().(type) {
	case Secret:
		n.Value, n.Style = w.secret(value), yaml.DoubleQuotedStyle
	case bool, int, byte:
		n.Tag = "" // without quotes
	case string:
		if n.Value == "" {
			n.Value, n.LineComment = "mqtt://localhost:1883", "the address of your broker"
		}
	}
	return n
}

func (w configWriter) list(v reflect.Value, k key) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for i := range v.Len() {
		list.Content = append(list.Content, w.section(v.Index(i), k.keys))
	}
	return list
}

// table writes the entries of a map by their names.
func (w configWriter) table(v reflect.Value, k key) *yaml.Node {
	table, entry := &yaml.Node{Kind: yaml.MappingNode}, k
	entry.typ = k.typ.Elem()
	names := slices.SortedFunc(slices.Values(v.MapKeys()), func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	for _, name := range names {
		n := w.entry(v.MapIndex(name), entry)
		n.Style |= yaml.FlowStyle
		table.Content = append(table.Content, scalar(name.String(), 0), n)
	}
	return table
}
