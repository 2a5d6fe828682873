//go:build linux

// Package testbed starts what the end-to-end tests need: the built program, Mosquitto brokers, and simulated meters on cables that can be
// unplugged.
package testbed

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/discovery/hatest"
)

// waitLimit is the maximum time that Until waits. It is long enough for a machine under heavy load.
const waitLimit = 2 * time.Minute

// parallelTests is how many tests of a package run in parallel. It can be larger than the number of CPUs, because the tests mostly wait.
const parallelTests = "24"

// folder holds the built program while the tests of a package run.
var folder string

// Main runs the tests of a package and ends the process. The TestMain of every package that uses testbed must call Main.
func Main(m *testing.M) {
	err := flag.Set("test.parallel", parallelTests) // a flag on the command line overrides this value
	if err == nil {
		folder, err = os.MkdirTemp("", "hanbridge-test-")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

// Program returns the path of the program. The tests of a package build the program once, with the build tags of the container image.
func Program(t testing.TB) string {
	t.Helper()
	path, err := buildProgram()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var buildProgram = sync.OnceValues(func() (path string, err error) {
	if folder == "" {
		return "", errors.New("testbed: the package's TestMain does not call testbed.Main")
	}
	path = filepath.Join(folder, "hanbridge")
	// "go run -exec cp" copies the program instead of running it. Unlike go build, go run caches the linked program.
	build := exec.Command("go", "run", "-tags", "timetzdata", "-exec", "cp", "./cmd/hanbridge", path)
	build.Dir = ModuleRoot
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go run -exec cp: %w\n%s", err, out)
	}
	return path, nil
})

// ModuleRoot is the folder of the module. Tests run in the folder of their package, which is five levels below ModuleRoot.
var ModuleRoot, _ = filepath.Abs("../../../../..")

// ReadFile returns the text of a file of the module.
func ReadFile(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(ModuleRoot, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// RequireProgram skips the test if a program of another project, such as Mosquitto, is not installed. With CI=true the test fails instead.
func RequireProgram(t testing.TB, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed, and CI=true", program)
	}
	howToInstall := "Debian: apt-get install mosquitto mosquitto-clients systemd nodejs jq curl"
	if program == "node-red" {
		howToInstall = "npm install --global node-red@4.1"
	}
	t.Skipf("%s is not installed (%s)", program, howToInstall)
}

// Until waits until a condition holds, and fails the test if it does not hold within waitLimit. what describes the condition.
func Until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	retry := time.NewTicker(10 * time.Millisecond)
	defer retry.Stop()
	for deadline := time.Now().Add(waitLimit); !condition(); <-retry.C {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", waitLimit, what)
		}
	}
}

// FirstTelegram returns the values, by quantity, of the first telegram on a cable with a meter of the family p1-se-aidon or aidon-se.
func FirstTelegram(t testing.TB, family string) map[string]string {
	t.Helper()
	want := map[string]string{}
	for line := range strings.Lines(ReadFile(t, "cmd/hanbridge/internal/e2e/testbed/testdata/aidon.txt")) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		// In aidon-se telegrams the current of a phase that exports is negative. In this telegram each phase exports.
		if family == "aidon-se" && strings.HasPrefix(name, "current_") {
			value = "-" + value
		}
		want[name] = value
	}
	return want
}

// nonQuantityTopics are the topics below <base>/<meter>/ that do not carry a quantity.
var nonQuantityTopics = strings.Fields("status telegrams telegram_errors rejected rejected_reason telegram_interval last_telegram telegram info event")

// Values returns the values of the meter "house", by quantity, from payloads by topic.
func Values(payloads map[string]string) map[string]string {
	values := map[string]string{}
	for topic, payload := range payloads {
		if name, isOfHouse := strings.CutPrefix(topic, "hanbridge/house/"); isOfHouse && !slices.Contains(nonQuantityTopics, name) {
			values[name] = payload
		}
	}
	return values
}

// Announcements returns the discovery payloads for Home Assistant from payloads by topic. A removed announcement has an empty payload. The
// test fails for each fault that hatest.CheckSet finds.
func Announcements(t testing.TB, payloads map[string]string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for topic, payload := range payloads {
		if strings.HasPrefix(topic, "homeassistant/") && strings.HasSuffix(topic, "/config") {
			all[topic] = []byte(payload)
		}
	}
	for _, err := range hatest.CheckSet(all) {
		t.Error(err)
	}
	return all
}
