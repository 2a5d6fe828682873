package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/hanbridge/hanbridge/"

// A level is the place of a package in the import order. floor is the floor in ARCHITECTURE.md. A package can import packages of lower
// floors. On its own floor it can import packages of lower steps.
type level struct{ floor, step int }

// levels are the levels of packages by path. A package without an entry has the level of the closest parent folder with an entry.
var levels = map[string]level{
	"pkg/internal":             {0, 0},
	"pkg/obis":                 {0, 1},
	"pkg/hdlc":                 {0, 1},
	"pkg/mbus":                 {0, 1},
	"pkg/quantity":             {1, 0},
	"pkg/p1":                   {1, 0},
	"pkg/dlms":                 {1, 0},
	"pkg/line":                 {1, 0},
	"pkg/meter":                {2, 0},
	"pkg/capture":              {2, 1},
	"pkg/mask":                 {2, 1},
	"pkg/simulate":             {2, 1},
	"bridge/throttle":          {3, 0},
	"bridge/estimate":          {3, 1},
	"bridge/probe":             {3, 2},
	"bridge":                   {3, 3},
	"discovery":                {3, 3},
	"bridge/internal":          {3, 1},
	"bridge/internal/progress": {3, 0}, // lower than the rest of bridge/internal, because those packages import it
	"bridge/source":            {4, 0},
	"bridge/output":            {4, 0},
	// The packages of the program.
	internal + "/signals":       {5, 0},
	internal + "/safetext":      {5, 0},
	internal + "/cli":           {5, 1},
	internal + "/config":        {5, 2},
	internal + "/localbroker":   {5, 3},
	internal + "/virtualport":   {5, 3},
	internal + "/daemon":        {5, 4},
	internal + "/render":        {5, 4},
	internal + "/announcements": {5, 5},
	internal + "/recorder":      {5, 5},
	internal + "/rates":         {5, 6},
	internal + "/doctor":        {5, 6},
	program:                     {5, 9},
	// Tests that start the program.
	internal + "/e2e": {6, 0},
}

// testHelpers are packages for tests. They can import any module. Only test files and other testHelpers can import them.
var testHelpers = []string{"discovery/hatest", "bridge/internal/faultnet", "bridge/output/outputtest", program + "/internal/e2e/testbed"}

// program is the folder of the program: commands, configuration, and the embedded broker.
const program = "cmd/hanbridge"

// internal is the folder of the program's own packages.
const internal = program + "/internal"

// importRules says which folders can import which module, and why. The first rule whose module matches is used. The last rule matches every
// module. It says that only the program can import a module without another rule.
var importRules = []struct {
	module  string
	folders []string
	why     string
}{
	{"github.com/eclipse/paho.mqtt.golang", []string{"bridge/internal/broker"}, "one package uses the MQTT client, so that it can be replaced"},
	{"github.com/mochi-mqtt/server/v2/packets", []string{"bridge/internal/broker", program}, "one package uses MQTT 5"},
	{"go.etcd.io/bbolt", []string{"bridge/internal/state"}, "it is only used to read the state file of earlier versions"},
	{"github.com/gofrs/flock", []string{"bridge/internal/state"}, "one package locks the state folder"},
	{"go.bug.st/serial", []string{"bridge/source"}, "one package opens serial ports"},
	{"github.com/prometheus/client_golang", []string{"bridge/output/metrics"}, "metrics are one output among others"},
	{"github.com/coreos/go-systemd/v22", []string{"bridge/output/systemd"}, "one package notifies the service manager"},
	{"github.com/rs/zerolog", []string{"bridge", program}, "libraries and pure functions never log"},
	{"golang.org/x/sync", []string{"bridge", program}, "only the bridge starts goroutines"},
	{"github.com/spf13/viper", []string{internal + "/config"}, "one package reads the configuration"},
	{"github.com/go-viper/mapstructure/v2", []string{internal + "/config"}, "one package reads the configuration"},
	{"", []string{program}, "each module that a package below the program imports needs a rule in this table"},
}

// A goPackage is a package as go list -json describes it.
type goPackage struct {
	ImportPath, Dir, Doc string
	Imports, GoFiles     []string
}

// TestImportsPointDown tests that no package has a forbidden import.
func TestImportsPointDown(t *testing.T) {
	for _, p := range listPackages(t) {
		for _, fault := range faults(p) {
			t.Error(fault)
		}
	}
}

// TestEveryPackageHasADocComment tests that every package says what it is for.
func TestEveryPackageHasADocComment(t *testing.T) {
	for _, p := range listPackages(t) {
		if p.Doc == "" && len(p.GoFiles) > 0 { // a package that contains only test files needs no package comment
			t.Errorf("%s has no package comment: say in a sentence what it is for", p.ImportPath)
		}
	}
}

