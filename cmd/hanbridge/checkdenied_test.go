//go:build linux

package main_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestCheckDenied has a port that nobody may read and a folder that nobody may write to. Root may do both, so in its place
// another user looks, with a copy of the program that everybody may run.
func TestCheckDenied(t *testing.T) {
	t.Parallel()
	hanbridge := buildProgram(t)
	c := pluggedCable(t, "p1-se-aidon")
	folder, err := os.MkdirTemp("", "hanbridge-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	program, err := os.ReadFile(hanbridge)
	if err != nil {
		t.Fatal(err)
	}
	copied, locked := filepath.Join(folder, "hanbridge"), filepath.Join(folder, "locked")
	for _, err := range []error{
		os.Chmod(folder, 0o755), os.WriteFile(copied, program, 0o755), os.Chmod(copied, 0o755), os.Mkdir(locked, 0o555), os.Chmod(c.port.Name(), 0),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, copied, "check")
	state := filepath.Join(locked, "hanbridge")
	cmd.Dir = folder
	cmd.Env = []string{"HOME=" + folder, "HANBRIDGE_MQTT_URL=mqtt://127.0.0.1:" + freePort(t), "HANBRIDGE_METER_PORT=" + c.port.Name(), "HANBRIDGE_STATE_DIR=" + state}
	uid := os.Getuid()
	if uid == 0 {
		uid = 65534
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	out, _ := cmd.Output() // nobody listens where the broker should be
	wantTexts(t, string(out),
		fmt.Sprintf("warning        %s: user id %d may not read it: hanbridge doctor says what to do\n", c.port.Name(), uid),
		fmt.Sprintf("warning        state_dir: user id %d may not write to %s: nothing is remembered over a restart (sudo install -d -o %d %s)\n", uid, locked, uid, state))
}
