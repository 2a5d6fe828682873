//go:build unix

package config

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestUserState tests the state folder of a user who cannot write to the default folder dir. It runs the test program again as that user.
func TestUserState(t *testing.T) {
	const childEnv = "HB_TEST_USER_STATE"
	if dir := os.Getenv(childEnv); dir != "" {
		t.Logf("got %q", userState(dir, os.Environ()))
		return
	}
	if os.Getuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("only root can run a program as another user: run the tests as root")
		}
		t.Skip("only root can run a program as another user: run this test as root")
	}
	dir, err := os.MkdirTemp("/tmp", "hanbridge-state")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	home, readOnly, program := filepath.Join(dir, "home"), filepath.Join(dir, "readonly"), filepath.Join(dir, "test")
	for folder, mode := range map[string]os.FileMode{dir: 0o755, home: 0o777, readOnly: 0o755} {
		if err := os.MkdirAll(folder, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(folder, mode); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, text, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ dir, xdgStateHome, want string }{ // want is "" if dir is writable, or no folder is
		{readOnly + "/hanbridge", "", home + "/.local/state/hanbridge"},
		{readOnly, home + "/xdg", home + "/xdg/hanbridge"},
		{home + "/hanbridge", "", ""},
		{readOnly, readOnly, ""},
	} {
		c := exec.Command(program, "-test.run=^TestUserState$", "-test.v")
		c.Dir = home
		c.Env = []string{childEnv + "=" + tt.dir, "HOME=" + home, "XDG_STATE_HOME=" + tt.xdgStateHome}
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 54321, Gid: 54321}}
		out, err := c.CombinedOutput()
		if want := `got "` + tt.want + `"`; err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: got %v, %s, want %s", tt.dir, err, out, want)
		}
	}
}
