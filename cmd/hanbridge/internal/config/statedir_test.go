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

// TestUserState tests which state folder a user gets who cannot write to the default folder. The test runs a copy of the test
// program as that user.
func TestUserState(t *testing.T) {
	const childEnv = "HB_TEST_USER_STATE"
	if dir := os.Getenv(childEnv); dir != "" {
		t.Logf("got %q", userState(dir, os.Environ())) // the parent process reads this line
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
	for _, tt := range []struct{ name, defaultDir, xdgStateHome, want string }{
		{"default folder cannot be created", readOnly + "/hanbridge", "", home + "/.local/state/hanbridge"},
		{"default folder is read-only, and XDG_STATE_HOME is set", readOnly, home + "/xdg", home + "/xdg/hanbridge"},
		{"default folder can be created", home + "/hanbridge", "", ""},
		{"no folder is writable", readOnly, readOnly, ""},
	} {
		c := exec.Command(program, "-test.run=^TestUserState$", "-test.v")
		c.Dir = home
		c.Env = []string{childEnv + "=" + tt.defaultDir, "HOME=" + home, "XDG_STATE_HOME=" + tt.xdgStateHome}
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 54321, Gid: 54321}}
		out, err := c.CombinedOutput()
		if want := `got "` + tt.want + `"`; err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: got error %v and output %s, want output %s", tt.name, err, out, want)
		}
	}
}
