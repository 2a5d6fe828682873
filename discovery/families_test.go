package discovery_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/discovery/hatest"
	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/quantity"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

var update = flag.Bool("update", false, "write the golden files")

// TestGoldenOfFamilies compares the messages of each family, in both styles, with golden files.
func TestGoldenOfFamilies(t *testing.T) {
	for _, f := range simulate.Families() {
		m := meterOf(t, f)
		for _, style := range []discovery.Style{discovery.Device, discovery.Component} {
			name := f.Name + "." + style.String()
			t.Run(name, func(t *testing.T) {
				messages := house(config(style), m)
				if err := errors.Join(hatest.CheckSet(byTopic(messages))...); err != nil {
					t.Error(err)
				}
				golden(t, name, config(style).Meter(m), ofQuantities)
			})
		}
	}
}

// TestGoldenOfEveryMeter compares the messages that do not depend on a meter's quantities with golden files.
func TestGoldenOfEveryMeter(t *testing.T) {
	for _, style := range []discovery.Style{discovery.Device, discovery.Component} {
		messages := house(config(style), discovery.Meter{ID: "house"})
		golden(t, "every."+style.String(), messages, func(string) bool { return true })
	}
}

func ofQuantities(key string) bool {
	_, ok := quantity.ByName(key)
	return ok
}

// TestGoldenFilesAllUsed checks that there is no golden file of a family that no longer exists.
func TestGoldenFilesAllUsed(t *testing.T) {
	files, err := filepath.Glob("testdata/families/*")
	if err != nil || len(files) != 2*(1+len(simulate.Families())) {
		t.Errorf("%d files for %d families in two styles (%v)", len(files), len(simulate.Families()), err)
	}
}

// allLists is how many telegrams after the whole hour contain every list of a meter. The Norwegian list 3 comes after 10 s.
const allLists = 8

// meterOf returns the description of a meter of a family, from a telegram of each of its lists.
func meterOf(t *testing.T, f simulate.Family) discovery.Meter {
	t.Helper()
	hour := simulate.NewMeter(f, 1, time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC))
	var stream bytes.Buffer
	for range allLists {
		_, telegram := hour.Next()
		stream.Write(telegram)
	}
	d := meter.NewDecoder(&stream, meter.Options{Keys: []*dlms.Key{simulate.Key()}, AcceptUnverified: true})
	m := discovery.Meter{ID: "house", Simulated: true}
	seen := map[quantity.ID]bool{}
	for {
		reading, err := d.Next()
		if errors.Is(err, io.EOF) {
			return m
		}
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		about := reading.Meter
		m.Make, m.Model = cmp.Or(about.Make, m.Make), cmp.Or(about.Model, m.Model)
		m.Serial, m.Software = cmp.Or(about.Serial, m.Serial), cmp.Or(about.List, m.Software)
		for _, s := range reading.Samples {
			if !seen[s.ID] {
				seen[s.ID] = true
				m.Quantities = append(m.Quantities, discovery.Quantity{ID: s.ID, UnitIndex: s.UnitIndex, Decimals: s.Decimals(), Interval: f.Interval})
			}
		}
	}
}

func byTopic(messages []discovery.Message) map[string][]byte {
	all := map[string][]byte{}
	for _, m := range messages {
		all[m.Topic] = m.Payload
	}
	return all
}

// golden compares the entities of messages for which shown returns true with a golden file.
func golden(t *testing.T, name string, messages []discovery.Message, shown func(key string) bool) {
	t.Helper()
	got, file := reviewable(t, messages, shown), filepath.Join("testdata", "families", name+".txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := gocmp.Diff(string(want), got); d != "" {
		t.Errorf("differs from %s (-want +got; -update writes it):\n%s", file, d)
	}
}

// reviewable formats messages for a reviewer: the topic with the options that all entities of a device share, then one line for each entity.
// An entity with a topic of its own shows the options that differ from the first one, and "none" for missing ones.
func reviewable(t *testing.T, messages []discovery.Message, shown func(key string) bool) string {
	t.Helper()
	var out strings.Builder
	heads := map[string]map[string]any{}
	for _, m := range messages {
		var payload map[string]any
		decode(t, m.Payload, &payload)
		levels := strings.Split(m.Topic, "/")
		components, whole := payload["components"].(map[string]any)
		if !whole {
			payload["platform"] = levels[1]
			components = map[string]any{levels[3]: payload}
			levels[1], levels[3] = "<platform>", "<key>"
		}
		topic := strings.Join(levels, "/")
		if heads[topic] == nil {
			heads[topic] = commonOptions(payload)
			fmt.Fprintf(&out, "%s %s\n", topic, line(t, heads[topic]))
		}
		for option, v := range heads[topic] {
			if reflect.DeepEqual(payload[option], v) {
				delete(payload, option)
			} else if payload[option] == nil {
				payload[option] = "none"
			}
		}
		for _, key := range slices.Sorted(maps.Keys(components)) {
			if shown(key) {
				fmt.Fprintf(&out, "  %s%s\n", key, options(t, components[key].(map[string]any)))
			}
		}
	}
	return out.String()
}

func commonOptions(payload map[string]any) map[string]any {
	options := map[string]any{}
	for _, option := range []string{"device", "origin", "availability", "availability_mode"} {
		if v := payload[option]; v != nil {
			options[option] = v
		}
	}
	return options
}

// options formats options as option=value. Texts have no quotes if they are unambiguous.
func options(t *testing.T, entity map[string]any) string {
	t.Helper()
	var out strings.Builder
	for _, option := range slices.Sorted(maps.Keys(entity)) {
		text, isText := entity[option].(string)
		if !isText || strings.Contains(text, " ") || json.Valid([]byte(text)) {
			text = line(t, entity[option])
		}
		fmt.Fprintf(&out, " %s=%s", option, text)
	}
	return out.String()
}

func line(t *testing.T, v any) string {
	t.Helper()
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(text.String())
}
