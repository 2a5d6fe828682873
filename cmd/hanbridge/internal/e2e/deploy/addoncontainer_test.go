//go:build linux

package deploy_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// A supervisor is a model of Home Assistant's Supervisor. It answers the first request for the broker with an error, as if no broker were
// running yet. It answers the next requests with data about the broker.
type supervisor struct {
	server   *httptest.Server
	requests atomic.Int32 // number of requests for the broker
}

// supervisorToken is the token that requests of the add-on must contain.
const supervisorToken = "token-of-the-supervisor"

// newSupervisor starts a supervisor. data is the data about the broker.
func newSupervisor(t *testing.T, data map[string]any) *supervisor {
	t.Helper()
	s := new(supervisor)
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := map[string]any{"result": "ok", "data": data}
		switch {
		case r.URL.Path != "/services/mqtt" || r.Header.Get("Authorization") != "Bearer "+supervisorToken:
			w.WriteHeader(http.StatusForbidden)
			answer = map[string]any{"result": "error", "message": "forbidden"}
		case s.requests.Add(1) == 1:
			w.WriteHeader(http.StatusBadRequest)
			answer = map[string]any{"result": "error", "message": "Service not enabled"}
		}
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(s.server.Close)
	return s
}

// A container is a model of the add-on's container. It is a folder with the script and with programs that record their arguments.
type container struct {
	t          *testing.T
	supervisor *supervisor
	root       string // path of the folder
}

// newContainer returns a container with the given options. The program hanbridge in the container only records its arguments and
// environment. The program sleep does not wait.
func newContainer(t *testing.T, s *supervisor, options map[string]any) *container {
	t.Helper()
	testbed.RequireProgram(t, "jq")
	testbed.RequireProgram(t, "curl")
	c := &container{t: t, supervisor: s, root: t.TempDir()}
	if options == nil {
		options = map[string]any{}
	}
	text, err := json.Marshal(options)
	if err != nil {
		t.Fatal(err)
	}
	c.write("data/options.json", string(text), 0o600)
	c.write("bin/hanbridge", "#!/bin/sh\nprintf '%s\\n' hanbridge \"$@\" >>"+c.root+"/arguments\nenv -0 >"+c.root+"/environment\n", 0o755)
	c.write("bin/sleep", "#!/bin/sh\n", 0o755)
	// These programs record their arguments, and then run as usual.
	for _, name := range []string{"jq", "curl", "grep"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		c.write("bin/"+name, "#!/bin/sh\nprintf '%s\\n' "+name+" \"$@\" >>"+c.root+"/arguments\nexec "+path+" \"$@\"\n", 0o755)
	}
	// In the script, paths are replaced by paths below root, and the address of the Supervisor by the address of s.
	script := testbed.ReadFile(t, addonFolder+"run.sh")
	for _, folder := range []string{"/data/", "/config/", "/dev/serial/by-id/"} {
		script = mustReplace(t, script, folder, c.root+folder)
	}
	c.write("run.sh", mustReplace(t, script, "http://supervisor/", s.server.URL+"/"), 0o644)
	return c
}

// write writes a file of the container.
func (c *container) write(name, text string, mode os.FileMode) {
	c.t.Helper()
	name = filepath.Join(c.root, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		c.t.Fatal(err)
	}
}

// run runs the script as the image does, and returns its output and error.
func (c *container) run() (output string, err error) {
	c.t.Helper()
	sh := exec.CommandContext(c.t.Context(), "sh", c.root+"/run.sh")
	sh.Env = []string{"PATH=" + c.root + "/bin:" + os.Getenv("PATH"), "SUPERVISOR_TOKEN=" + supervisorToken}
	sh.WaitDelay = 5 * time.Second
	out, err := sh.CombinedOutput()
	return string(out), err
}

// environment returns the HANBRIDGE_ variables with which the script started hanbridge.
func (c *container) environment() map[string]string {
	c.t.Helper()
	text, err := os.ReadFile(c.root + "/environment")
	if err != nil {
		c.t.Fatalf("hanbridge was not started: %v", err)
	}
	variables := map[string]string{}
	for entry := range strings.SplitSeq(string(text), "\x00") {
		if name, value, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "HANBRIDGE_") {
			variables[name] = value
		}
	}
	return variables
}

// arguments returns the names and arguments of all programs that the script started, each on its own line.
func (c *container) arguments() string {
	c.t.Helper()
	text, err := os.ReadFile(c.root + "/arguments")
	if err != nil {
		c.t.Fatal(err)
	}
	return string(text)
}