// TestFaults tests that faults finds each kind of forbidden import.
func TestFaults(t *testing.T) {
	const paho = "github.com/eclipse/paho.mqtt.golang"
	// from imports the package imports. want is a part of the fault, or "" for an allowed import.
	tests := []struct{ from, imports, want string }{
		{"pkg/p1", "bytes", ""},
		{"pkg/p1", module + "pkg/obis", ""},
		{"pkg/hdlc", module + "pkg/internal/crc16", ""},
		{"pkg/simulate", module + "pkg/meter", ""},
		{"pkg/meter", module + "pkg/simulate", "points up or sideways"},
		{"pkg/obis", module + "pkg/p1", "points up or sideways"},
		{"pkg/p1", module + "pkg/dlms", "points up or sideways"},
		{"pkg/meter", "github.com/rs/zerolog", "only the standard library"},
		{"pkg/obis", "golang.org/x/sync/errgroup", "only the standard library"},
		{"bridge", module + "bridge/internal/state", ""},
		{"bridge", module + "bridge/throttle", ""},
		{"bridge/throttle", module + "bridge", "points up or sideways"},
		{"bridge", module + "bridge/probe", ""},
		{"bridge/probe", module + "bridge", "points up or sideways"},
		{"bridge", module + "bridge/output/mqtt", "points up or sideways"},
		{"bridge", module + "discovery", "points up or sideways"},
		{"bridge", "github.com/rs/zerolog", ""},
		{"bridge", paho, "one package uses the MQTT client"},
		{"bridge/internal/broker", paho, ""},
		{program, module + internal + "/signals", ""},
		{internal + "/signals", module + program, "points up or sideways"},
		{"bridge/output/mqtt", paho, "one package uses the MQTT client"},
		{"bridge/output/mqtt", module + "bridge/source", "points up or sideways"},
		{"bridge/output/mqtt", module + "discovery", ""},
		{"bridge/output/mqtt", module + "discovery/hatest", "serves tests only"},
		{program, module + internal + "/e2e/testbed", "serves tests only"},
		{program + "/internal/e2e/testbed", module + "discovery/hatest", ""},
		{"bridge/source", "go.bug.st/serial", ""},
		{"bridge/source", "go.bug.st/serial/enumerator", ""},
		{"bridge/source", "github.com/spf13/viper", "allowed in cmd/hanbridge/internal/config"},
		{internal + "/config", "github.com/spf13/viper", ""},
		{program, "github.com/spf13/viper", "allowed in cmd/hanbridge/internal/config"},
		{"bridge/source", "example.org/fancy", "allowed in cmd/hanbridge"},
		{"discovery", "github.com/rs/zerolog", "never log"},
		{"discovery/hatest", "github.com/santhosh-tekuri/jsonschema/v6", ""},
		{program, "github.com/mochi-mqtt/server/v2/listeners", ""},
		{program, paho, "one package uses the MQTT client"},
		{"attic", "bytes", "has no floor"},
	}
	for _, tt := range tests {
		got := strings.Join(faults(goPackage{ImportPath: module + tt.from, Imports: []string{tt.imports}}), "\n")
		if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s imports %s: got the fault %q, want %q", tt.from, tt.imports, got, tt.want)
		}
	}
}

// faults returns the forbidden imports of a package, each with the reason.
func faults(p goPackage) []string {
	from := strings.TrimPrefix(p.ImportPath, module)
	ownLevel, ok := levelOf(from)
	if !ok {
		return []string{fmt.Sprintf("%s has no floor: give it one in levels, and in ARCHITECTURE.md", p.ImportPath)}
	}
	var found []string
	for _, imported := range p.Imports {
		if fault := faultOf(from, ownLevel, imported); fault != "" {
			found = append(found, fmt.Sprintf("%s imports %s: %s", from, imported, fault))
		}
	}
	return found
}

// faultOf returns the reason why the package from must not import the package imported, or "". own is the level of from.
func faultOf(from string, own level, imported string) string {
	if to, inside := strings.CutPrefix(imported, module); inside {
		return faultInside(from, own, to)
	}
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		return "" // imported is in the standard library
	}
	if own.floor <= 2 {
		return "pkg/ imports only the standard library, so that anyone can import it at no cost"
	}
	if slices.Contains(testHelpers, from) {
		return ""
	}
	return faultOutside(from, imported)
}

// faultInside returns the reason why the package from must not import the package to, or "". Both packages are in this module.
func faultInside(from string, own level, to string) string {
	if slices.Contains(testHelpers, to) && !slices.Contains(testHelpers, from) {
		return "it serves tests only, and must not be part of the program"
	}
	target, ok := levelOf(to)
	if !ok {
		return "it has no floor"
	}
	if slices.Contains(testHelpers, from) && target.floor <= own.floor {
		return ""
	}
	if target.floor < own.floor || target.floor == own.floor && target.step < own.step {
		return ""
	}
	return fmt.Sprintf("it points up or sideways, from floor %d to %d: a lower package must not depend on a higher one", own.floor, target.floor)
}

// faultOutside returns the reason why the package from must not import the package imported of another module, or "".
func faultOutside(from, imported string) string {
	for _, rule := range importRules {
		if rule.module != "" && !isUnder(imported, rule.module) {
			continue
		}
		if slices.ContainsFunc(rule.folders, func(folder string) bool { return isUnder(from, folder) }) {
			return ""
		}
		return fmt.Sprintf("%s (allowed in %s)", rule.why, strings.Join(rule.folders, ", "))
	}
	return ""
}

// levelOf returns the level of a package. ok is false if neither the package nor a parent folder has an entry in levels.
func levelOf(path string) (l level, ok bool) {
	for ; path != "."; path = filepath.Dir(path) {
		if l, ok := levels[path]; ok {
			return l, true
		}
	}
	return level{}, false
}

func isUnder(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}

// listPackages returns every package of the module.
func listPackages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Dir,Doc,Imports,GoFiles", module+"...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	var packages []goPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		packages = append(packages, p)
	}
	if len(packages) < 5 {
		t.Fatalf("go list found %d packages: want at least 5", len(packages))
	}
	return packages
}
