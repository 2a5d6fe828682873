//go:build linux

// Package meter_test tests the program with meters and readers of all kinds.
package meter_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }

// TestCheckDenied tests the command check with a port that may not be read, and a folder that may not be written to.
func TestCheckDenied(t *testing.T) {
	t.Parallel()
	c := testbed.PlugCable(t, "p1-se-aidon")
	cmd, uid := asNobody(t, "check")
	locked := filepath.Join(cmd.Dir, "locked")
	state := filepath.Join(locked, "hanbridge")
	for _, err := range []error{os.Mkdir(locked, 0o555), os.Chmod(c.Port.Name(), 0)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	cmd.Env = append(cmd.Env, "HANBRIDGE_MQTT_URL=mqtt://127.0.0.1:"+testbed.FreePort(t), "HANBRIDGE_METER_PORT="+c.Port.Name(), "HANBRIDGE_STATE_DIR="+state)
	out, _ := cmd.Output() // nobody listens where the broker should be
	wantTexts(t, string(out),
		fmt.Sprintf("warning        %s: user id %d may not read it: hanbridge doctor says what to do\n", c.Port.Name(), uid),
		fmt.Sprintf("warning        state_dir: user id %d may not write to %s: nothing is remembered over a restart (sudo install -d -o %d %s)\n", uid, locked, uid, state))
}

// asNobody prepares a run of the program by a user who is not root: if root runs the test, the program runs as another user. It is a
// copy that every user may run, in a folder of its own.
func asNobody(t *testing.T, args ...string) (cmd *exec.Cmd, uid int) {
	t.Helper()
	folder, err := os.MkdirTemp("", "hanbridge-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	program, err := os.ReadFile(testbed.Program(t))
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(folder, "hanbridge")
	for _, err := range []error{os.Chmod(folder, 0o755), os.WriteFile(copied, program, 0o755), os.Chmod(copied, 0o755)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	cmd = exec.CommandContext(t.Context(), copied, args...)
	cmd.Dir, cmd.Env, uid = folder, []string{"HOME=" + folder}, os.Getuid()
	if uid == 0 {
		uid = 65534
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	return cmd, uid
}
