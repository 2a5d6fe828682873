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

// TestDoctorAtPorts tests the verdict of the command doctor about a working meter, a silent meter, and ports that it cannot open.
func TestDoctorAtPorts(t *testing.T) {
	t.Parallel()
	t.Run("working meter", func(t *testing.T) {
		t.Parallel()
		cable := testbed.PlugCable(t, "p1-se-aidon")
		p := testbed.Hanbridge(t, nil, "doctor", cable.Path, "--dwell", "5s")
		cable.SendUntil(500*time.Millisecond, "doctor ends", p.Ended)
		requireVerdict(t, p, 0, "line      115200 8N1: P1, ", "checksum right", "every 0.5 s", "verdict   the meter is well.", "port: "+cable.Path)
	})
	t.Run("silent meter", func(t *testing.T) {
		t.Parallel()
		cable := testbed.PlugCable(t, "p1-se-aidon")
		p := testbed.Hanbridge(t, nil, "doctor", cable.Path, "--dwell", "200ms")
		requireVerdict(t, p, 1, "port      "+cable.Path+"   readable, not in use", "verdict   no bytes in ", "grid company")
	})
	t.Run("port in use", func(t *testing.T) {
		t.Parallel()
		cable := testbed.PlugCable(t, "p1-se-aidon")
		reader := testbed.Hanbridge(t, nil, "capture", cable.Path, "--out", "-")
		reader.AwaitOutput("reading " + cable.Path)
		p := testbed.Hanbridge(t, nil, "doctor", cable.Path)
		requireVerdict(t, p, 1, "verdict   open "+cable.Path+": another program reads it, hanbridge (process ")
	})
	t.Run("no permission", testNoPermission)
}

// requireVerdict waits for the end of a command, and requires its exit code and texts in its output.
func requireVerdict(t *testing.T, p *testbed.Process, wantCode int, wantTexts ...string) {
	t.Helper()
	if code := p.ExitCode(); code != wantCode {
		t.Errorf("exit code: got %d, want %d", code, wantCode)
	}
	requireTexts(t, p.Output(), wantTexts...)
}

// requireTexts requires that the output contains the texts.
func requireTexts(t *testing.T, output string, wantTexts ...string) {
	t.Helper()
	for _, text := range wantTexts {
		if !strings.Contains(output, text) {
			t.Errorf("output: got\n%s\nwant in it %q", output, text)
		}
	}
}

// testNoPermission tests a port that the user is not allowed to open. The verdict must say how to give the user access.
func testNoPermission(t *testing.T) {
	t.Parallel()
	cable := testbed.PlugCable(t, "p1-se-aidon")
	port := cable.Port.Name()
	if err := os.Chmod(port, 0); err != nil {
		t.Fatal(err)
	}
	cmd, _ := unprivilegedCommand(t, "doctor", port)
	out, err := cmd.Output()
	if exit := new(exec.ExitError); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("doctor: got error %v, want exit code 1", err)
	}
	var stat unix.Stat_t
	if err := unix.Stat(port, &stat); err != nil {
		t.Fatal(err)
	}
	requireTexts(t, string(out), "verdict   open "+port+": permission denied (group ", fmt.Sprintf(`Container: add group_add: ["%d"]`, stat.Gid), "usermod -aG")
}
