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

// TestGoldenOfFamilies compares the quantities that the meters of each family announce with golden files, in both styles.
func TestGoldenOfFamilies(t *testing.T) {
	for _, f := range simulate.Families() {
		m := meterOf(t, f)
		for _, style := range []discovery.Style{discovery.Device, discovery.Component} {
			name := f.Name + "." + style.String()
			t.Run(name, func(t *testing.T) {
				messages := allMessages(config(style), m)
				if err := errors.Join(hatest.CheckSet(byTopic(messages))...); err != nil {
					t.Error(err)
				}
				golden(t, name, config(style).Meter(m), isQuantity)
			})
		}
	}
}

// TestGoldenOfEveryMeter compares the announcements of the bridge and of the diagnostics, which all meters have, with golden files.
func TestGoldenOfEveryMeter(t *testing.T) {
	for _, style := range []discovery.Style{discovery.Device, discovery.Component} {
		messages := allMessages(config(style), discovery.Meter{ID: "house"})
		golden(t, "every."+style.String(), messages, func(string) bool { return true })
	}
}

// isQuantity reports whether an entity with this key is a quantity. The other entities are diagnostics.
func isQuantity(key string) bool {
	_, ok := quantity.ByName(key)
	return ok
}

// TestGoldenFilesAllUsed tests that there is no golden file of a removed family.
func TestGoldenFilesAllUsed(t *testing.T) {
	files, err := filepath.Glob("testdata/families/*")
	want := 2 * (1 + len(simulate.Families())) // TestGoldenOfEveryMeter has a file in each style too
	if err != nil || len(files) != want {
		t.Errorf("got %d golden files, error %v, want %d", len(files), err, want)
	}
}

// telegramsWithAllLists is the number of telegrams after a full hour in which every simulated meter has sent each of its lists. For example, the
// Norwegian list 3 is sent 10 s after the hour.
const telegramsWithAllLists = 8

// meterOf returns the description of a meter of a family. It decodes telegrams with all lists of the meter.
func meterOf(t *testing.T, f simulate.Family) discovery.Meter {
	t.Helper()
	simulated := simulate.NewMeter(f, 1, time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC))
	var stream bytes.Buffer
	for range telegramsWithAllLists {
		_, telegram := simulated.Next()
		stream.Write(telegram)
	}
	d := meter.NewDecoder(&stream, meter.Options{Keys: []*dlms.Key{simulate.Key()}, AcceptUnverified: true})
	m := discovery.Meter{ID: "house", Simulated: true}
	known := map[quantity.ID]bool{}
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
			if !known[s.ID] {
				known[s.ID] = true
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

// golden compares messages with a golden file. It compares only entities for whose keys include returns true.
func golden(t *testing.T, name string, messages []discovery.Message, include func(key string) bool) {
	t.Helper()
	got, file := goldenText(t, messages, include), filepath.Join("testdata", "families", name+".txt")
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
		t.Errorf("messages differ from %s (-want +got; the flag -update writes the file):\n%s", file, d)
	}
}

// goldenText returns messages as a text that people can review. The first line of a device has its topic, and the commonOptions of its first
// message. Then there is one line for each entity. In Component style, each message repeats the common options. The line of its
// entity has a common option only if the value differs from the value in the first message. The value of a missing option is "none".
func goldenText(t *testing.T, messages []discovery.Message, include func(key string) bool) string {
	t.Helper()
	var out strings.Builder
	common := map[string]map[string]any{} // the common options by topic
	for _, m := range messages {
		var payload map[string]any
		decode(t, m.Payload, &payload)
		levels := strings.Split(m.Topic, "/")
		components, isDevice := payload["components"].(map[string]any)
		if !isDevice {
			payload["platform"] = levels[1]
			components = map[string]any{levels[3]: payload}
			levels[1], levels[3] = "<platform>", "<key>"
		}
		topic := strings.Join(levels, "/")
		if common[topic] == nil {
			common[topic] = commonOptions(payload)
			fmt.Fprintf(&out, "%s %s\n", topic, jsonLine(t, common[topic]))
		}
		for option, v := range common[topic] {
			if reflect.DeepEqual(payload[option], v) {
				delete(payload, option)
			} else if payload[option] == nil {
				payload[option] = "none"
			}
		}
		for _, key := range slices.Sorted(maps.Keys(components)) {
			if include(key) {
				fmt.Fprintf(&out, "  %s%s\n", key, options(t, components[key].(map[string]any)))
			}
		}
	}
	return out.String()
}

// commonOptions returns the options that the entities of a device usually share.
func commonOptions(payload map[string]any) map[string]any {
	options := map[string]any{}
	for _, option := range []string{"device", "origin", "availability", "availability_mode"} {
		if v := payload[option]; v != nil {
			options[option] = v
		}
	}
	return options
}

// options formats options as option=value. A text has quotes only if it has spaces or looks like another JSON value.
func options(t *testing.T, entity map[string]any) string {
	t.Helper()
	var out strings.Builder
	for _, option := range slices.Sorted(maps.Keys(entity)) {
		text, isText := entity[option].(string)
		if !isText || strings.Contains(text, " ") || json.Valid([]byte(text)) {
			text = jsonLine(t, entity[option])
		}
		fmt.Fprintf(&out, " %s=%s", option, text)
	}
	return out.String()
}

// jsonLine returns v as JSON on one line.
func jsonLine(t *testing.T, v any) string {
	t.Helper()
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(text.String())
}
