//go:build linux

// Package meter_test tests the program with simulated meters at serial ports and network-attached readers.
package meter_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }

// TestCheckDenied tests the command check as a user who cannot read the port and cannot create the state folder. The command must print two
// warnings.
func TestCheckDenied(t *testing.T) {
	t.Parallel()
	cable := testbed.PlugCable(t, "p1-se-aidon")
	cmd, uid := unprivilegedCommand(t, "check")
	parent := filepath.Join(cmd.Dir, "readonly") // the user cannot create a folder in it
	state := filepath.Join(parent, "hanbridge")
	for _, err := range []error{os.Mkdir(parent, 0o555), os.Chmod(cable.Port.Name(), 0)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	cmd.Env = append(cmd.Env, "HANBRIDGE_MQTT_URL=mqtt://127.0.0.1:"+testbed.FreePort(t), "HANBRIDGE_METER_PORT="+cable.Port.Name(), "HANBRIDGE_STATE_DIR="+state)
	out, err := cmd.Output()
	if exit := new(exec.ExitError); !errors.As(err, &exit) {
		t.Errorf("check: got error %v, want an exit code, because no broker is running", err)
	}
	requireTexts(t, string(out),
		fmt.Sprintf("warning        %s: user id %d may not read it: hanbridge doctor says what to do\n", cable.Port.Name(), uid),
		fmt.Sprintf("warning        state_dir: user id %d may not write to %s: nothing is remembered over a restart (sudo install -d -o %d %s)\n", uid, parent, uid, state))
}

// unprivilegedCommand returns a command of the program that runs as a user without root's rights, and the id of this user. If root runs the
// test, the user is nobody. The program is a copy in a folder that every user can read.
func unprivilegedCommand(t *testing.T, args ...string) (cmd *exec.Cmd, uid int) {
	t.Helper()
	folder, err := os.MkdirTemp("", "hanbridge-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	copied := filepath.Join(folder, "hanbridge")
	// The command install writes the copy, because Linux executes no file that a process has open for writing. If this process wrote the copy, a
	// child of a parallel test could inherit the open file.
	install := exec.CommandContext(t.Context(), "install", "-m", "755", testbed.Program(t), copied)
	for _, err := range []error{os.Chmod(folder, 0o755), install.Run()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	cmd = exec.CommandContext(t.Context(), copied, args...)
	cmd.Dir, cmd.Env, uid = folder, []string{"HOME=" + folder}, os.Getuid()
	if uid == 0 {
		uid = 65534 // nobody
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	}
	return cmd, uid
}
