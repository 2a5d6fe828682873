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

// TestUserState runs this test again as a user who may not write to the default folder.
func TestUserState(t *testing.T) {
	const child = "HB_TEST_USER_STATE"
	if dir := os.Getenv(child); dir != "" {
		t.Logf("got %q", userState(dir, os.Environ()))
		return
	}
	if os.Getuid() != 0 {
		t.Skip("only root can be another user")
	}
	dir, err := os.MkdirTemp("/tmp", "hanbridge-state")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	home, closed, program := filepath.Join(dir, "home"), filepath.Join(dir, "closed"), filepath.Join(dir, "test")
	for folder, mode := range map[string]os.FileMode{dir: 0o755, home: 0o777, closed: 0o755} {
		if err := os.MkdirAll(folder, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(folder, mode); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := os.ReadFile("/proc/self/exe"); err != nil || os.WriteFile(program, text, 0o755) != nil {
		t.Skip("no copy of the test can be made")
	}
	for _, tt := range []struct{ dir, state, want string }{
		{closed + "/hanbridge", "", home + "/.local/state/hanbridge"},
		{closed, home + "/xdg", home + "/xdg/hanbridge"},
		{home + "/hanbridge", "", ""},
		{closed, closed, ""},
	} {
		c := exec.Command(program, "-test.run=^TestUserState$", "-test.v")
		c.Dir = home
		c.Env = []string{child + "=" + tt.dir, "HOME=" + home, "XDG_STATE_HOME=" + tt.state}
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 54321, Gid: 54321}}
		out, err := c.CombinedOutput()
		if want := `got "` + tt.want + `"`; err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: got %v, %s, want %s", tt.dir, err, out, want)
		}
	}
}
