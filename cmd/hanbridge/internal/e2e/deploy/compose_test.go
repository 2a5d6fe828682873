//go:build linux

package deploy_test

import (
	"bytes"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// A composition is deploy/compose.yaml. The tests refuse other keys.
type composition struct {
	Name     string
	Services map[string]composed
	Configs  map[string]struct{ Content, File string }
	Volumes  map[string]*struct{}
}

type composed struct {
	Image       string
	Build       string
	Restart     string
	Entrypoint  []string
	Command     []string
	Profiles    []string
	Devices     []string
	Ports       []string
	Volumes     []string
	Environment map[string]string
	Configs     []struct{ Source, Target string }
	DependsOn   []string `yaml:"depends_on"`
	GroupAdd    []string `yaml:"group_add"`
	ReadOnly    bool     `yaml:"read_only"`
	CapDrop     []string `yaml:"cap_drop"`
	SecurityOpt []string `yaml:"security_opt"`
}

func readCompose(t *testing.T) composition {
	t.Helper()
	text := testbed.ReadFile(t, "deploy/compose.yaml")
	decoder := yaml.NewDecoder(strings.NewReader(text))
	decoder.KnownFields(true)
	var c composition
	if err := decoder.Decode(&c); err != nil {
		t.Fatalf("deploy/compose.yaml: %v", err)
	}
	var values bytes.Buffer // without comments, which Compose does not look into
	if err := yaml.NewEncoder(&values).Encode(c); err != nil || strings.Contains(values.String(), "$") {
		t.Errorf("deploy/compose.yaml: Compose replaces a $ by a variable that nobody sets: %v", err)
	}
	return c
}

// TestComposition requires that everything to which a service of compose.yaml refers exists.
func TestComposition(t *testing.T) {
	t.Parallel()
	c := readCompose(t)
	type shape struct {
		Image    string
		Build    string // the folder of the sources, from that of compose.yaml
		Profiles string // that start it; without any it always starts
		Ports    string // of the machine
	}
	want := map[string]shape{
		"hanbridge":     {Image: "hanbridge/hanbridge", Build: ".."},
		"demo":          {Image: "hanbridge/hanbridge", Build: "..", Profiles: "demo"},
		"mosquitto":     {Image: "eclipse-mosquitto:2", Ports: "1883:1883"},
		"homeassistant": {Image: "homeassistant/home-assistant:stable", Profiles: "homeassistant", Ports: "8123:8123"},
		"nodered":       {Image: "nodered/node-red:4.1", Profiles: "nodered", Ports: "1880:1880"},
	}
	got := map[string]shape{}
	for name, s := range c.Services {
		got[name] = shape{s.Image, s.Build, strings.Join(s.Profiles, " "), strings.Join(s.Ports, " ")}
		if needs := s.DependsOn; name != "mosquitto" && !slices.Equal(needs, []string{"mosquitto"}) {
			t.Errorf("service %s depends on %v, want mosquitto alone, which always starts", name, needs)
		}
		testBrokerOf(t, name, s)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
	testbed.ReadFile(t, filepath.Join("deploy", c.Services["hanbridge"].Build, "Dockerfile"))
	testComposeVolumes(t, c)
	testComposeConfigs(t, c)
}

// testBrokerOf requires that a service has the broker's address.
func testBrokerOf(t *testing.T, name string, s composed) {
	t.Helper()
	const want = "mosquitto:1883"
	if text, ok := s.Environment["HANBRIDGE_MQTT_URL"]; ok {
		if u, err := url.Parse(text); err != nil || u.Host != want {
			t.Errorf("service %s: HANBRIDGE_MQTT_URL=%s does not lead to %s: %v", name, text, want, err)
		}
	}
	if host, ok := s.Environment["MQTT_HOST"]; ok && host+":"+s.Environment["MQTT_PORT"] != want {
		t.Errorf("service %s: MQTT_HOST and MQTT_PORT do not lead to %s: got %v", name, want, s.Environment)
	}
}

func testComposeVolumes(t *testing.T, c composition) {
	t.Helper()
	want := map[string]string{ // where each is mounted
		"hanbridge": settingExample(t, "state_dir"), "mosquitto": "/mosquitto/data", "homeassistant": "/config", "nodered": "/data",
	}
	got := map[string]string{}
	for _, s := range c.Services {
		for _, volume := range s.Volumes {
			name, target, _ := strings.Cut(volume, ":")
			got[name] = target
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("volumes of services (-want +got):\n%s", diff)
	}
	for name := range want {
		if _, declared := c.Volumes[name]; !declared {
			t.Errorf("the volume %s is not declared", name)
		}
	}
	if len(c.Volumes) != len(want) {
		t.Errorf("%d volumes are declared, want the %d that are used", len(c.Volumes), len(want))
	}
}

func testComposeConfigs(t *testing.T, c composition) {
	t.Helper()
	used := map[string]bool{}
	for name, s := range c.Services {
		for _, config := range s.Configs {
			used[config.Source] = true
			if _, ok := c.Configs[config.Source]; !ok {
				t.Errorf("service %s: the configuration %s is not there", name, config.Source)
			}
		}
		if s.ReadOnly && len(s.Configs) > 0 {
			t.Errorf("service %s is read-only: Compose cannot copy a configuration into it", name)
		}
	}
	for name, config := range c.Configs {
		if !used[name] {
			t.Errorf("no service uses the configuration %s", name)
		}
		if (config.File == "") == (config.Content == "") {
			t.Errorf("the configuration %s: got %+v, want a file or a content", name, config)
		}
		if config.File == "" {
			continue
		}
		if _, err := os.Stat(filepath.Join(testbed.ModuleRoot, "deploy", config.File)); err != nil {
			t.Errorf("the configuration %s: %v", name, err)
		}
	}
}

// TestComposedBridge requires that hanbridge's services set only what the program knows and needs.
func TestComposedBridge(t *testing.T) {
	t.Parallel()
	c := readCompose(t)
	for _, name := range []string{"hanbridge", "demo"} {
		s := c.Services[name]
		wantCommand(t, append(s.Command, dockerfileLine(t, "CMD")[0])[0])
		wantSettings(t, slices.DeleteFunc(slices.Collect(maps.Keys(s.Environment)), func(key string) bool { return key == "TZ" })...)
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Equal(s.SecurityOpt, []string{"no-new-privileges:true"}) {
			t.Errorf("service %s may do more than it needs: got %+v", name, s)
		}
	}
	meter, demo := c.Services["hanbridge"], c.Services["demo"]
	if len(meter.Devices) != 1 || len(meter.GroupAdd) != 1 {
		t.Fatalf("service hanbridge: got devices %v and groups %v, want one line to edit and one group", meter.Devices, meter.GroupAdd)
	}
	if _, inside, _ := strings.Cut(meter.Devices[0], ":"); inside != meter.Environment["HANBRIDGE_METER_PORT"] {
		t.Errorf("service hanbridge: the device is %s inside, the port %s", inside, meter.Environment["HANBRIDGE_METER_PORT"])
	}
	if !slices.Equal(demo.Command, []string{"demo"}) || len(demo.Devices) != 0 {
		t.Errorf("service demo: got %+v, want the command demo without a device", demo)
	}
}
