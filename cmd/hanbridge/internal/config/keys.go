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

// A key is one key of the configuration: a section, a list of sections or a table if it has keys below it or is a map, a value otherwise.
type key struct {
	name  string // as written in the file: "url"
	path  string // from the top, below lists without an index: "mqtt.url", "meters.port"
	typ   reflect.Type
	index []int    // of the field, from the section that it stands in
	def   string   // default, empty for none
	oneOf []string // the values allowed, empty for any
	keys  []key    // of a section, of each section of a list, or of each entry of a table
}

// configKeys are the keys of a Config, in its order.
var configKeys = keysOf(reflect.TypeFor[Config](), "")

func keysOf(t reflect.Type, path string) (keys []key) {
	if t.Kind() != reflect.Struct || reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return nil // a value
	}
	for _, f := range reflect.VisibleFields(t) {
		name := f.Tag.Get("mapstructure")
		if name == "" || name == "-" || f.Anonymous {
			continue // no setting, or a struct whose fields come next
		}
		k := key{name, joined(path, name), f.Type, f.Index, f.Tag.Get("default"), strings.Fields(f.Tag.Get("oneof")), nil}
		section := k.typ
		switch kind := k.typ.Kind(); {
		case kind == reflect.Pointer:
			k.typ = k.typ.Elem()
		case kind == reflect.Bool:
			k.oneOf = []string{"true", "false"}
		case k.isList() || k.isTable():
			section = k.typ.Elem()
		}
		k.keys = keysOf(section, k.path)
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

// isTable reports whether k is lines that begin with the names of quantities.
func (k key) isTable() bool { return k.typ.Kind() == reflect.Map }

// variable returns the environment variable of a value. It can only mean a single meter, hence the singular.
func (k key) variable() string {
	return variablePrefix + strings.ToUpper(strings.NewReplacer("meters.", "meter_", ".", "_").Replace(k.path))
}

// inMeter returns the name of a key of a meter.
func (k key) inMeter() (name string, ok bool) { return strings.CutPrefix(k.path, "meters.") }

// parse reads text as a value of k.
func (k key) parse(text string) (any, error) {
	truth := k.typ.Kind() == reflect.Bool
	switch {
	case len(k.oneOf) == 0 || slices.Contains(k.oneOf, text) || truth && slices.Contains(k.oneOf, strings.ToLower(text)):
	case truth:
		return nil, fmt.Errorf("%q is not true or false", text)
	default:
		return nil, fmt.Errorf("%q is not one of %s%s", text, strings.Join(k.oneOf, ", "), cli.DidYouMean(text, k.oneOf))
	}
	value := reflect.New(k.typ)
	switch to := value.Interface().(type) {
	case encoding.TextUnmarshaler:
		err := to.UnmarshalText([]byte(text))
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

// values returns every value among keys and below them, those in lists too. A table is one value.
func values(keys []key) (all []key) {
	for _, k := range keys {
		if len(k.keys) == 0 || k.isTable() {
			all = append(all, k)
		} else {
			all = append(all, values(k.keys)...)
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
