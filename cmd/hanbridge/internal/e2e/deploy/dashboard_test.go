//go:build linux

package deploy_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// coreCardTypes are the card types that the dashboard is allowed to use. Home Assistant contains these types.
var coreCardTypes = []string{"heading", "gauge", "tile", "history-graph", "statistics-graph", "entities"}

// TestDashboard requires that every entity of the dashboard is announced for a Swedish meter with the default id.
func TestDashboard(t *testing.T) {
	t.Parallel()
	var d struct {
		Title string
		Views []struct {
			Title, Path, Icon, Type string
			MaxColumns              int `yaml:"max_columns"`
			Sections                []struct {
				Type  string
				Cards []map[string]any
			}
		}
	}
	const file = "deploy/homeassistant/dashboard.yaml"
	decoder := yaml.NewDecoder(strings.NewReader(testbed.ReadFile(t, file)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&d); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	var shown []string
	for _, view := range d.Views {
		if view.Type != "sections" {
			t.Errorf("view %s: got type %q, want sections", view.Title, view.Type)
		}
		for _, section := range view.Sections {
			for _, card := range section.Cards {
				if cardType := fmt.Sprint(card["type"]); section.Type != "grid" || !slices.Contains(coreCardTypes, cardType) {
					t.Errorf("got a card %s in a section %s, want one of %v in a grid", cardType, section.Type, coreCardTypes)
				}
				shown = append(shown, entitiesOf(card)...)
			}
		}
	}
	enabled := enabledEntities(t)
	for _, id := range shown {
		if !slices.Contains(enabled, id) {
			t.Errorf("%s: %s is not announced, or not enabled", file, id)
		}
	}
	for _, name := range []string{"net_power", "import_power", "import_energy", "export_energy", "current_l1", "voltage_l3", "telegram_errors"} {
		if !slices.Contains(shown, "sensor.meter_"+name) {
			t.Errorf("%s does not show %s", file, name)
		}
	}
}

// entitiesOf returns the entity ids of a card. A card has one entity, or a list of entities.
func entitiesOf(card map[string]any) (ids []string) {
	if id, ok := card["entity"].(string); ok {
		ids = append(ids, id)
	}
	list, _ := card["entities"].([]any)
	for _, element := range list {
		entity, _ := element.(map[string]any)
		ids = append(ids, fmt.Sprint(entity["entity"]))
	}
	return ids
}

// enabledEntities returns the ids of the enabled entities of a Swedish meter with a P1 port.
func enabledEntities(t *testing.T) (ids []string) {
	t.Helper()
	c := discovery.Config{Prefix: "homeassistant", BaseTopic: "hanbridge", Style: discovery.Component}
	for _, message := range c.Meter(discovery.Meter{ID: meterSetting(t, "id"), Quantities: sentQuantities(t)}) {
		var entity struct {
			ID      string `json:"default_entity_id"`
			Enabled *bool  `json:"enabled_by_default"`
		}
		if err := json.Unmarshal(message.Payload, &entity); err != nil {
			t.Fatal(err)
		}
		if entity.Enabled == nil || *entity.Enabled { // the default is true
			ids = append(ids, entity.ID)
		}
	}
	return ids
}

// meterSetting returns the value of a key of the meter in config.example.yaml.
func meterSetting(t *testing.T, key string) string {
	t.Helper()
	var example struct{ Meters []map[string]any }
	if err := yaml.Unmarshal([]byte(testbed.ReadFile(t, "config.example.yaml")), &example); err != nil || len(example.Meters) != 1 {
		t.Fatalf("config.example.yaml: %v", err)
	}
	return fmt.Sprint(example.Meters[0][key])
}

// sentQuantities returns the quantities in a telegram of a Swedish meter with a P1 port.
func sentQuantities(t *testing.T) (all []discovery.Quantity) {
	t.Helper()
	family, ok := simulate.Named("p1-se-aidon")
	if !ok {
		t.Fatal("the simulator has no family p1-se-aidon")
	}
	_, telegram := simulate.NewMeter(family, 1, time.Now()).Next()
	r, err := meter.NewDecoder(bytes.NewReader(telegram), meter.Options{}).Next()
	if err != nil {
		t.Fatal(err)
	}
	for i := range r.Samples {
		s := &r.Samples[i]
		all = append(all, discovery.Quantity{ID: s.ID, UnitIndex: s.UnitIndex, Decimals: s.Decimals()})
	}
	return all
}
