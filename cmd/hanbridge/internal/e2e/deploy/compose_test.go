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

// A composeFile is deploy/compose.yaml. The file must not have other keys.
type composeFile struct {
	Name     string
	Services map[string]composeService
	Configs  map[string]struct{ Content, File string }
	Volumes  map[string]*struct{}
}

// A composeService is a service of deploy/compose.yaml.
type composeService struct {
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

// readComposeFile parses deploy/compose.yaml, and requires that no value contains a variable, which Compose would replace.
func readComposeFile(t *testing.T) composeFile {
	t.Helper()
	text := testbed.ReadFile(t, "deploy/compose.yaml")
	decoder := yaml.NewDecoder(strings.NewReader(text))
	decoder.KnownFields(true)
	var c composeFile
	if err := decoder.Decode(&c); err != nil {
		t.Fatalf("deploy/compose.yaml: %v", err)
	}
	var withoutComments bytes.Buffer
	if err := yaml.NewEncoder(&withoutComments).Encode(c); err != nil || strings.Contains(withoutComments.String(), "$") {
		t.Errorf("deploy/compose.yaml: got error %v or a value with $, want no variable", err)
	}
	return c
}

// TestComposeServices tests the services of compose.yaml. Everything to which a service refers must exist.
func TestComposeServices(t *testing.T) {
	t.Parallel()
	c := readComposeFile(t)
	type service struct {
		Image    string
		Build    string // folder of the sources, relative to the folder of compose.yaml
		Profiles string // a service without profiles always starts
		Ports    string // HOST:CONTAINER
	}
	want := map[string]service{
		"hanbridge":     {Image: "hanbridge/hanbridge", Build: ".."},
		"demo":          {Image: "hanbridge/hanbridge", Build: "..", Profiles: "demo"},
		"mosquitto":     {Image: "eclipse-mosquitto:2", Ports: "1883:1883"},
		"homeassistant": {Image: "homeassistant/home-assistant:stable", Profiles: "homeassistant", Ports: "8123:8123"},
		"nodered":       {Image: "nodered/node-red:4.1", Profiles: "nodered", Ports: "1880:1880"},
	}
	got := map[string]service{}
	for name, s := range c.Services {
		got[name] = service{s.Image, s.Build, strings.Join(s.Profiles, " "), strings.Join(s.Ports, " ")}
		if dependencies := s.DependsOn; name != "mosquitto" && !slices.Equal(dependencies, []string{"mosquitto"}) {
			t.Errorf("service %s depends on %v, want only mosquitto", name, dependencies)
		}
		checkBrokerAddress(t, name, s)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
	testbed.ReadFile(t, filepath.Join("deploy", c.Services["hanbridge"].Build, "Dockerfile")) // the file must exist
	checkComposeVolumes(t, c)
	checkComposeConfigs(t, c)
}

// checkBrokerAddress requires that the environment variables of a service contain no broker address other than that of the service mosquitto.
func checkBrokerAddress(t *testing.T, name string, s composeService) {
	t.Helper()
	const want = "mosquitto:1883"
	if text, ok := s.Environment["HANBRIDGE_MQTT_URL"]; ok {
		if u, err := url.Parse(text); err != nil || u.Host != want {
			t.Errorf("service %s: HANBRIDGE_MQTT_URL: got %s (%v), want the address %s", name, text, err, want)
		}
	}
	if host, ok := s.Environment["MQTT_HOST"]; ok && host+":"+s.Environment["MQTT_PORT"] != want {
		t.Errorf("service %s: got environment %v, want the address %s in MQTT_HOST and MQTT_PORT", name, s.Environment, want)
	}
}

// checkComposeVolumes requires that each volume is declared and mounted at the right folder.
func checkComposeVolumes(t *testing.T, c composeFile) {
	t.Helper()
	want := map[string]string{ // folder in the container, by volume
		"hanbridge": exampleSetting(t, "state_dir"), "mosquitto": "/mosquitto/data", "homeassistant": "/config", "nodered": "/data",
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
		t.Errorf("declared volumes: got %d, want only the %d that services use", len(c.Volumes), len(want))
	}
}

// checkComposeConfigs requires that each configuration is used, and has a content or an existing file.
func checkComposeConfigs(t *testing.T, c composeFile) {
	t.Helper()
	used := map[string]bool{}
	for name, s := range c.Services {
		for _, config := range s.Configs {
			used[config.Source] = true
			if _, ok := c.Configs[config.Source]; !ok {
				t.Errorf("service %s: the configuration %s does not exist", name, config.Source)
			}
		}
		if s.ReadOnly && len(s.Configs) > 0 {
			t.Errorf("service %s is read-only, so Compose cannot copy a configuration into the container", name)
		}
	}
	for name, config := range c.Configs {
		if !used[name] {
			t.Errorf("no service uses the configuration %s", name)
		}
		if (config.File == "") == (config.Content == "") {
			t.Errorf("the configuration %s: got %+v, want either a file or a content", name, config)
		}
		if config.File == "" {
			continue
		}
		if _, err := os.Stat(filepath.Join(testbed.ModuleRoot, "deploy", config.File)); err != nil {
			t.Errorf("the configuration %s: %v", name, err)
		}
	}
}

// TestComposeBridge requires that the services hanbridge and demo use existing commands and variables, and have no more rights than they need.
func TestComposeBridge(t *testing.T) {
	t.Parallel()
	c := readComposeFile(t)
	for _, name := range []string{"hanbridge", "demo"} {
		s := c.Services[name]
		// A service without a command uses the command of the image.
		requireCommand(t, append(s.Command, dockerfileInstruction(t, "CMD")[0])[0])
		// TZ is not a variable of hanbridge.
		requireVariables(t, slices.DeleteFunc(slices.Collect(maps.Keys(s.Environment)), func(key string) bool { return key == "TZ" })...)
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Equal(s.SecurityOpt, []string{"no-new-privileges:true"}) {
			t.Errorf("service %s has more rights than it needs: got %+v", name, s)
		}
	}
	bridge, demo := c.Services["hanbridge"], c.Services["demo"]
	if len(bridge.Devices) != 1 || len(bridge.GroupAdd) != 1 {
		t.Fatalf("service hanbridge: got devices %v and groups %v, want one of each", bridge.Devices, bridge.GroupAdd)
	}
	if _, device, _ := strings.Cut(bridge.Devices[0], ":"); device != bridge.Environment["HANBRIDGE_METER_PORT"] {
		t.Errorf("service hanbridge: got HANBRIDGE_METER_PORT=%s, want the device in the container, %s", bridge.Environment["HANBRIDGE_METER_PORT"], device)
	}
	if !slices.Equal(demo.Command, []string{"demo"}) || len(demo.Devices) != 0 {
		t.Errorf("service demo: got %+v, want the command demo without a device", demo)
	}
}
