package config

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A key is one key of the configuration: a section, a list of sections, a table or a single value. A table is a map by names of quantities.
type key struct {
	name        string // as written in the file: "url"
	path        string // all names from the top, without indices of lists: "mqtt.url", "meters.port"
	typ         reflect.Type
	index       []int    // index of the field in the struct of its section, for reflect.Value.FieldByIndex
	defaultText string   // "" for no default
	oneOf       []string // the allowed values; empty if every value is allowed
	children    []key    // keys of the section, of each section of the list, or of each entry of the table; empty for a single value
}

// configKeys are the keys of a Config, in the order of its fields.
var configKeys = keysOf(reflect.TypeFor[Config](), "")

// allKeys are the keys of single values and of tables among configKeys and their descendants.
var allKeys = valueKeys(configKeys)

// keysOf returns the keys that the fields of the struct t define. path is the path of t itself.
func keysOf(t reflect.Type, path string) (keys []key) {
	if t.Kind() != reflect.Struct || reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return nil // a single value has no children
	}
	for _, f := range reflect.VisibleFields(t) {
		name := f.Tag.Get("mapstructure")
		if name == "" || name == "-" || f.Anonymous {
			continue // the field is no setting, or is an embedded struct, whose fields VisibleFields lists too
		}
		k := key{name, joined(path, name), f.Type, f.Index, f.Tag.Get("default"), strings.Fields(f.Tag.Get("oneof")), nil}
		section := k.typ // the type whose fields are the children of k
		switch kind := k.typ.Kind(); {
		case kind == reflect.Pointer: // a single value that can be missing
			k.typ = k.typ.Elem()
		case kind == reflect.Bool:
			k.oneOf = []string{"true", "false"}
		case k.isList() || k.isTable():
			section = k.typ.Elem()
		}
		k.children = keysOf(section, k.path)
		keys = append(keys, k)
	}
	return keys
}

// joined returns the path of the key name in the section path.
func joined(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func (k key) isList() bool { return k.typ.Kind() == reflect.Slice }

func (k key) isTable() bool { return k.typ.Kind() == reflect.Map }

// variable returns the name of the environment variable that sets k. The name contains METER, not METERS, because a variable can set the key
// of a single meter only.
func (k key) variable() string {
	return variablePrefix + strings.ToUpper(strings.NewReplacer("meters.", "meter_", ".", "_").Replace(k.path))
}

// inMeter returns the name of k within the section of a meter. ok is false if k is no key of a meter.
func (k key) inMeter() (name string, ok bool) { return strings.CutPrefix(k.path, "meters.") }

// parse converts text to the type of k. If k has a list of allowed values, text must be one of them.
func (k key) parse(text string) (any, error) {
	isBool := k.typ.Kind() == reflect.Bool
	word := text
	if isBool {
		word = strings.ToLower(text) // capitals are allowed
	}
	switch {
	case len(k.oneOf) == 0 || slices.Contains(k.oneOf, word):
	case isBool:
		return nil, fmt.Errorf("%q is not true or false", text)
	default:
		return nil, fmt.Errorf("%q is not one of %s%s", text, strings.Join(k.oneOf, ", "), cli.DidYouMean(text, k.oneOf))
	}
	value := reflect.New(k.typ)
	switch pointer := value.Interface().(type) {
	case encoding.TextUnmarshaler:
		err := pointer.UnmarshalText([]byte(text))
		return value.Elem().Interface(), err
	case *time.Duration:
		return throttle.ParseInterval(text)
	case *obis.Decimal:
		return quantity.ParseFactor(strings.TrimSpace(text))
	case *int, *byte:
		n, err := strconv.Atoi(text)
		if err != nil {
			err = fmt.Errorf("%q is not a whole number", text)
		}
		return n, err
	case *bool:
		return strings.EqualFold(text, "true"), nil
	}
	return text, nil
}

// valueKeys returns the keys of single values and of tables. It searches keys and the descendants of keys.
func valueKeys(keys []key) (all []key) {
	for _, k := range keys {
		if len(k.children) == 0 || k.isTable() {
			all = append(all, k)
		} else {
			all = append(all, valueKeys(k.children)...)
		}
	}
	return all
}

func names(keys []key) (all []string) {
	for _, k := range keys {
		all = append(all, k.name)
	}
	return all
}
