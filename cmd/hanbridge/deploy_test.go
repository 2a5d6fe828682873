package main_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// top is the module's folder as seen from this package's tests.
const top = "../../"

// A composition is what the tests read of deploy/compose.yaml.
type composition struct {
	Services map[string]composed
	Configs  map[string]struct{ Content string }
}

type composed struct {
	Image       string
	Command     []string
	Profiles    []string
	Devices     []string
	Environment map[string]string
	DependsOn   []string `yaml:"depends_on"`
	GroupAdd    []string `yaml:"group_add"`
	ReadOnly    bool     `yaml:"read_only"`
	CapDrop     []string `yaml:"cap_drop"`
	SecurityOpt []string `yaml:"security_opt"`
}

// TestDeployment keeps what people copy to their machines true to the program: its commands, its settings, a real broker.
func TestDeployment(t *testing.T) {
	hanbridge := buildProgram(t)
	compose := readCompose(t)
	t.Run("compose", func(t *testing.T) { testComposeServices(t, hanbridge, compose) })
	t.Run("broker", func(t *testing.T) { testComposeBroker(t, hanbridge, compose) })
	t.Run("unit", func(t *testing.T) { testUnit(t, hanbridge) })
	t.Run("image", func(t *testing.T) { testImage(t, hanbridge) })
}

func testComposeServices(t *testing.T, hanbridge string, compose composition) {
	settings := knownSettings(t)
	for _, name := range []string{"hanbridge", "demo"} {
		s, ok := compose.Services[name]
		if !ok || s.Image != "hanbridge/hanbridge" {
			t.Fatalf("service %s: got image %q, want hanbridge/hanbridge", name, s.Image)
		}
		wantCommand(t, hanbridge, append(s.Command, "run")[0])
		for key := range s.Environment {
			if key != "TZ" && !slices.Contains(settings, key) {
				t.Errorf("service %s: %s is no setting of config.example.yaml, which has %v", name, key, settings)
			}
		}
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Equal(s.SecurityOpt, []string{"no-new-privileges:true"}) {
			t.Errorf("service %s may do more than it needs: got %+v", name, s)
		}
		if !slices.Equal(s.DependsOn, []string{"mosquitto"}) {
			t.Errorf("service %s depends on %v, want mosquitto", name, s.DependsOn)
		}
	}
	meter, demo := compose.Services["hanbridge"], compose.Services["demo"]
	if len(meter.Devices) != 1 || len(meter.GroupAdd) != 1 {
		t.Errorf("service hanbridge: got devices %v and groups %v, want one line to edit and one group", meter.Devices, meter.GroupAdd)
	}
	if !slices.Equal(demo.Profiles, []string{"demo"}) || !slices.Equal(demo.Command, []string{"demo"}) || len(demo.Devices) != 0 {
		t.Errorf("service demo: got %+v, want the command demo in the profile demo without a device", demo)
	}
}

// testComposeBroker runs a real Mosquitto with the configuration of compose.yaml, asks the image's own health check whether
// it is well, and looks for the demo's values there.
func testComposeBroker(t *testing.T, hanbridge string, compose composition) {
	needPeer(t, "mosquitto")
	needPeer(t, "mosquitto_sub")
	port := startComposeBroker(t, compose.Configs["mosquitto"].Content)

	env := composeEnvironment(t, compose.Services["demo"], port)
	health := exec.CommandContext(t.Context(), hanbridge, dockerfileLine(t, "HEALTHCHECK")[1:]...)
	health.Env = env
	if out, err := health.CombinedOutput(); err != nil {
		t.Errorf("health check beside the broker of compose.yaml: %v\n%s", err, out)
	}

	var log strings.Builder
	demo := exec.CommandContext(t.Context(), hanbridge, compose.Services["demo"].Command...)
	demo.Env, demo.Stdout, demo.Stderr = env, &log, &log
	startUntilTestEnds(t, demo)
	topic := "hanbridge/+/import_power"
	sub := exec.CommandContext(t.Context(), "mosquitto_sub", "-h", "127.0.0.1", "-p", port, "-C", "1", "-W", "20", "-t", topic)
	got, err := sub.Output()
	if err != nil || !regexp.MustCompile(`^\d+\n$`).Match(got) {
		stop(demo)
		t.Errorf("%s of the demo: got %q, %v, want a bare number. The demo said:\n%s", topic, got, err, &log)
	}
}

