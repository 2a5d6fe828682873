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

// A nodeRED is a Node-RED without its editor, in a folder of its own.
type nodeRED struct {
	t         *testing.T
	variables []string
	dir       string
	port      string
	process   *testbed.Process
}

// newNodeRED is started with the broker's host and port in the environment. It is noon there: no day ends during the test.
func newNodeRED(t *testing.T, host, port string) *nodeRED {
	t.Helper()
	zone := fmt.Sprintf("TZ=Etc/GMT%+d", time.Now().UTC().Hour()-12) // the sign is that of POSIX: west is positive
	n := &nodeRED{t: t, variables: []string{"MQTT_HOST=" + host, "MQTT_PORT=" + port, zone}, dir: t.TempDir(), port: testbed.FreePort(t)}
	for _, name := range []string{"flows.json", "settings.js"} {
		if err := os.WriteFile(filepath.Join(n.dir, name), []byte(testbed.ReadFile(t, "deploy/nodered/"+name)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	n.start()
	return n
}

// start adds to the shipped settings what keeps a test to itself.
func (n *nodeRED) start() {
	n.t.Helper()
	n.process = testbed.Launch(n.t, n.variables, "node-red",
		"--userDir", n.dir, "--port", n.port, "--no-telemetry", "-D", "uiHost=127.0.0.1", "-D", "disableEditor=true",
		"-D", "contextStorage.default.config.flushInterval=1")
}

// get gives "" while nobody answers.
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

// house is what Node-RED knows of the meter, each value as the type that it has there; nothing where it is offline.
func (n *nodeRED) house() map[string]any {
	n.t.Helper()
	text := n.get("/hanbridge/values")
	if text == "" {
		return nil
	}
	var known map[string]map[string]any
	if err := json.Unmarshal([]byte(text), &known); err != nil {
		n.t.Fatalf("/hanbridge/values: %v: %s", err, text)
	}
	if known["house"]["status"] != "online" {
		return nil
	}
	return known["house"]
}

// has tells whether Node-RED knows these numbers, as numbers.
func (n *nodeRED) has(numbers map[string]float64) bool {
	n.t.Helper()
	house := n.house()
	for name, want := range numbers {
		if got, isNumber := house[name].(float64); !isNumber || got != want {
			return false
		}
	}
	return true
}

// shows waits until all of texts are on the page.
func (n *nodeRED) shows(texts ...string) {
	n.t.Helper()
	for _, text := range texts {
		testbed.Until(n.t, "the page shows: "+text, func() bool { return strings.Contains(n.get("/hanbridge"), text) })
	}
}

// keepsContext waits until the energy of the day is on disk: Node-RED writes it now and then.
func (n *nodeRED) keepsContext() {
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
