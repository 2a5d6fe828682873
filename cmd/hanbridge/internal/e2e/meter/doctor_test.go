//go:build linux

package meter_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// TestDoctorAtPorts tests the command doctor with pseudo-terminals as its ports.
func TestDoctorAtPorts(t *testing.T) {
	t.Parallel()
	t.Run("all well", func(t *testing.T) {
		t.Parallel()
		c := testbed.PlugCable(t, "p1-se-aidon")
		p := testbed.Hanbridge(t, nil, "doctor", c.Name, "--dwell", "5s")
		c.SendUntil(500*time.Millisecond, "the doctor is done", p.Ended)
		wantVerdict(t, p, 0, "line      115200 8N1: P1, ", "checksum right", "every 0.5 s", "verdict   the meter is well.", "port: "+c.Name)
	})
	t.Run("silence", func(t *testing.T) {
		t.Parallel()
		c := testbed.PlugCable(t, "p1-se-aidon")
		p := testbed.Hanbridge(t, nil, "doctor", c.Name, "--dwell", "200ms")
		wantVerdict(t, p, 1, "port      "+c.Name+"   readable, not in use", "verdict   no bytes in ", "grid company")
	})
	t.Run("in use", func(t *testing.T) {
		t.Parallel()
		c := testbed.PlugCable(t, "p1-se-aidon")
		reader := testbed.Hanbridge(t, nil, "capture", c.Name, "--out", "-")
		reader.AwaitOutput("reading " + c.Name)
		p := testbed.Hanbridge(t, nil, "doctor", c.Name)
		wantVerdict(t, p, 1, "verdict   open "+c.Name+": another program reads it, hanbridge (process ")
	})
	t.Run("no permission", testNoPermission)
}

func wantVerdict(t *testing.T, p *testbed.Process, code int, want ...string) {
	t.Helper()
	if got := p.ExitCode(); got != code {
		t.Errorf("exit code: got %d, want %d", got, code)
	}
	wantTexts(t, p.Output(), want...)
}

func wantTexts(t *testing.T, got string, want ...string) {
	t.Helper()
	for _, text := range want {
		if !strings.Contains(got, text) {
			t.Errorf("want %q in\n%s", text, got)
		}
	}
}

// testNoPermission tests a port that may not be opened.
func testNoPermission(t *testing.T) {
	t.Parallel()
	c := testbed.PlugCable(t, "p1-se-aidon")
	port := c.Port.Name()
	if err := os.Chmod(port, 0); err != nil {
		t.Fatal(err)
	}
	cmd, _ := asNobody(t, "doctor", port)
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