// startComposeBroker gives the port of a Mosquitto on loopback. Only the places in its configuration are changed.
func startComposeBroker(t *testing.T, content string) string {
	t.Helper()
	port, dir := freePort(t), t.TempDir()
	for _, want := range []string{"listener 1883\n", "persistence_location /mosquitto/data/\n", "persistence true\n", "set_tcp_nodelay true\n"} {
		if !strings.Contains(content, want) {
			t.Fatalf("mosquitto's configuration in compose.yaml lacks %q", want)
		}
	}
	content = strings.Replace(content, "listener 1883\n", "listener "+port+" 127.0.0.1\n", 1)
	content = strings.Replace(content, "/mosquitto/data/", dir+"/", 1)
	file := filepath.Join(dir, "mosquitto.conf")
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil { // Started by root, Mosquitto turns into a user of its own.
		t.Fatal(err)
	}
	var log strings.Builder
	broker := exec.CommandContext(t.Context(), "mosquitto", "-c", file)
	broker.Stdout, broker.Stderr = &log, &log
	startUntilTestEnds(t, broker)
	if err := awaitListener(t, "127.0.0.1:"+port); err != nil {
		stop(broker)
		t.Fatalf("mosquitto refuses its configuration in compose.yaml: %v\n%s", err, &log)
	}
	return port
}

// composeEnvironment is that of a service, with the broker's name and port on this machine.
func composeEnvironment(t *testing.T, s composed, port string) []string {
	t.Helper()
	env := os.Environ()
	for key, value := range s.Environment {
		moved := strings.Replace(value, "mosquitto:1883", "127.0.0.1:"+port, 1)
		if key == "HANBRIDGE_MQTT_URL" && moved == value {
			t.Fatalf("%s=%s does not lead to the service mosquitto", key, value)
		}
		env = append(env, key+"="+moved)
	}
	return env
}

