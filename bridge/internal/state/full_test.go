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

// inFull tells a copy of this test program that its files may not grow, as on a full disk.
const inFull = "HANBRIDGE_TEST_FULL"

// TestFull: a commit that finds no room is told once, and made good when there is room again, whatever it left on disk. The limit counts for the whole program,
// so a copy of it tries.
func TestFull(t *testing.T) {
	if os.Getenv(inFull) != "" {
		fill(t)
		fullAtFirst(t)
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFull$")
	cmd.Env = append(os.Environ(), inFull+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func fill(t *testing.T) {
	dir := wrote(t, map[string]string{"a": "1", "other": "1"})
	s := begin(t, dir)
	commit := func(a string) {
		keep(s, map[string]string{"a": a, "large": large(a)})
		s.Commit()
	}
	limit(t, 1<<16)
	commit("2")
	commit("3")
	wantLogged(t, s, "hanbridge.json cannot be written (is the disk full?)")
	wantOnDisk(t, dir, map[string]string{"a": "1", "other": "1"}) // as it was
	if got := names(t, dir); len(got) != 2 {
		t.Errorf("got %q, want nothing left behind", got)
	}
	limit(t, 1<<30)
	commit("4")
	wantLogged(t, s, "info: state is written again")
	wantOnDisk(t, dir, map[string]string{"a": "4", "large": large("4"), "other": "1"})
}

func large(a string) string { return `"` + strings.Repeat(a, 1<<20) + `"` }

// fullAtFirst opens a new folder on a full disk. What could not be begun is begun when there is room.
func fullAtFirst(t *testing.T) {
	for _, room := range []uint64{0, 64} {
		dir := filepath.Join(t.TempDir(), "state")
		limit(t, room)
		s := begin(t, dir)
		keep(s, map[string]string{"a": "1"})
		s.Commit()
		s.Commit()
		if lines := s.logged(); len(lines) != 1 || !strings.Contains(lines[0], dir) {
			t.Errorf("room for %d bytes: logged %q, want one line with the folder", room, lines)
		}
		if got := names(t, dir); len(got) != 1 { // the lock
			t.Errorf("room for %d bytes: got %q, want no state", room, got)
		}
		limit(t, 1<<30)
		s.Commit()
		wantLogged(t, s, "info: state is written again")
		wantOnDisk(t, dir, map[string]string{"a": "1"})
	}
}

// limit says how large a file may get, in bytes.
func limit(t *testing.T, size uint64) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ) // the limit's own, which a full disk does not send
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
}
