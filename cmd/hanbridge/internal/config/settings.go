package config

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
)

// A key is one key of the configuration: a section or list if it has keys
// below it, a value otherwise.
type key struct {
	name  string // as written in the file: "url"
	path  string // from the top, below lists without an index: "mqtt.url", "meters.port"
	env   string // the environment variable of a value
	typ   reflect.Type
	def   string   // default, empty for none
	oneOf []string // the values allowed, empty for any
	keys  []key
}

// configKeys are the keys of a Config, in its order.
var configKeys = keysOf(reflect.TypeFor[Config](), "", "HANBRIDGE")

func keysOf(t reflect.Type, path, env string) []key {
	var keys []key
	for f := range t.Fields() {
		name := f.Tag.Get("mapstructure")
		if name == "-" {
			continue // no setting; such fields are the last ones
		}
		k := key{
			name:  name,
			path:  joined(path, name),
			env:   env + "_" + strings.ToUpper(name),
			typ:   f.Type,
			def:   f.Tag.Get("default"),
			oneOf: strings.Fields(f.Tag.Get("oneof")),
		}
		switch {
		case k.isList():
			// A variable can only mean a single meter, hence the singular.
			k.keys = keysOf(f.Type.Elem(), k.path, strings.TrimSuffix(k.env, "S"))
		case f.Type.Kind() == reflect.Struct && !k.parsesItself():
			k.keys = keysOf(f.Type, k.path, k.env)
		}
		keys = append(keys, k)
	}
	return keys
}

func joined(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func (k key) isList() bool { return k.typ.Kind() == reflect.Slice }

func (k key) isSecret() bool { return k.typ == reflect.TypeFor[Secret]() }

// maySecret reports whether a secret may stand where k's value belongs, by mistake too.
func (k key) maySecret() bool {
	return k.isSecret() || strings.HasSuffix(k.name, "_file") || k.name == "url"
}

// isTable reports whether the file may hold k as lines that begin with the names of quantities.
func (k key) isTable() bool { return k.typ == reflect.TypeFor[Scale]() || k.isRates() }

func (k key) isRates() bool { return k.typ == reflect.TypeFor[Quantities]() }

func (k key) parsesItself() bool {
	return reflect.PointerTo(k.typ).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// isPlainText reports whether any text is a value of k as far as its type goes.
func (k key) isPlainText() bool { return k.typ.Kind() == reflect.String && len(k.oneOf) == 0 }

// value reads text as a value of k. Errors quote the text.
func (k key) value(text string) (any, error) {
	if len(k.oneOf) > 0 && !slices.Contains(k.oneOf, text) {
		return nil, fmt.Errorf("%q is not one of %s%s", text, strings.Join(k.oneOf, ", "), cli.DidYouMean(text, k.oneOf))
	}
	if k.parsesItself() {
		trial := reflect.New(k.typ).Interface().(encoding.TextUnmarshaler)
		return text, trial.UnmarshalText([]byte(text))
	}
	if k.typ.Kind() == reflect.Bool {
		if text = strings.ToLower(text); text != "true" && text != "false" {
			return nil, fmt.Errorf("%q is not true or false", text)
		}
		return text == "true", nil
	}
	if k.typ.Kind() == reflect.Int {
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, fmt.Errorf("%q is not a whole number", text)
		}
		return n, nil
	}
	return text, nil
}

// defaultsOf returns the defaults of the values among keys and in the sections
// below them, by path from where keys stand. Lists have none.
func defaultsOf(keys []key) map[string]any {
	out := map[string]any{}
	for _, k := range keys {
		if k.def != "" {
			out[k.name], _ = k.value(k.def) // a test reads every default
		}
		if k.isList() {
			continue
		}
		for path, value := range defaultsOf(k.keys) {
			out[joined(k.name, path)] = value
		}
	}
	return out
}

// values returns every value among keys and below them, those in lists too.
func values(keys []key) []key {
	var out []key
	for _, k := range keys {
		if len(k.keys) == 0 {
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
