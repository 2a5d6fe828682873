//go:build linux

package state_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"github.com/hanbridge/hanbridge/bridge/internal/state"
)

func TestOpenLocked(t *testing.T) {
	dir := wrote(t, map[string]string{"a": "1"})
	synctest.Test(t, func(t *testing.T) {
		first := begin(t, dir)
		began := time.Now()
		_, err := state.Open(dir)
		if !errors.Is(err, state.ErrLocked) || !strings.Contains(fmt.Sprint(err), dir) || !strings.Contains(fmt.Sprint(err), "its own state_dir") {
			t.Errorf("got %v, want ErrLocked with the folder and what to do", err)
		}
		if took := time.Since(began); took < 400*time.Millisecond || took > time.Second {
			t.Errorf("got an answer after %v, want about half a second", took)
		}
		time.AfterFunc(200*time.Millisecond, func() { end(t, first) })
		if got := string(begin(t, dir).Value("a")); got != "1" {
			t.Errorf("got %q as soon as the first has ended, want 1", got)
		}
	})
}

func TestOpenNewer(t *testing.T) {
	dir := wrote(t, map[string]string{"a": "1"})
	path := filepath.Join(dir, "hanbridge.db")
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		bucket, key, contents := state.WithFormat(2)
		return tx.Bucket(bucket).Put(key, contents)
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := state.Open(dir); !errors.Is(err, state.ErrNewer) || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v, want ErrNewer with the folder", err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, before) {
		t.Errorf("the file has changed: %v", err)
	}
}

func TestOpenNoOrdinaryFile(t *testing.T) {
	for name, make := range map[string]func(string) error{
		"folder": func(path string) error { return os.Mkdir(path, 0o700) },
		"pipe":   func(path string) error { return syscall.Mkfifo(path, 0o600) },
	} {
		dir := t.TempDir()
		if err := make(filepath.Join(dir, "hanbridge.db")); err != nil {
			t.Fatal(err)
		}
		if _, err := state.Open(dir); err == nil || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: got %v, want an error with the folder", name, err)
		}
	}
}

// tryDir asks a copy of this test program to open the store in a folder, and to print the error.
const tryDir = "HANBRIDGE_TEST_TRY_DIR"

// TestOpenRefused tries folders that may not be written to. Root may write to all, so another user tries in its place.
func TestOpenRefused(t *testing.T) {
	if dir := os.Getenv(tryDir); dir != "" {
		_, err := state.Open(dir)
		fmt.Printf("said: %v\n", err)
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
		want := fmt.Sprintf("said: state_dir %s cannot be written: ", dir)
		got := asNobody(t, "TestOpenRefused", dir)
		if !strings.Contains(got, want) || !strings.Contains(got, "permission denied (give it to the user who runs hanbridge: sudo mkdir -p "+dir) {
			t.Errorf("got %q, want %q and what to do", got, want)
		}
	}
}

// asNobody runs a test for a folder as a user who may do nothing, from a copy of this program that everybody may run.
func asNobody(t *testing.T, test, dir string) string {
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
	program := filepath.Join(folder, "test")
	for _, err := range []error{os.Chmod(folder, 0o755), os.WriteFile(program, self, 0o755), os.Chmod(program, 0o755)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), program, "-test.run=^"+test+"$")
	cmd.Dir, cmd.Env = folder, []string{tryDir + "=" + dir}
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("as another user: %v\n%s", err, out)
	}
	return string(out)
}

// TestReadOnlyAtFirst: what may be read and not be written is found all the same, and is written once it may be.
func TestReadOnlyAtFirst(t *testing.T) {
	if dir := os.Getenv(tryDir); dir != "" {
		readOnlyAtFirst(t, dir)
		return
	}
	parent, err := os.MkdirTemp("", "hanbridge-test-")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(parent) })
	dir := filepath.Join(parent, "state")
	must(t, os.Chmod(parent, 0o755), os.Rename(wrote(t, map[string]string{"a": "1", "nobody": "1"}), dir))
	if os.Getuid() == 0 {
		must(t, os.Chown(dir, 65534, 65534), os.Chown(filepath.Join(dir, "hanbridge.db"), 65534, 65534))
	}
	asNobody(t, "TestReadOnlyAtFirst", dir)
}

// readOnlyAtFirst is the part of TestReadOnlyAtFirst that runs as the owner of the folder.
func readOnlyAtFirst(t *testing.T, dir string) {
	file := filepath.Join(dir, "hanbridge.db")
	must(t, os.Chmod(file, 0o400), os.Chmod(dir, 0o500))
	s, err := state.Open(dir)
	if err == nil || string(s.Value("a")) != "1" {
		t.Fatalf("got %q, %v, want the value, and that it cannot be written", s.Value("a"), err)
	}
	told := listen(s)
	keep(s, map[string]string{"a": "2"})
	s.Commit()
	must(t, os.Chmod(file, 0o600), os.Chmod(dir, 0o700))
	s.Commit()
	if len(*told) != 1 || (*told)[0] != "trouble: <nil>" {
		t.Errorf("got %q, want the end of the trouble told", *told)
	}
	end(t, s)
	if got := values(begin(t, dir)); got["a"] != "2" || got["nobody"] != "1" {
		t.Errorf("got %q on disk", got)
	}
}
