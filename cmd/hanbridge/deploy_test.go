package main_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	tested "github.com/hanbridge/hanbridge/cmd/hanbridge"
)

// top is the module's folder as seen from this package's tests.
const top = "../../"

// TestImage keeps the Dockerfile true to the program.
func TestImage(t *testing.T) {
	hanbridge := buildProgram(t)
	wantCommand(t, hanbridge, dockerfileLine(t, "HEALTHCHECK")[1])
	wantCommand(t, hanbridge, dockerfileLine(t, "CMD")[0])
	if got := dockerfileLine(t, "ENTRYPOINT"); !slices.Equal(got, []string{"/hanbridge"}) {
		t.Errorf("ENTRYPOINT: got %q, want /hanbridge", got)
	}
	testStateFolder(t)
	language := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(contentOf(t, "go.mod"))
	if want := "golang:" + language[1] + "-"; !strings.Contains(contentOf(t, "Dockerfile"), want) {
		t.Errorf("Dockerfile does not build with %s…, the language of go.mod", want)
	}
	sent := strings.Split(contentOf(t, ".dockerignore"), "\n")
	for _, p := range listPackages(t) {
		folder, _, _ := strings.Cut(strings.TrimPrefix(p.ImportPath, module), "/")
		if !slices.Contains(sent, "!"+folder) {
			t.Errorf(".dockerignore keeps %s out of the image's build: add !%s", p.ImportPath, folder)
		}
	}
}

// testStateFolder wants the folder of what survives a restart in the image, owned by who runs the program: a volume takes its
// owner from there.
func testStateFolder(t *testing.T) {
	t.Helper()
	file := contentOf(t, "Dockerfile")
	user := regexp.MustCompile(`(?m)^USER (\S+)$`).FindStringSubmatch(file)
	made := regexp.MustCompile(`(?m)^RUN mkdir -p (/\S+)/(\S+)$`).FindStringSubmatch(file)
	copied := regexp.MustCompile(`(?m)^COPY --from=build --chown=(\S+) (/\S+) (/\S+)$`).FindStringSubmatch(file)
	if user == nil || made == nil || copied == nil {
		t.Fatal("Dockerfile: no user, or no folder that is made and copied for the user")
	}
	if copied[1] != user[1] || copied[2] != made[1] {
		t.Errorf("Dockerfile: %s is made, %s copied for %s: want the same folder, for the user %s", made[0], copied[2], copied[1], user[1])
	}
	if got, want := copied[3]+"/"+made[2], settingExample(t, "state_dir"); got != want {
		t.Errorf("Dockerfile: the folder is %s, want %s, the default of state_dir", got, want)
	}
}

// settingExample gives the value of a key of config.example.yaml, which is its default.
func settingExample(t *testing.T, key string) string {
	t.Helper()
	var example map[string]any
	if err := yaml.Unmarshal([]byte(contentOf(t, "config.example.yaml")), &example); err != nil {
		t.Fatalf("config.example.yaml: %v", err)
	}
	text, _ := example[key].(string)
	return text
}

// buildProgram gives the path of the program as the image builds it: one for all tests.
func buildProgram(t *testing.T) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var built = sync.OnceValues(func() (path string, err error) {
	path = filepath.Join(tested.BuildFolder, "hanbridge")
	build := exec.CommandContext(context.Background(), "go", "build", "-tags", "timetzdata", "-o", path, ".")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// wantCommand asks the program for help on a command, which it must have, and gives the help.
func wantCommand(t *testing.T, hanbridge, command string) string {
	t.Helper()
	help, err := exec.CommandContext(t.Context(), hanbridge, command, "--help").Output()
	if err != nil || !strings.Contains(string(help), "hanbridge "+command) {
		t.Errorf("hanbridge has no command %q: %v\n%s", command, err, help)
	}
	return string(help)
}

// wantSettings wants each name to be that of a variable that the program knows.
func wantSettings(t *testing.T, hanbridge string, names ...string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	check := exec.CommandContext(t.Context(), hanbridge, "check", "--config", file)
	check.Env = []string{"PATH=" + os.Getenv("PATH")}
	for _, name := range names {
		check.Env = append(check.Env, name+"=") // which counts as not set
	}
	out, err := check.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "mqtt.url: no broker is set") {
		t.Errorf("variables that the program does not know: %v\n%s", err, out)
	}
}

// dockerfileLine gives the words of an instruction in exec form.
func dockerfileLine(t *testing.T, instruction string) []string {
	t.Helper()
	line := regexp.MustCompile(`(?m)^` + instruction + `\b[^\[]*(\[.*\])$`).FindStringSubmatch(contentOf(t, "Dockerfile"))
	if line == nil {
		t.Fatalf("Dockerfile has no %s in exec form", instruction)
	}
	var words []string
	if err := yaml.Unmarshal([]byte(line[1]), &words); err != nil || len(words) == 0 {
		t.Fatalf("Dockerfile: %s: %v", line[0], err)
	}
	return words
}

func contentOf(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(top + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// needPeer skips the test where a real peer is missing, but in CI it fails: there the peer has to be.
func needPeer(t *testing.T, program string) {
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

// portsGiven counts the ports that freePort has given; it begins anywhere, since another run of the tests may be under way.
var portsGiven atomic.Uint32

func init() { portsGiven.Store(rand.Uint32N(1 << 16)) }

// freePort gives a port of the loopback interface on which nobody listens, for a server that has to be told one, and never the same twice.
// It is below those that systems give to clients, and to servers that do not care: none of them takes it in the meantime.
func freePort(t *testing.T) string {
	t.Helper()
	const lowest, count = 10_000, 10_000
	for range 100 {
		port := fmt.Sprint(lowest + portsGiven.Add(1)%count)
		if l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:"+port); err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no free port")
	return ""
}

// awaitListener waits up to ten seconds for somebody to accept connections there.
func awaitListener(t *testing.T, address string) error {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 500 {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
		if err == nil {
			return conn.Close()
		}
		<-tick.C
	}
	return errors.New("nobody listens on " + address + " after 10 s")
}
