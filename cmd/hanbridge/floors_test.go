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

// A level is the place of a package in the import order. A package can import the packages of lower floors, and the packages of the same floor
// that have a lower step.
type level struct {
	floor int // as in ARCHITECTURE.md
	step  int // counts from 0 on each floor
}

// highestPkgFloor is the highest floor of the packages below pkg/. All packages on this floor and below it are in pkg/.
const highestPkgFloor = 2

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
	"bridge/internal/progress": {3, 0}, // lower than the other packages of bridge/internal, which import it
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
	program:                     {5, 7},
	// Tests that start the program.
	internal + "/e2e": {6, 0},
}

// testHelpers are packages for tests. They can import any module, and the packages of the same floor or of lower
// floors. Only test files and other testHelpers can import a test helper.
var testHelpers = []string{"discovery/hatest", "bridge/internal/faultnet", "bridge/output/outputtest", program + "/internal/e2e/testbed"}

// program is the folder of the program hanbridge.
const program = "cmd/hanbridge"

// internal is the folder of the packages that only the program uses.
const internal = program + "/internal"

// importRules says which folders can import a module of another project. The first rule that matches the module is used. The last rule matches
// every module. why is the reason in the failure message.
var importRules = []struct {
	module  string
	folders []string
	why     string
}{
	{"github.com/eclipse/paho.mqtt.golang", []string{"bridge/internal/broker"}, "one package uses the MQTT client, so that it can be replaced"},
	{"github.com/mochi-mqtt/server/v2/packets", []string{"bridge/internal/broker", program}, "only bridge/internal/broker and the embedded broker of the program use the packets of MQTT 5"},
	{"go.etcd.io/bbolt", []string{"bridge/internal/state"}, "one package reads the state files of earlier versions"},
	{"github.com/gofrs/flock", []string{"bridge/internal/state"}, "one package locks the state folder"},
	{"go.bug.st/serial", []string{"bridge/source"}, "one package opens serial ports"},
	{"github.com/prometheus/client_golang", []string{"bridge/output/metrics"}, "one package serves metrics"},
	{"github.com/coreos/go-systemd/v22", []string{"bridge/output/systemd"}, "one package notifies the service manager"},
	{"github.com/rs/zerolog", []string{"bridge", program}, "pkg/ and discovery never log"},
	{"golang.org/x/sync", []string{"bridge", program}, "only the bridge and the program start goroutines"},
	{"github.com/spf13/viper", []string{internal + "/config"}, "one package reads the configuration"},
	{"github.com/go-viper/mapstructure/v2", []string{internal + "/config"}, "one package reads the configuration"},
	{"", []string{program}, "only the program can import a module that has no rule in importRules"},
}

// A goPackage is a package as go list -json describes it.
type goPackage struct {
	ImportPath, Dir, Doc string
	Imports, GoFiles     []string
}

// TestImportsPointDown tests that each package imports only lower packages, and only the modules that importRules allows.
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
	// want is a part of the fault, or "" if the package importer is allowed to import the package imported.
	tests := []struct{ importer, imported, want string }{
		{"pkg/p1", "bytes", ""},
		{"pkg/p1", module + "pkg/obis", ""},
		{"pkg/hdlc", module + "pkg/internal/crc16", ""},
		{"pkg/simulate", module + "pkg/meter", ""},
		{"pkg/meter", module + "pkg/simulate", "is not lower"},
		{"pkg/obis", module + "pkg/p1", "is not lower"},
		{"pkg/p1", module + "pkg/dlms", "is not lower"},
		{"pkg/meter", "github.com/rs/zerolog", "only the standard library"},
		{"pkg/obis", "golang.org/x/sync/errgroup", "only the standard library"},
		{"bridge", module + "bridge/internal/state", ""},
		{"bridge", module + "bridge/throttle", ""},
		{"bridge/throttle", module + "bridge", "is not lower"},
		{"bridge", module + "bridge/probe", ""},
		{"bridge/probe", module + "bridge", "is not lower"},
		{"bridge", module + "bridge/output/mqtt", "is not lower"},
		{"bridge", module + "discovery", "is not lower"},
		{"bridge", "github.com/rs/zerolog", ""},
		{"bridge", paho, "one package uses the MQTT client"},
		{"bridge/internal/broker", paho, ""},
		{program, module + internal + "/signals", ""},
		{internal + "/signals", module + program, "is not lower"},
		{"bridge/output/mqtt", paho, "one package uses the MQTT client"},
		{"bridge/output/mqtt", module + "bridge/source", "is not lower"},
		{"bridge/output/mqtt", module + "discovery", ""},
		{"bridge/output/mqtt", module + "discovery/hatest", "for tests only"},
		{program, module + internal + "/e2e/testbed", "for tests only"},
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
		got := strings.Join(faults(goPackage{ImportPath: module + tt.importer, Imports: []string{tt.imported}}), "\n")
		isAllowed, wantAllowed := got == "", tt.want == ""
		if isAllowed != wantAllowed || !strings.Contains(got, tt.want) {
			t.Errorf("%s imports %s: got the fault %q, want %q", tt.importer, tt.imported, got, tt.want)
		}
	}
}

// faults returns a message for each forbidden import of a package. For a package without a level it returns only a message about this.
func faults(p goPackage) []string {
	importer := strings.TrimPrefix(p.ImportPath, module)
	importerLevel, ok := levelOf(importer)
	if !ok {
		return []string{fmt.Sprintf("%s has no floor: add the package to levels and to ARCHITECTURE.md", p.ImportPath)}
	}
	var found []string
	for _, imported := range p.Imports {
		if fault := faultOf(importer, importerLevel, imported); fault != "" {
			found = append(found, fmt.Sprintf("%s imports %s: %s", importer, imported, fault))
		}
	}
	return found
}

// faultOf returns the reason why the package importer must not import the package imported, or "". l is the level of importer.
func faultOf(importer string, l level, imported string) string {
	if path, isInModule := strings.CutPrefix(imported, module); isInModule {
		return faultInModule(importer, l, path)
	}
	if host, _, _ := strings.Cut(imported, "/"); !strings.Contains(host, ".") {
		return "" // imported is in the standard library
	}
	if l.floor <= highestPkgFloor {
		return "pkg/ imports only the standard library, so that users of pkg/ need no other module"
	}
	if slices.Contains(testHelpers, importer) {
		return ""
	}
	return faultInOtherModule(importer, imported)
}

// faultInModule returns the reason why the package importer must not import the package imported, or "". Both packages are in this module. l is
// the level of importer.
func faultInModule(importer string, l level, imported string) string {
	if slices.Contains(testHelpers, imported) && !slices.Contains(testHelpers, importer) {
		return "the imported package is for tests only, and must not be part of the program"
	}
	target, ok := levelOf(imported)
	if !ok {
		return "the imported package has no floor"
	}
	if slices.Contains(testHelpers, importer) && target.floor <= l.floor {
		return ""
	}
	isLower := target.floor < l.floor || target.floor == l.floor && target.step < l.step
	if isLower {
		return ""
	}
	return fmt.Sprintf("the imported package is not lower: its floor and step are %d, those of the importing package are %d", target, l)
}

// faultInOtherModule is like faultInModule, for an imported package that is in another module.
func faultInOtherModule(importer, imported string) string {
	for _, rule := range importRules {
		if rule.module != "" && !isUnder(imported, rule.module) {
			continue
		}
		if slices.ContainsFunc(rule.folders, func(folder string) bool { return isUnder(importer, folder) }) {
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

// isUnder reports whether path is folder or a path in folder.
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
