package config

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"

	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// decode lays overlay (key path to text) over settings, and both over the defaults, and reads each text as a value of its type. Viper
// cannot reach into a list: meters come complete in settings.
func (l *loader) decode(settings, overlay map[string]any) (cfg Config) {
	v := viper.New()
	for _, k := range values(configKeys) {
		if k.def != "" && !k.inList() {
			v.SetDefault(k.path, k.def)
		}
	}
	if err := v.MergeConfigMap(withMeterDefaults(settings)); err != nil {
		l.add(place{}, "", "configuration: %s", err)
	}
	for path, value := range overlay {
		v.Set(path, value)
	}
	hooks := mapstructure.ComposeDecodeHookFunc(mapstructure.TextUnmarshallerHookFunc(), readValue)
	before := len(l.found)
	l.addDecoding(v.UnmarshalExact(&cfg, viper.DecodeHook(hooks)))
	slices.SortStableFunc(l.found[before:], func(a, b problem) int { return strings.Compare(a.path, b.path) }) // tables come in any order
	return cfg
}

// withMeterDefaults returns settings with the defaults in every meter of its
// list, which has one at least.
func withMeterDefaults(settings map[string]any) map[string]any {
	list, _ := settings["meters"].([]any)
	if len(list) == 0 {
		list = []any{map[string]any{}}
	}
	full := make([]any, 0, len(list))
	for _, item := range list {
		meter := map[string]any{}
		for _, k := range keyNamed(configKeys, "meters").keys {
			if k.def != "" {
				meter[k.name] = k.def
			}
		}
		maps.Copy(meter, item.(map[string]any))
		full = append(full, meter)
	}
	out := maps.Clone(settings)
	out["meters"] = full
	return out
}

// readValue reads a text as a value of a type that cannot do it itself. What remains is mapstructure's.
func readValue(_, to reflect.Type, data any) (any, error) {
	text, ok := data.(string)
	switch {
	case !ok:
		return data, nil
	case to == reflect.TypeFor[time.Duration]():
		return throttle.ParseInterval(text)
	case to == reflect.TypeFor[obis.Decimal]():
		return quantity.ParseFactor(strings.TrimSpace(text))
	case to.Kind() == reflect.Int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, fmt.Errorf("%q is not a whole number", text)
		}
		return n, nil
	}
	return data, nil
}

// inTable is the name of an entry of a table as mapstructure writes it.
var inTable = regexp.MustCompile(`\[(\D[^\]]*)\]`)

// addDecoding adds the problems of values, each at the place of its key.
func (l *loader) addDecoding(err error) {
	if several, ok := errors.AsType[interface {
		error
		Unwrap() []error
	}](err); ok {
		for _, one := range several.Unwrap() {
			l.addDecoding(one)
		}
		return
	}
	one, ok := errors.AsType[*mapstructure.DecodeError](err)
	if !ok {
		if err != nil {
			l.add(place{}, "", "configuration: %s", err)
		}
		return
	}
	path := inTable.ReplaceAllString(one.Name(), ".$1")
	l.add(l.placeOf(path), path, "%s", strings.TrimSpace(one.Unwrap().Error()))
}
