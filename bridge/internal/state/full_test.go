//go:build linux

package state_test

import (
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// envFullDisk is an environment variable that is set only in a copy of this test program. The copy limits the size of its files, which has the
// same effect as a full disk.
const envFullDisk = "HANBRIDGE_TEST_FULL"

// TestFullDisk checks that failing commits on a full disk are logged once, create no files, and succeed when there is space again. A copy of
// the test program runs the test, because the limit applies to a whole process.
func TestFullDisk(t *testing.T) {
	if os.Getenv(envFullDisk) != "" {
		testFullDisk(t)
		testFullDiskAtOpen(t)
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFullDisk$")
	cmd.Env = append(os.Environ(), envFullDisk+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// testFullDisk fills the disk after the first commit.
func testFullDisk(t *testing.T) {
	dir := writtenState(t, map[string]string{"a": "1", "other": "1"})
	s := openCleanly(t, dir)
	commit := func(a string) {
		set(s, map[string]string{"a": a, "large": large(a)})
		s.Commit()
	}
	limitFileSize(t, 1<<16)
	commit("2")
	commit("3")
	wantLogged(t, s, "hanbridge.json cannot be written (is the disk full?)")
	wantOnDisk(t, dir, map[string]string{"a": "1", "other": "1"}) // unchanged
	if got := fileNames(t, dir); len(got) != 2 {
		t.Errorf("got files %q, want only the state file and the lock file", got)
	}
	limitFileSize(t, 1<<30)
	commit("4")
	wantLogged(t, s, "info: state is written again")
	wantOnDisk(t, dir, map[string]string{"a": "4", "large": large("4"), "other": "1"})
}

// large returns a JSON text of 1 MB.
func large(a string) string { return `"` + strings.Repeat(a, 1<<20) + `"` }

// testFullDiskAtOpen opens a new folder on a full disk. The first commit must succeed when there is space.
func testFullDiskAtOpen(t *testing.T) {
	for _, space := range []uint64{0, 64} { // the state file needs more than 64 bytes, because of its checksum
		dir := filepath.Join(t.TempDir(), "state")
		limitFileSize(t, space)
		s := openCleanly(t, dir)
		set(s, map[string]string{"a": "1"})
		s.Commit()
		s.Commit()
		if lines := s.logged(); len(lines) != 1 || !strings.Contains(lines[0], dir) {
			t.Errorf("space for %d bytes: logged %q, want one line with the folder", space, lines)
		}
		if got := fileNames(t, dir); len(got) != 1 {
			t.Errorf("space for %d bytes: got files %q, want only the lock file", space, got)
		}
		limitFileSize(t, 1<<30)
		s.Commit()
		wantLogged(t, s, "info: state is written again")
		wantOnDisk(t, dir, map[string]string{"a": "1"})
	}
}

// limitFileSize sets the maximum size of a file that this process writes, in bytes.
func limitFileSize(t *testing.T, size uint64) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ) // this limit sends a signal; a full disk does not
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
}
