//go:build linux

package state_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/state"
)

// TestOpenLocked checks that Open waits half a second for another program that uses the folder, and then logs what to do.
func TestOpenLocked(t *testing.T) {
	dir := writtenState(t, map[string]string{"a": "1"})
	synctest.Test(t, func(t *testing.T) {
		first := openCleanly(t, dir)
		began := time.Now()
		lines := open(t, dir).logged()
		if got := strings.Join(lines, "\n"); !strings.Contains(got, "another hanbridge uses it") || !strings.Contains(got, dir) || !strings.Contains(got, "set another state_dir") {
			t.Errorf("logged %q, want that another hanbridge uses the folder, its name, and what to do", lines)
		}
		if took := time.Since(began); took < 400*time.Millisecond || took > time.Second {
			t.Errorf("Open took %v, want about half a second", took)
		}
		ended := make(chan struct{})
		time.AfterFunc(200*time.Millisecond, func() { closeStore(t, first); close(ended) }) // while the next Open waits
		if got := string(openCleanly(t, dir).Value("a")); got != "1" {
			t.Errorf("got %q after the first Store was closed, want 1", got)
		}
		<-ended
	})
}

// TestOpenNewer checks that Open returns nil and changes no file if a newer version has written the file. The same must hold if the file is
// damaged and a newer version has written the previous file.
func TestOpenNewer(t *testing.T) {
	newer := state.AddChecksum([]byte(`"format":2,"documents":["other"]}` + "\n"))
	for name, files := range map[string][2][]byte{"newer file": {newer, nil}, "newer previous file": {newer[:40], newer}} {
		dir := folderWith(t, files[0], files[1])
		before := fileNames(t, dir)
		s := open(t, dir)
		wantLogged(t, s, "written by a newer hanbridge")
		if s.Store != nil {
			t.Errorf("%s: got a Store, want nil", name)
		}
		if got := fileNames(t, dir); !slices.Equal(got, append(before, "hanbridge.lock")) {
			t.Errorf("%s: got files %q, want no file renamed", name, got)
		}
		wantLogged(t, open(t, dir), "written by a newer hanbridge") // the folder is not locked
	}
}

// envTryDir is an environment variable with a folder. It is set only in a copy of this test program, which opens the store in the folder.
const envTryDir = "HANBRIDGE_TEST_TRY_DIR"

// TestOpenNoPermission checks that Open logs what to do if a folder is not writable. Root can write everywhere, so a copy of the test program
// opens the folders as another user.
func TestOpenNoPermission(t *testing.T) {
	if dir := os.Getenv(envTryDir); dir != "" {
		fmt.Println(open(t, dir).logged())
		return
	}
	parent, err := os.MkdirTemp("", "hanbridge-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(parent) })
	dir := filepath.Join(parent, "state")
	for _, err := range []error{os.Mkdir(dir, 0o755), os.Chmod(dir, 0o555), os.Chmod(parent, 0o555)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{dir, filepath.Join(parent, "missing")} {
		want := fmt.Sprintf("nothing is remembered over a restart: counters are not compared with their last values, and hourly values are missing until the meter sends them; state_dir %s cannot be written: ", dir)
		got := runAsNobody(t, "TestOpenNoPermission", dir)
		if !strings.Contains(got, want) || !strings.Contains(got, "permission denied (give it to the user who runs hanbridge: sudo mkdir -p "+dir) {
			t.Errorf("got %q, want %q and what to do", got, want)
		}
	}
}

// runAsNobody runs a test in a copy of this program as a user without permissions, and returns the output. The copy finds the folder dir in
// envTryDir.
func runAsNobody(t *testing.T, test, dir string) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "hanbridge-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	self, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(folder, "test") // every user can execute this copy
	for _, err := range []error{os.Chmod(folder, 0o755), os.WriteFile(program, self, 0o755), os.Chmod(program, 0o755)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), program, "-test.run=^"+test+"$")
	cmd.Dir, cmd.Env = folder, []string{envTryDir + "=" + dir}
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}} // the user nobody
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("as another user: %v\n%s", err, out)
	}
	return string(out)
}

// TestReadOnlyAtOpen checks that Open reads a folder that is not writable, and that a commit succeeds after the folder has become writable.
func TestReadOnlyAtOpen(t *testing.T) {
	if dir := os.Getenv(envTryDir); dir != "" {
		testReadOnlyAtOpen(t, dir)
		return
	}
	parent, err := os.MkdirTemp("", "hanbridge-test-")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(parent) })
	dir := filepath.Join(parent, "state")
	must(t, os.Chmod(parent, 0o755), os.Rename(writtenState(t, map[string]string{"a": "1", "unregistered": "1"}), dir))
	if os.Getuid() == 0 {
		must(t, os.Chown(dir, 65534, 65534), os.Chown(filepath.Join(dir, state.FileName), 65534, 65534))
	}
	runAsNobody(t, "TestReadOnlyAtOpen", dir)
}

// testReadOnlyAtOpen is the part of TestReadOnlyAtOpen that runs as the owner of the folder.
func testReadOnlyAtOpen(t *testing.T, dir string) {
	file := filepath.Join(dir, state.FileName)
	must(t, os.Remove(filepath.Join(dir, "hanbridge.lock")), os.Chmod(file, 0o400), os.Chmod(dir, 0o500))
	s := open(t, dir)
	wantLogged(t, s, "permission denied")
	if got := string(s.Value("a")); got != "1" {
		t.Fatalf("got %q, want the stored value", got)
	}
	set(s, map[string]string{"a": "2"})
	s.Commit()
	must(t, os.Chmod(dir, 0o700))
	s.Commit()
	wantLogged(t, s, "info: state is written again")
	wantOnDisk(t, dir, map[string]string{"a": "2", "unregistered": "1"})
}
