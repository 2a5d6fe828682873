package config

import (
	"encoding"
	"reflect"
	"slices"
	"strings"
)

// A key is one key of the configuration: a section, a list of sections or a table if it has keys below it or is a map, a value otherwise.
type key struct {
	name  string // as written in the file: "url"
	path  string // from the top, below lists without an index: "mqtt.url", "meters.port"
	env   string // the environment variable of a value
	typ   reflect.Type
	index []int    // of the field, from the section that it stands in
	def   string   // default, empty for none
	oneOf []string // the values allowed, empty for any
	keys  []key    // of a section, of each section of a list, or of each entry of a table
}

// configKeys are the keys of a Config, in its order.
var configKeys = keysOf(reflect.TypeFor[Config](), "", "HANBRIDGE")

func keysOf(t reflect.Type, path, env string) (keys []key) {
	for _, f := range reflect.VisibleFields(t) {
		name := f.Tag.Get("mapstructure")
		if name == "" || name == "-" || f.Anonymous {
			continue // no setting, or a struct whose fields come next
		}
		k := key{
			name:  name,
			path:  joined(path, name),
			env:   env + "_" + strings.ToUpper(name),
			typ:   f.Type,
			index: f.Index,
			def:   f.Tag.Get("default"),
			oneOf: strings.Fields(f.Tag.Get("oneof")),
		}
		switch {
		case k.typ.Kind() == reflect.Pointer:
			k.typ = k.typ.Elem()
		case k.typ.Kind() == reflect.Bool:
			k.oneOf = []string{"true", "false"}
		case k.isList():
			// A variable can only mean a single meter, hence the singular.
			k.keys = keysOf(f.Type.Elem(), k.path, strings.TrimSuffix(k.env, "S"))
		case k.isTable():
			k.keys = entryKeys(k)
		case k.typ.Kind() == reflect.Struct && !k.parsesItself():
			k.keys = keysOf(f.Type, k.path, k.env)
		}
		keys = append(keys, k)
	}
	return keys
}

// entryKeys returns the keys of each entry of a table, nil where an entry is a value.
func entryKeys(table key) []key {
	if entry := table.typ.Elem(); entry.Kind() == reflect.Struct {
		return keysOf(entry, table.path, table.env)
	}
	return nil
}

func joined(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func (k key) isList() bool { return k.typ.Kind() == reflect.Slice }

// isTable reports whether k is lines that begin with the names of quantities.
func (k key) isTable() bool { return k.typ.Kind() == reflect.Map }

// isValue reports whether one value is set by k, or by its variable.
func (k key) isValue() bool { return len(k.keys) == 0 || k.isTable() }

// inList reports whether k is a key of a meter.
func (k key) inList() bool { return strings.HasPrefix(k.path, "meters.") }

func (k key) isSecret() bool { return k.typ == reflect.TypeFor[Secret]() }

// maySecret reports whether a secret may stand where k's value belongs, by mistake too.
func (k key) maySecret() bool {
	return k.isSecret() || strings.HasSuffix(k.name, "_file") || k.name == "url"
}

func (k key) parsesItself() bool {
	return reflect.PointerTo(k.typ).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// isPlainText reports whether any text is a value of k as far as its type goes.
func (k key) isPlainText() bool { return k.typ.Kind() == reflect.String && len(k.oneOf) == 0 }

// isYAMLValue reports whether a value of k is written as YAML writes numbers and truth, without quotes.
func (k key) isYAMLValue() bool {
	return slices.Contains([]reflect.Kind{reflect.Bool, reflect.Int, reflect.Uint8}, k.typ.Kind()) && !k.parsesItself()
}

// values returns every value among keys and below them, those in lists too.
func values(keys []key) []key {
	var out []key
	for _, k := range keys {
		if k.isValue() {
			out = append(out, k)
			continue
		}
		out = append(out, values(k.keys)...)
	}
	return out
}

// keyNamed returns the key of that name; its name is empty if there is none.
func keyNamed(keys []key, name string) key {
	for _, k := range keys {
		if k.name == name {
			return k
		}
	}
	return key{}
}

func names(keys []key) []string {
	var out []string
	for _, k := range keys {
		out = append(out, k.name)
	}
	return out
}
