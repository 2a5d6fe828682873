//go:build linux

package main_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// askHealth asks for the health of the bridge with these variables, and returns what is said and the exit code.
func askHealth(t *testing.T, hanbridge string, variables []string, args ...string) (said string, code int) {
	t.Helper()
	ask := exec.CommandContext(t.Context(), hanbridge, append([]string{"health"}, args...)...)
	ask.Dir, ask.Env = t.TempDir(), append(withoutOwn(os.Environ()), variables...)
	out, err := ask.CombinedOutput()
	if err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	return string(out), ask.ProcessState.ExitCode()
}

// withoutOwn leaves out the HANBRIDGE_ variables of whoever runs the test.
func withoutOwn(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(v string) bool { return strings.HasPrefix(v, "HANBRIDGE_") })
}

// wantHealth wants an exit code and texts.
func wantHealth(t *testing.T, hanbridge string, variables []string, want int, texts ...string) {
	t.Helper()
	said, code := askHealth(t, hanbridge, variables)
	missing := func(text string) bool { return !strings.Contains(said, text) }
	if code != want || slices.ContainsFunc(texts, missing) {
		t.Errorf("got exit code %d, want %d with %q:\n%s", code, want, texts, said)
	}
}

// TestHealth asks about a bridge whose meter is silent and whose broker is away, with and without a folder of its own: while it runs, while
// it is stopped, and after a crash.
func TestHealth(t *testing.T) {
	t.Parallel()
	hanbridge := buildProgram(t)
	for name, state := range map[string]string{"state folder": t.TempDir(), "no state": "off"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			port, cable := freePort(t), pluggedCable(t, "p1-se-aidon")
			variables := []string{"HANBRIDGE_STATE_DIR=" + state, "HANBRIDGE_MQTT_URL=mqtt://127.0.0.1:" + port, cable.variable()}
			wantHealth(t, hanbridge, variables, 1, "no hanbridge runs with this configuration")
			run := launch(t, variables, hanbridge, "run")
			run.awaits(20*time.Second, "output interrupted")
			run.awaits(20*time.Second, "port opened")
			wantHealth(t, hanbridge, variables, 0, "healthy", "output mqtt: interrupted: mqtt: nobody listens", "meter meter: no telegram yet")
			another := append(slices.Clone(variables), "HANBRIDGE_STATE_DIR="+t.TempDir())
			wantHealth(t, hanbridge, another, 1, "no hanbridge runs with this configuration")
			signal(t, run, syscall.SIGSTOP)
			wantHealth(t, hanbridge, variables, 1, "does not answer")
			signal(t, run, syscall.SIGCONT)
			wantHealth(t, hanbridge, variables, 0, "healthy")
			run.kill()
			broker := accepts(t, port)
			wantHealth(t, hanbridge, variables, 1, "no hanbridge runs with this configuration")
			if broker() {
				t.Error("the command has connected to the broker")
			}
			run = launch(t, variables, hanbridge, "run")
			run.awaits(20*time.Second, "port opened")
			wantHealth(t, hanbridge, variables, 0, "healthy")
			run.ends(syscall.SIGTERM, 20*time.Second)
		})
	}
	wantHealth(t, hanbridge, []string{"HANBRIDGE_MQTT_QOS=7"}, 2, "HANBRIDGE_MQTT_QOS")
}

func signal(t *testing.T, p *process, s syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// accepts listens on a port, and returns what tells if somebody has connected.
func accepts(t *testing.T, port string) (connected func() bool) {
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

// TestHealthOfAStuckMeter has a log that nobody reads: the meter's goroutine does not get on when it logs that the meter speaks.
func TestHealthOfAStuckMeter(t *testing.T) {
	t.Parallel()
	hanbridge, cable := buildProgram(t), pluggedCable(t, "p1-se-aidon")
	variables := []string{"HANBRIDGE_STATE_DIR=" + t.TempDir(), "HANBRIDGE_MQTT_URL=mqtt://127.0.0.1:" + freePort(t), cable.variable()}
	log, toLog := smallPipe(t)
	run := exec.CommandContext(t.Context(), hanbridge, "run")
	run.Dir, run.Env, run.Stderr = t.TempDir(), append(withoutOwn(os.Environ()), variables...), toLog
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = run.Process.Kill(); _ = run.Wait() })
	for lines := bufio.NewScanner(log); lines.Scan() && !strings.Contains(lines.Text(), "port opened"); {
	}
	go func() { _, _ = toLog.Write(make([]byte, 1<<16)) }() // more than it holds
	until(t, 20*time.Second, "the log is full", func() bool {
		n, err := unix.IoctlGetInt(int(log.Fd()), unix.TIOCINQ) //nolint:gosec // a descriptor
		return err == nil && n >= 4096
	})
	cable.send()
	until(t, 60*time.Second, "the meter is stuck", func() bool {
		said, code := askHealth(t, hanbridge, variables, "--after", "1s")
		return code == 1 && strings.Contains(said, "hanbridge: meter meter is stuck: no progress since ") && strings.Contains(said, "\nhanbridge: restart hanbridge.")
	})
	go func() { _, _ = io.Copy(io.Discard, log) }() // until the test ends
	until(t, 60*time.Second, "the meter gets on", func() bool {
		said, code := askHealth(t, hanbridge, variables, "--after", "1s")
		return code == 0 && !strings.Contains(said, "meter meter")
	})
}

// smallPipe is a pipe that holds 4096 bytes, and to which writing waits.
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