func testUnit(t *testing.T, hanbridge string) {
	unit := readText(t, "deploy/hanbridge.service")
	start := strings.Fields(unitValue(t, unit, "ExecStart"))
	if want := []string{"/usr/local/bin/hanbridge", "run", "--config", "/etc/hanbridge/config.yaml"}; !slices.Equal(start, want) {
		t.Fatalf("ExecStart: got %q, want %q", start, want)
	}
	if help := wantCommand(t, hanbridge, start[1]); !strings.Contains(help, start[2]) {
		t.Errorf("ExecStart: %s is no flag of run:\n%s", start[2], help)
	}
	// The runtime's own exit code after a panic is 2 too: only as a signal is a crash told from a wrong configuration.
	for key, want := range map[string]string{"RestartPreventExitStatus": "2", "Environment": "GOTRACEBACK=crash", "PrivateDevices": "no"} {
		if got := unitValue(t, unit, key); got != want {
			t.Errorf("%s: got %q, want %q", key, got, want)
		}
	}
	needPeer(t, "systemd-analyze")
	file := filepath.Join(t.TempDir(), "hanbridge.service")
	if err := os.WriteFile(file, []byte(strings.Replace(unit, start[0], hanbridge, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", file).CombinedOutput(); err != nil || strings.Contains(string(out), file) {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

func testImage(t *testing.T, hanbridge string) {
	wantCommand(t, hanbridge, dockerfileLine(t, "HEALTHCHECK")[1])
	wantCommand(t, hanbridge, dockerfileLine(t, "CMD")[0])
	if got := dockerfileLine(t, "ENTRYPOINT"); !slices.Equal(got, []string{"/hanbridge"}) {
		t.Errorf("ENTRYPOINT: got %q, want /hanbridge", got)
	}
	language := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(readText(t, "go.mod"))
	if want := "golang:" + language[1] + "-"; !strings.Contains(readText(t, "Dockerfile"), want) {
		t.Errorf("Dockerfile does not build with %s…, the language of go.mod", want)
	}
	sent := strings.Split(readText(t, ".dockerignore"), "\n")
	for _, p := range listPackages(t) {
		folder, _, _ := strings.Cut(strings.TrimPrefix(p.ImportPath, module), "/")
		if !slices.Contains(sent, "!"+folder) {
			t.Errorf(".dockerignore keeps %s out of the image's build: add !%s", p.ImportPath, folder)
		}
	}
}

// buildProgram gives the path of the program as the image builds it.
func buildProgram(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hanbridge")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "timetzdata", "-o", path, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// wantCommand asks the program for help on a command, which it must have, and gives the help.
func wantCommand(t *testing.T, hanbridge, command string) string {
	t.Helper()
	help, err := exec.CommandContext(t.Context(), hanbridge, command, "--help").Output()
	if err != nil || !strings.Contains(string(help), "hanbridge "+command) {
		t.Errorf("hanbridge has no command %q: %v\n%s", command, err, help)
	}
	return string(help)
}

func readCompose(t *testing.T) composition {
	t.Helper()
	var c composition
	if err := yaml.Unmarshal([]byte(readText(t, "deploy/compose.yaml")), &c); err != nil {
		t.Fatalf("deploy/compose.yaml: %v", err)
	}
	return c
}

// knownSettings gives every environment variable that config.example.yaml's keys make.
func knownSettings(t *testing.T) []string {
	t.Helper()
	var example map[string]any
	if err := yaml.Unmarshal([]byte(readText(t, "config.example.yaml")), &example); err != nil {
		t.Fatalf("config.example.yaml: %v", err)
	}
	return variables("HANBRIDGE", example)
}

func variables(prefix string, value any) []string {
	var names []string
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			names = append(names, variables(prefix+"_"+strings.ToUpper(key), inner)...)
		}
	case []any:
		for _, inner := range v {
			names = append(names, variables(strings.TrimSuffix(prefix, "S"), inner)...)
		}
	default:
		names = append(names, prefix)
	}
	slices.Sort(names)
	return names
}

// dockerfileLine gives the words of an instruction in exec form.
func dockerfileLine(t *testing.T, instruction string) []string {
	t.Helper()
	line := regexp.MustCompile(`(?m)^` + instruction + `\b[^\[]*(\[.*\])$`).FindStringSubmatch(readText(t, "Dockerfile"))
	if line == nil {
		t.Fatalf("Dockerfile has no %s in exec form", instruction)
	}
	var words []string
	if err := yaml.Unmarshal([]byte(line[1]), &words); err != nil || len(words) == 0 {
		t.Fatalf("Dockerfile: %s: %v", line[0], err)
	}
	return words
}

func unitValue(t *testing.T, unit, key string) string {
	t.Helper()
	line := regexp.MustCompile(`(?m)^` + key + `=(.*)$`).FindStringSubmatch(unit)
	if line == nil {
		t.Fatalf("hanbridge.service has no %s", key)
	}
	return line[1]
}

func readText(t *testing.T, name string) string {
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
	t.Skipf("%s is not installed (Debian: apt-get install mosquitto mosquitto-clients systemd)", program)
}

// startUntilTestEnds starts a program that is asked to end with the test, and killed if it does not.
func startUntilTestEnds(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(cmd) })
}

// stop ends a started program and waits, so that all it said can be read. A second call does nothing.
func stop(cmd *exec.Cmd) {
	if cmd.ProcessState == nil {
		_ = cmd.Cancel()
		_ = cmd.Wait()
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
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
