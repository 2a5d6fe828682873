package config

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Text returns the text of a configuration file for c. It contains the settings that differ from the defaults, and the keys in
// alwaysWritten. secret is ShowSecrets or HideSecrets.
func Text(c Config, secret func(Secret) string) string {
	w := configWriter{secret: secret}
	root := w.section(reflect.ValueOf(c), configKeys)
	var text bytes.Buffer
	e := yaml.NewEncoder(&text)
	e.SetIndent(2)
	_ = e.Encode(root) // never fails: the nodes are strings, and the text is in memory
	return text.String()
}

// ShowSecrets returns a secret as it is.
func ShowSecrets(s Secret) string { return string(s) }

// HideSecrets returns the text that replaces a secret.
func HideSecrets(s Secret) string { return s.String() }

// alwaysWritten are the keys that are written even if their value is the default.
var alwaysWritten = map[string]bool{"mqtt.url": true, "meters.id": true, "meters.port": true}

// A configWriter converts a configuration to YAML nodes. secret returns the text of a secret.
type configWriter struct{ secret func(Secret) string }

// section returns the values of the struct v as a mapping. keys are the keys of the fields, in the order in which they are written.
func (w configWriter) section(v reflect.Value, keys []key) *yaml.Node {
	out := &yaml.Node{Kind: yaml.MappingNode}
	for _, k := range keys {
		n := w.entry(v.FieldByIndex(k.index), k)
		isEmptySection := n != nil && n.Kind != yaml.ScalarNode && len(n.Content) == 0 // or an empty list or table
		if n != nil && !isEmptySection {
			out.Content = append(out.Content, scalar(k.name, 0), n)
		}
	}
	return out
}

// entry returns the node of the value v for the key k, or nil if the value is not written. A nil pointer is a setting that is not set.
func (w configWriter) entry(v reflect.Value, k key) *yaml.Node {
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	switch {
	case k.isList():
		return w.list(v, k)
	case k.isTable():
		return w.table(v, k)
	case len(k.children) > 0:
		return w.section(v, k.children)
	}
	n := scalar(fmt.Sprint(v.Interface()), 0)
	// These values are not written: a default, unless its key is in alwaysWritten; an empty value, unless its key is mqtt.url; a value that is
	// not set. In place of an empty mqtt.url, an example of an address is written.
	isDefault, isEmpty, notSet := n.Value == k.defaultText, n.Value == "", v.Kind() == reflect.Pointer
	if isDefault && !alwaysWritten[k.path] || isEmpty && k.path != "mqtt.url" || notSet {
		return nil
	}
	switch value := v.Interface().(type) {
	case Secret:
		n.Value, n.Style = w.secret(value), yaml.DoubleQuotedStyle
	case bool, int, byte:
		n.Tag = "" // without quotes
	case string:
		if isEmpty { // k is mqtt.url
			n.Value, n.LineComment = "mqtt://localhost:1883", "the address of your broker"
		}
	}
	return n
}

func (w configWriter) list(v reflect.Value, k key) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for i := range v.Len() {
		list.Content = append(list.Content, w.section(v.Index(i), k.children))
	}
	return list
}

// table returns the entries of a map, sorted by name.
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
