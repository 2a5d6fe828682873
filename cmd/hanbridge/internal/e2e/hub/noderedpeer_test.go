//go:build linux && peers

package hub_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// A nodeRED is a running Node-RED with a temporary user folder.
type nodeRED struct {
	t         *testing.T
	variables []string
	dir       string // the user folder
	port      string // of the web server
	process   *testbed.Process
}

// newNodeRED starts a Node-RED with the broker's host and port in the environment. In the time zone of this Node-RED it is about noon, so that
// no day ends during the test.
func newNodeRED(t *testing.T, host, port string) *nodeRED {
	t.Helper()
	zone := fmt.Sprintf("TZ=Etc/GMT%+d", time.Now().UTC().Hour()-12) // POSIX counts hours west of Greenwich
	n := &nodeRED{t: t, variables: []string{"MQTT_HOST=" + host, "MQTT_PORT=" + port, zone}, dir: t.TempDir(), port: testbed.FreePort(t)}
	for _, name := range []string{"flows.json", "settings.js"} {
		if err := os.WriteFile(filepath.Join(n.dir, name), []byte(testbed.ReadFile(t, "deploy/nodered/"+name)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	n.start()
	return n
}

// start starts Node-RED with the shipped settings. Node-RED listens only on 127.0.0.1, and writes its context to disk every second.
func (n *nodeRED) start() {
	n.t.Helper()
	n.process = testbed.Launch(n.t, n.variables, "node-red",
		"--userDir", n.dir, "--port", n.port, "--no-telemetry", "-D", "uiHost=127.0.0.1", "-D", "disableEditor=true",
		"-D", "contextStorage.default.config.flushInterval=1")
}

// get returns the body at a path, or "" if Node-RED does not answer with status 200.
func (n *nodeRED) get(path string) string {
	n.t.Helper()
	request, err := http.NewRequestWithContext(n.t.Context(), http.MethodGet, "http://127.0.0.1:"+n.port+path, nil)
	if err != nil {
		n.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return ""
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		return ""
	}
	return string(text)
}

// meterValues returns the values of the meter "house" in Node-RED. It returns nil if the meter is offline.
func (n *nodeRED) meterValues() map[string]any {
	n.t.Helper()
	text := n.get("/hanbridge/values")
	if text == "" {
		return nil
	}
	var meters map[string]map[string]any
	if err := json.Unmarshal([]byte(text), &meters); err != nil {
		n.t.Fatalf("/hanbridge/values: %v: %s", err, text)
	}
	if meters["house"]["status"] != "online" {
		return nil
	}
	return meters["house"]
}

// hasNumbers reports whether Node-RED has these numbers for the meter "house".
func (n *nodeRED) hasNumbers(numbers map[string]float64) bool {
	n.t.Helper()
	house := n.meterValues()
	for name, want := range numbers {
		if got, isNumber := house[name].(float64); !isNumber || got != want {
			return false
		}
	}
	return true
}

// awaitPage waits until the page contains all texts.
func (n *nodeRED) awaitPage(texts ...string) {
	n.t.Helper()
	for _, text := range texts {
		testbed.Until(n.t, "the page shows: "+text, func() bool { return strings.Contains(n.get("/hanbridge"), text) })
	}
}

// awaitContextFile waits until Node-RED has written the energy of the day to disk.
func (n *nodeRED) awaitContextFile() {
	n.t.Helper()
	testbed.Until(n.t, "the flow's context is on disk", func() bool {
		files, err := filepath.Glob(filepath.Join(n.dir, "context", "*", "flow.json"))
		if err != nil || len(files) != 1 {
			return false
		}
		text, err := os.ReadFile(files[0])
		return err == nil && strings.Contains(string(text), `"house export_energy"`)
	})
}
