//go:build linux

// Package testbed starts what the end-to-end tests need: the program as it is built, real brokers, and meters on cables that can be
// unplugged. Nothing in it waits for a fixed time, and every port is one that the kernel has given.
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

// patience ends a wait for what will never happen. It says nothing about how fast the program is.
const patience = 2 * time.Minute

// atOnce is how many tests of a package run side by side: they spend their time waiting for programs.
const atOnce = "24"

// folder holds the program while the tests of a package run.
var folder string

// Main runs the tests of a package. Its TestMain calls it, and nothing else.
func Main(m *testing.M) {
	err := flag.Set("test.parallel", atOnce) // the command line may say otherwise
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

// Program returns the path of the program, built as the image builds it. A package builds it once; what go run has linked before, it
// takes from its cache.
func Program(t testing.TB) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var built = sync.OnceValues(func() (path string, err error) {
	if folder == "" {
		return "", errors.New("testbed: the package's TestMain does not call testbed.Main")
	}
	path = filepath.Join(folder, "hanbridge")
	build := exec.Command("go", "run", "-tags", "timetzdata", "-exec", "cp", "./cmd/hanbridge", path)
	build.Dir = Top
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go run -exec cp: %w\n%s", err, out)
	}
	return path, nil
})

// Top is the folder of the module: the tests of a package run in the package's.
var Top, _ = filepath.Abs("../../../../..")

// File returns the text of a file of the module.
func File(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(Top, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// NeedPeer skips the test where a program is missing that others make. With CI=true the test fails instead: there it has to be.
func NeedPeer(t testing.TB, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed, and CI=true", program)
	}
	how := "Debian: apt-get install mosquitto mosquitto-clients systemd nodejs jq curl"
	if program == "node-red" {
		how = "npm install --global node-red@4.1"
	}
	t.Skipf("%s is not installed (%s)", program, how)
}

// Until looks again and again whether something holds, and ends the test where it never does.
func Until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(patience); !holds(); <-again.C {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// FirstTelegram returns the quantities of the first telegram on a cable of the families p1-se-aidon and aidon-se, by name.
func FirstTelegram(t testing.TB, family string) map[string]string {
	t.Helper()
	want := map[string]string{}
	for line := range strings.Lines(File(t, "cmd/hanbridge/internal/e2e/testbed/testdata/aidon.txt")) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if family == "aidon-se" && strings.HasPrefix(name, "current_") {
			value = "-" + value // this list signs currents as their power
		}
		want[name] = value
	}
	return want
}

// aboutBridge are the topics below a meter's that are no quantities.
var aboutBridge = strings.Fields("status telegrams telegram_errors rejected rejected_reason telegram_interval last_telegram telegram info event")

// Values returns the quantities of the meter "house" among what was heard, by name.
func Values(heard map[string]string) map[string]string {
	values := map[string]string{}
	for topic, payload := range heard {
		if name, ofMeter := strings.CutPrefix(topic, "hanbridge/house/"); ofMeter && !slices.Contains(aboutBridge, name) {
			values[name] = payload
		}
	}
	return values
}

// Announcements returns what was heard for hubs, by topic. It has to be sound; what was taken back is "".
func Announcements(t testing.TB, heard map[string]string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for topic, payload := range heard {
		if strings.HasPrefix(topic, "homeassistant/") && strings.HasSuffix(topic, "/config") {
			all[topic] = []byte(payload)
		}
	}
	for _, err := range hatest.CheckSet(all) {
		t.Error(err)
	}
	return all
}
