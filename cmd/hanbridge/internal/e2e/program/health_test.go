//go:build linux

package program_test

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
	"golang.org/x/sys/unix"
)

// runHealth runs the command health with these variables, and returns its output and exit code.
func runHealth(t *testing.T, variables []string, args ...string) (output string, code int) {
	t.Helper()
	p := testbed.Hanbridge(t, variables, append([]string{"health"}, args...)...)
	code = p.ExitCode()
	return p.Output(), code
}

// requireHealth runs the command health, and requires its exit code and texts in its output.
func requireHealth(t *testing.T, variables []string, wantCode int, wantTexts ...string) {
	t.Helper()
	output, code := runHealth(t, variables)
	isMissing := func(text string) bool { return !strings.Contains(output, text) }
	if code != wantCode || slices.ContainsFunc(wantTexts, isMissing) {
		t.Errorf("health: got exit code %d and the output\n%s\nwant exit code %d and in the output %q", code, output, wantCode, wantTexts)
	}
}

// TestHealth tests the command health. A bridge without telegrams and without a broker must be healthy while it runs. It must be unhealthy while
// SIGSTOP stops it, and after a crash. The meter has the id "meter".
func TestHealth(t *testing.T) {
	t.Parallel()
	for name, state := range map[string]string{"state folder": t.TempDir(), "no state": "off"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			port, cable := testbed.FreePort(t), testbed.PlugCable(t, "p1-se-aidon")
			variables := []string{"HANBRIDGE_STATE_DIR=" + state, "HANBRIDGE_MQTT_URL=mqtt://127.0.0.1:" + port, cable.PortVariable()}
			requireHealth(t, variables, 1, "no hanbridge runs with this configuration")
			run := testbed.Hanbridge(t, variables, "run")
			run.AwaitOutput("output interrupted")
			run.AwaitOutput("port opened")
			requireHealth(t, variables, 0, "healthy", "output mqtt: interrupted: mqtt: nobody listens", "meter meter: no telegram yet")
			otherState := append(slices.Clone(variables), "HANBRIDGE_STATE_DIR="+t.TempDir())
			requireHealth(t, otherState, 1, "no hanbridge runs with this configuration")
			run.Signal(syscall.SIGSTOP)
			requireHealth(t, variables, 1, "does not answer")
			run.Signal(syscall.SIGCONT)
			requireHealth(t, variables, 0, "healthy")
			run.Kill()
			connected := listen(t, port)
			requireHealth(t, variables, 1, "no hanbridge runs with this configuration")
			if connected() {
				t.Error("the command health has connected to the broker")
			}
			run = testbed.Hanbridge(t, variables, "run")
			run.AwaitOutput("port opened")
			requireHealth(t, variables, 0, "healthy")
			run.Stop(syscall.SIGTERM)
		})
	}
	// A wrong configuration has the exit code 2.
	requireHealth(t, []string{"HANBRIDGE_MQTT_QOS=7"}, 2, "HANBRIDGE_MQTT_QOS")
}

// listen listens on a port. The returned function reports whether a client has connected.
func listen(t *testing.T, port string) (connected func() bool) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return func() bool {
		_ = l.(*net.TCPListener).SetDeadline(time.Now().Add(100 * time.Millisecond))
		_, err := l.Accept()
		return err == nil
	}
}

// TestHealthOfStuckMeter tests that the command health reports a meter whose goroutine makes no progress. The goroutine is stuck because
// it logs the first telegram to a full pipe. When the test reads the pipe, the goroutine makes progress again. The meter has the id "meter".
func TestHealthOfStuckMeter(t *testing.T) {
	t.Parallel()
	cable := testbed.PlugCable(t, "p1-se-aidon")
	variables := []string{"HANBRIDGE_STATE_DIR=" + t.TempDir(), "HANBRIDGE_MQTT_URL=mqtt://127.0.0.1:" + testbed.FreePort(t), cable.PortVariable()}
	log, logWriter := smallPipe(t)
	run := exec.CommandContext(t.Context(), testbed.Program(t), "run")
	run.Dir, run.Env, run.Stderr = t.TempDir(), append(os.Environ(), variables...), logWriter
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = run.Process.Kill(); _ = run.Wait() })
	for lines := bufio.NewScanner(log); lines.Scan() && !strings.Contains(lines.Text(), "port opened"); {
	}
	go func() { // fills the pipe; a longer write would wait for a whole free page, and leave space for lines of the log
		for err := error(nil); err == nil; {
			_, err = logWriter.Write([]byte{0})
		}
	}()
	testbed.Until(t, "the pipe is full", func() bool {
		n, err := unix.IoctlGetInt(int(log.Fd()), unix.TIOCINQ) //nolint:gosec // a descriptor; TIOCINQ is the number of bytes in the pipe
		return err == nil && n >= 4096
	})
	cable.Send()
	testbed.Until(t, "the meter is stuck", func() bool {
		output, code := runHealth(t, variables, "--after", "1s")
		return code == 1 && strings.Contains(output, "hanbridge: meter meter is stuck: no progress since ") && strings.Contains(output, "\nhanbridge: restart hanbridge.")
	})
	go func() { _, _ = io.Copy(io.Discard, log) }() // until the test ends
	testbed.Until(t, "the meter makes progress again", func() bool {
		output, code := runHealth(t, variables, "--after", "1s")
		return code == 0 && !strings.Contains(output, "meter meter")
	})
}

// smallPipe returns a pipe that holds 4096 bytes. A write to the full pipe blocks.
func smallPipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.FcntlInt(uintptr(ends[1]), unix.F_SETPIPE_SZ, 4096); err != nil {
		t.Fatal(err)
	}
	r, w = os.NewFile(uintptr(ends[0]), "log"), os.NewFile(uintptr(ends[1]), "log")
	t.Cleanup(func() { _ = w.Close(); _ = r.Close() })
	return r, w
}
