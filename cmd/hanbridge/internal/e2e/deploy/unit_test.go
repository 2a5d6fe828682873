//go:build linux

// Package deploy_test tests the Dockerfile and the files in the folder deploy.
package deploy_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }

// TestUnit tests that the systemd unit starts an existing command, has the settings that the program needs, and passes the checks of systemd-analyze.
func TestUnit(t *testing.T) {
	t.Parallel()
	unit := testbed.ReadFile(t, "deploy/hanbridge.service")
	start := strings.Fields(unitValue(t, unit, "ExecStart"))
	if want := []string{"/usr/local/bin/hanbridge", "run", "--config", "/etc/hanbridge/config.yaml"}; !slices.Equal(start, want) {
		t.Fatalf("ExecStart: got %q, want %q", start, want)
	}
	if help := requireCommand(t, start[1]); !strings.Contains(help, start[2]) {
		t.Errorf("ExecStart: %s is no flag of run:\n%s", start[2], help)
	}
	for key, want := range map[string]string{
		// A wrong configuration and a panic have the same exit code, 2. With GOTRACEBACK=crash a panic ends with a signal, so that systemd restarts
		// the program only after a panic.
		"Restart": "always", "RestartPreventExitStatus": "2", "Environment": "GOTRACEBACK=crash",
		// The program is ready after the first telegram, which can arrive weeks later.
		"Type": "notify", "NotifyAccess": "main", "TimeoutStartSec": "infinity", "WatchdogSec": "60",
		// The program must have access to serial ports and to its state folder.
		"PrivateDevices": "no", "StateDirectory": strings.TrimPrefix(exampleSetting(t, "state_dir"), "/var/lib/"),
	} {
		if got := unitValue(t, unit, key); got != want {
			t.Errorf("%s: got %q, want %q", key, got, want)
		}
	}
	// Without After the target would be reached only after the first telegram, because a target waits for its units.
	if target := unitValue(t, unit, "WantedBy"); !strings.Contains(unit, "\nAfter="+target+"\n") {
		t.Errorf("the unit lacks After=%s", target)
	}
	// The program notifies systemd through a Unix socket.
	if families := strings.Fields(unitValue(t, unit, "RestrictAddressFamilies")); !slices.Contains(families, "AF_UNIX") {
		t.Errorf("RestrictAddressFamilies: got %q, want AF_UNIX in the list", families)
	}
	checkUnitWithSystemd(t, strings.Replace(unit, start[0], testbed.Program(t), 1))
}

// checkUnitWithSystemd checks the unit with systemd-analyze, which needs no running systemd.
func checkUnitWithSystemd(t *testing.T, unit string) {
	t.Helper()
	testbed.RequireProgram(t, "systemd-analyze")
	file := filepath.Join(t.TempDir(), "hanbridge.service")
	if err := os.WriteFile(file, []byte(unit), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", file).CombinedOutput(); err != nil || strings.Contains(string(out), file) {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	// The threshold is an exposure level in tenths. With systemd 252 the exposure level of the unit is 1.5. It differs a little between versions.
	security := exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=true", "--threshold=20", file)
	if out, err := security.CombinedOutput(); err != nil {
		t.Errorf("systemd-analyze security: %v\n%s", err, out)
	}
}

// TestNotify tests the messages to systemd that the unit requires with Type=notify and WatchdogSec. The program must also send these messages
// without a broker.
func TestNotify(t *testing.T) {
	t.Parallel()
	cable := testbed.PlugCable(t, "p1-se-aidon")
	socket := newNotifySocket(t)
	const watchdog = "WATCHDOG_USEC=100000" // 100 ms
	env := []string{"NOTIFY_SOCKET=" + socket.path, watchdog, "HANBRIDGE_STATE_DIR=" + t.TempDir(),
		"HANBRIDGE_MQTT_URL=mqtt://127.0.0.1:" + testbed.FreePort(t), cable.PortVariable()}
	run := testbed.Hanbridge(t, env, "run")
	run.AwaitOutput("port opened")
	socket.await("STATUS=waiting for the first telegram", 1)
	socket.await("WATCHDOG=1", 5)
	if got := socket.messages(); slices.Contains(got, "READY=1") {
		t.Fatalf("ready before the first telegram: %q", got)
	}
	cable.Send()
	socket.await("READY=1", 1)
	socket.await("STATUS=meter online, telegrams: 1", 1)
	socket.await("WATCHDOG=1", 10) // these messages continue although no broker listens
	run.Stop(syscall.SIGTERM)
	socket.await("STOPPING=1", 1)
}

// A notifySocket is systemd's end of the notification socket. It records all messages.
type notifySocket struct {
	t    *testing.T
	path string

	mu       sync.Mutex
	received []string
}

// newNotifySocket listens on a new socket until the test ends.
func newNotifySocket(t *testing.T) *notifySocket {
	t.Helper()
	n := &notifySocket{t: t, path: filepath.Join(t.TempDir(), "notify")}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: n.path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		for buf := make([]byte, 4096); ; {
			size, err := conn.Read(buf)
			if err != nil {
				return // the test has ended
			}
			n.mu.Lock()
			n.received = append(n.received, string(buf[:size]))
			n.mu.Unlock()
		}
	}()
	return n
}

// messages returns all messages so far.
func (n *notifySocket) messages() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.received)
}

// await waits until a message has arrived the given number of times.
func (n *notifySocket) await(message string, times int) {
	n.t.Helper()
	testbed.Until(n.t, "message to systemd: "+message, func() bool {
		return len(slices.DeleteFunc(n.messages(), func(other string) bool { return other != message })) >= times
	})
}

// unitValue returns the value of a key in the unit.
func unitValue(t *testing.T, unit, key string) string {
	t.Helper()
	line := regexp.MustCompile(`(?m)^` + key + `=(.*)$`).FindStringSubmatch(unit)
	if line == nil {
		t.Fatalf("hanbridge.service has no %s", key)
	}
	return line[1]
}
