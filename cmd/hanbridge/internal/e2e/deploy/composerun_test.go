//go:build linux

package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// TestComposeRun runs services of compose.yaml without containers. It uses the commands, configurations and environments in the file.
func TestComposeRun(t *testing.T) {
	t.Parallel()
	c := readComposeFile(t)
	t.Run("nodered", func(t *testing.T) { testComposeFlow(t, c) })
	broker := startComposeBroker(t, c.Configs["mosquitto"].Content)
	t.Run("hanbridge", func(t *testing.T) { testComposeMeter(t, c, broker) })
	t.Run("demo", func(t *testing.T) { testComposeDemo(t, c, broker) })
}

// startComposeBroker runs Mosquitto on 127.0.0.1 with the shipped configuration. It replaces only the port and the folder.
func startComposeBroker(t *testing.T, content string) *testbed.Mosquitto {
	t.Helper()
	port, dir := testbed.FreePort(t), t.TempDir()
	content = mustReplace(t, content, "listener 1883\n", "listener "+port+" 127.0.0.1\n")
	content = mustReplace(t, content, "persistence_location /mosquitto/data/\n", "persistence_location "+dir+"/\n")
	for _, want := range []string{"persistence true\n", "set_tcp_nodelay true\n"} {
		if !strings.Contains(content, want) {
			t.Errorf("mosquitto's configuration in compose.yaml lacks %q", want)
		}
	}
	if err := os.Chmod(dir, 0o777); err != nil { // if root starts Mosquitto, Mosquitto switches to another user
		t.Fatal(err)
	}
	return testbed.ConfigureMosquitto(t, port, content)
}

// mustReplace replaces all occurrences of old in a text. If there is none, the test fails.
func mustReplace(t *testing.T, text, old, replacement string) string {
	t.Helper()
	if !strings.Contains(text, old) {
		t.Fatalf("want %q in:\n%s", old, text)
	}
	return strings.ReplaceAll(text, old, replacement)
}

// serviceVariables returns the environment of a service, with the broker's address on this machine.
func serviceVariables(t *testing.T, s composeService, broker *testbed.Mosquitto) []string {
	t.Helper()
	var env []string
	for key, value := range s.Environment {
		if key == "HANBRIDGE_MQTT_URL" {
			value = mustReplace(t, value, "mosquitto:1883", "127.0.0.1:"+broker.Port)
		}
		env = append(env, key+"="+value)
	}
	return env
}

// awaitHealthy waits until the health check of the image succeeds with the environment variables env.
func awaitHealthy(t *testing.T, env []string) {
	t.Helper()
	testbed.Until(t, "success of the health check", func() bool {
		check := exec.CommandContext(t.Context(), testbed.Program(t), dockerfileInstruction(t, "HEALTHCHECK")[1:]...)
		check.Env = env
		return check.Run() == nil
	})
}

// testComposeMeter runs the service hanbridge, with a pseudo-terminal in place of the device and a folder in place of the volume.
func testComposeMeter(t *testing.T, c composeFile, broker *testbed.Mosquitto) {
	cable, messages := testbed.PlugCable(t, "p1-se-aidon"), broker.LogMessages()
	env := append(serviceVariables(t, c.Services["hanbridge"], broker), cable.PortVariable(), "HANBRIDGE_STATE_DIR="+t.TempDir())
	run := testbed.Hanbridge(t, env, append(c.Services["hanbridge"].Command, dockerfileInstruction(t, "CMD")...)...)
	run.AwaitOutput("port opened")
	awaitHealthy(t, env)
	cable.Send()
	messages.AwaitMessage("hanbridge/meter/import_energy", "40140.615")
	messages.AwaitMessage("hanbridge/meter/status", "online")
	messages.AwaitMessage("homeassistant/device/hanbridge_meter/config")
	run.Stop(syscall.SIGTERM)
}

// testComposeDemo runs the service demo.
func testComposeDemo(t *testing.T, c composeFile, broker *testbed.Mosquitto) {
	messages := broker.LogMessages()
	env := append(serviceVariables(t, c.Services["demo"], broker), "HANBRIDGE_STATE_DIR="+t.TempDir())
	demo := testbed.Hanbridge(t, env, c.Services["demo"].Command...)
	if got := messages.AwaitMessage("hanbridge/demo/import_power"); !regexp.MustCompile(`^\d+$`).MatchString(got) {
		t.Errorf("import_power of the demo: got %q, want only digits", got)
	}
	awaitHealthy(t, env)
	demo.Stop(syscall.SIGINT)
}

// testComposeFlow runs the script that prepares Node-RED. The first start must copy the shipped flow and settings to Node-RED's folder. Later
// starts must not overwrite changes of the user.
func testComposeFlow(t *testing.T, c composeFile) {
	s := c.Services["nodered"]
	if len(s.Entrypoint) != 3 || s.Entrypoint[0] != "sh" || s.Entrypoint[1] != "-c" {
		t.Fatalf("entrypoint: got %q, want sh -c and a command line", s.Entrypoint)
	}
	configs, data, workDir := t.TempDir(), t.TempDir(), t.TempDir()
	for _, config := range s.Configs {
		name := mustReplace(t, config.Target, "/hanbridge/", configs+"/")
		text := testbed.ReadFile(t, filepath.Join("deploy", c.Configs[config.Source].File))
		if err := os.WriteFile(name, []byte(text), 0o444); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(workDir+"/entrypoint.sh", []byte("#!/bin/sh\necho started\n"), 0o755); err != nil { // in place of Node-RED
		t.Fatal(err)
	}
	start := func() {
		t.Helper()
		line := mustReplace(t, mustReplace(t, s.Entrypoint[2], "/hanbridge/", configs+"/"), "/data/", data+"/")
		sh := exec.CommandContext(t.Context(), s.Entrypoint[0], "-c", line)
		sh.Dir = workDir
		if out, err := sh.CombinedOutput(); err != nil || string(out) != "started\n" {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
	}
	start()
	flow := filepath.Join(data, s.Environment["FLOWS"])
	requireFile(t, flow, testbed.ReadFile(t, "deploy/nodered/flows.json"))
	requireFile(t, data+"/settings.js", testbed.ReadFile(t, "deploy/nodered/settings.js"))
	for _, variable := range []string{`"${MQTT_HOST}"`, `"${MQTT_PORT}"`} {
		if !strings.Contains(testbed.ReadFile(t, "deploy/nodered/flows.json"), variable) {
			t.Errorf("the flow does not take the broker from %s", variable)
		}
	}
	if err := os.Remove(flow); err != nil { // the copied file is possibly read-only
		t.Fatal(err)
	}
	if err := os.WriteFile(flow, []byte("[]"), 0o644); err != nil {
		t.Fatal(err)
	}
	start()
	requireFile(t, flow, "[]") // the user's flow
}

// requireFile requires the text of a file.
func requireFile(t *testing.T, name, want string) {
	t.Helper()
	if got, err := os.ReadFile(name); err != nil || string(got) != want {
		t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
	}
}
