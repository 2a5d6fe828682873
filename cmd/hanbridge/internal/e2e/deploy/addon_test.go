//go:build linux

package deploy_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

const addonFolder = "deploy/homeassistant/hanbridge/"

// An addon is the config.yaml of the Home Assistant add-on. The file must not have other keys.
type addon struct {
	Name, Version, Slug, Description, URL string
	Startup, Boot                         string
	Arch, Services                        []string
	UART                                  bool
	Map                                   []struct{ Type string }
	Options                               map[string]any
	Schema                                map[string]string
}

// readAddon returns the add-on's config.yaml.
func readAddon(t *testing.T) addon {
	t.Helper()
	var a addon
	readStrictly(t, addonFolder+"config.yaml", &a)
	return a
}

// readStrictly parses a YAML file of the module. The test fails if the file has a key for which into has no field.
func readStrictly(t *testing.T, name string, into any) {
	t.Helper()
	decoder := yaml.NewDecoder(strings.NewReader(testbed.ReadFile(t, name)))
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// TestAddon tests the requirements of Home Assistant's Supervisor. The Supervisor silently ignores an add-on that does not meet them.
func TestAddon(t *testing.T) {
	t.Parallel()
	a := readAddon(t)
	for key, text := range map[string]string{"name": a.Name, "version": a.Version, "description": a.Description, "startup": a.Startup} {
		if text == "" {
			t.Errorf("%s is missing", key)
		}
	}
	if !regexp.MustCompile(`^[-_.A-Za-z0-9]+$`).MatchString(a.Slug) || !strings.HasPrefix(a.URL, "https://") {
		t.Errorf("got slug %q and url %q, want letters, digits, -, _ and . in the slug, and an https URL", a.Slug, a.URL)
	}
	// Home Assistant supports only 64-bit systems since 2025.12.
	if want := []string{"aarch64", "amd64"}; !slices.Equal(a.Arch, want) {
		t.Errorf("arch: got %q, want %q", a.Arch, want)
	}
	if !a.UART || !slices.Equal(a.Services, []string{"mqtt:want"}) {
		t.Errorf("got uart %v and services %q, want true and mqtt:want", a.UART, a.Services)
	}
}

// TestAddonOptions requires that each option of the add-on sets an existing environment variable. An option must either be optional or have
// a valid default. Each option must have a name and a description in the translations.
func TestAddonOptions(t *testing.T) {
	t.Parallel()
	a := readAddon(t)
	var translations struct {
		Configuration map[string]struct{ Name, Description string }
	}
	readStrictly(t, addonFolder+"translations/en.yaml", &translations)
	var variables []string
	for option, kind := range a.Schema {
		variables = append(variables, "HANBRIDGE_"+strings.ToUpper(option))
		if text := translations.Configuration[option]; text.Name == "" || text.Description == "" {
			t.Errorf("%s: its name or description is missing in translations/en.yaml", option)
		}
		value, hasDefault := a.Options[option]
		if isOptional := strings.HasSuffix(kind, "?"); hasDefault == isOptional {
			t.Errorf("%s: got type %s and default %v, want either an optional type or a default", option, kind, value)
		}
		if hasDefault && !isOfKind(t, kind, value) {
			t.Errorf("%s: the default %v is not of the type %s", option, value, kind)
		}
	}
	requireVariables(t, variables...)
	options := slices.Sorted(maps.Keys(a.Schema))
	if diff := cmp.Diff(options, slices.Sorted(maps.Keys(translations.Configuration))); diff != "" {
		t.Errorf("options (-config.yaml +translations/en.yaml):\n%s", diff)
	}
	for option := range a.Options {
		if _, ok := a.Schema[option]; !ok {
			t.Errorf("%s has a default but no type", option)
		}
	}
}

// optionKind matches the types of options that the add-on uses, in the Supervisor's notation. Group 4 is a pattern, group 5 the list of values.
var optionKind = regexp.MustCompile(`^(str|password|bool|int(?:\((\d*),(\d*)\))?|match\((.*)\)|list\((.+)\))\??$`)

// isOfKind reports whether a default is valid for an option's type. Only a text is valid, because no bool or int of this add-on has a default.
func isOfKind(t *testing.T, kind string, value any) bool {
	t.Helper()
	parts := optionKind.FindStringSubmatch(kind)
	if parts == nil {
		t.Errorf("type of an option: got %s, want one of those in optionKind", kind)
		return false
	}
	text, isText := value.(string)
	switch name, _, _ := strings.Cut(parts[1], "("); name {
	case "match":
		return isText && regexp.MustCompile(parts[4]).MatchString(text)
	case "list":
		return isText && slices.Contains(strings.Split(parts[5], "|"), text)
	default:
		return isText
	}
}

// TestAddonImage requires that the image contains hanbridge, the script, and the programs that the script runs.
func TestAddonImage(t *testing.T) {
	t.Parallel()
	file := testbed.ReadFile(t, addonFolder+"Dockerfile")
	for _, want := range []string{
		"FROM hanbridge/hanbridge AS hanbridge\n",
		"RUN apk add --no-cache curl jq\n",
		"COPY --from=hanbridge " + dockerfileInstruction(t, "ENTRYPOINT")[0] + " /usr/local/bin/hanbridge\n",
		"COPY run.sh /\n",
		// sh runs the script, because the script is possibly not executable after a user has copied the folder to a network share.
		`CMD ["sh", "/run.sh"]` + "\n",
	} {
		if !strings.Contains(file, want) {
			t.Errorf("Dockerfile lacks %q", want)
		}
	}
	if strings.Contains(testbed.ReadFile(t, addonFolder+"run.sh"), "\r") {
		t.Error("run.sh has a carriage return, which sh does not accept")
	}
}
