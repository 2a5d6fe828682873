//go:build linux

package main_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestDoctorAtPorts runs the program on ports that are terminals of this machine, as people's are.
func TestDoctorAtPorts(t *testing.T) {
	hanbridge := buildProgram(t)
	t.Run("all well", func(t *testing.T) {
		c := pluggedCable(t, "p1-se-aidon")
		p := launch(t, nil, hanbridge, "doctor", c.name, "--dwell", "2s")
		c.sends(500*time.Millisecond, 20*time.Second, "the doctor is done", func() bool { return ended(p) })
		wantVerdict(t, p, 0, "line      115200 8N1: P1, ", "checksum right", "every 0.5 s", "verdict   the meter is well.", "port: "+c.name)
	})
	t.Run("silence", func(t *testing.T) {
		c := pluggedCable(t, "p1-se-aidon")
		p := launch(t, nil, hanbridge, "doctor", c.name, "--dwell", "200ms")
		until(t, 20*time.Second, "the doctor is done", func() bool { return ended(p) })
		wantVerdict(t, p, 1, "port      "+c.name+"   readable, not in use", "verdict   no bytes in ", "grid company")
	})
	t.Run("in use", func(t *testing.T) {
		c := pluggedCable(t, "p1-se-aidon")
		reader := launch(t, nil, hanbridge, "capture", c.name, "--out", "-")
		reader.awaits(10*time.Second, "reading "+c.name)
		p := launch(t, nil, hanbridge, "doctor", c.name)
		until(t, 20*time.Second, "the doctor is done", func() bool { return ended(p) })
		wantVerdict(t, p, 1, "verdict   open "+c.name+": another program reads it, hanbridge (process ")
	})
	t.Run("no permission", func(t *testing.T) { testNoPermission(t, hanbridge) })
}

func ended(p *process) bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

func wantVerdict(t *testing.T, p *process, code int, want ...string) {
	t.Helper()
	if got := p.cmd.ProcessState.ExitCode(); got != code {
		t.Errorf("exit code: got %d, want %d", got, code)
	}
	wantTexts(t, p.said(), want...)
}

func wantTexts(t *testing.T, got string, want ...string) {
	t.Helper()
	for _, text := range want {
		if !strings.Contains(got, text) {
			t.Errorf("want %q in\n%s", text, got)
		}
	}
}

// testNoPermission tries a port that nobody may open. Root may open all, so in its place another user tries, with a copy of the
// program that everybody may run.
func testNoPermission(t *testing.T, hanbridge string) {
	c := pluggedCable(t, "p1-se-aidon")
	port := c.port.Name()
	folder, err := os.MkdirTemp("", "hanbridge-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	program, err := os.ReadFile(hanbridge)
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(folder, "hanbridge")
	for _, err := range []error{
		os.Chmod(folder, 0o755), os.WriteFile(copied, program, 0o755), os.Chmod(copied, 0o755),
		os.Chmod(port, 0),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, copied, "doctor", port)
	cmd.Dir, cmd.Env = folder, []string{"HOME=" + folder}
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	out, err := cmd.Output()
	if exit := new(exec.ExitError); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("got %v, want exit code 1", err)
	}
	var stat unix.Stat_t
	if err := unix.Stat(port, &stat); err != nil {
		t.Fatal(err)
	}
	wantTexts(t, string(out), "verdict   open "+port+": permission denied (group ", fmt.Sprintf(`Container: add group_add: ["%d"]`, stat.Gid), "usermod -aG")
}
