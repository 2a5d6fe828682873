//go:build linux

package state_test

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/bridge/internal/state"
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
	dir := wrote(t, map[string]string{"a": "1", "gone": "1", "other": "1"})
	s := begin(t, dir)
	var told []string
	s.OnTrouble(func(err error) { told = append(told, fmt.Sprint(err)) }, nil)
	commit := func(a string) {
		keep(s, map[string]string{"a": a, "large": strings.Repeat(a, 1<<20)})
		s.Commit()
	}
	s.Forget("gone")
	limit(t, 1<<16)
	commit("2")
	commit("3")
	if len(told) != 1 || !strings.Contains(told[0], "hanbridge.db cannot be written (is the disk full?)") {
		t.Errorf("got %q, want one error that names the file", told)
	}
	s.Believe(map[string][]byte{"a": []byte("4"), "other": []byte("1")})
	limit(t, 1<<30)
	commit("4")
	if len(told) != 2 || told[1] != "<nil>" {
		t.Errorf("got %q, want the end of the trouble told", told)
	}
	end(t, s)
	s = begin(t, dir)
	if _, cause := s.Aside(); cause != nil {
		t.Error(cause)
	}
	want := map[string]string{"a": "4", "large": strings.Repeat("4", 1<<20), "other": "1"}
	if diff := cmp.Diff(want, values(s)); diff != "" {
		t.Errorf("on disk (-want +got):\n%s", diff)
	}
}

// fullAtFirst opens a new folder on a full disk. What could not be begun leaves nothing behind, and is begun when there is room.
func fullAtFirst(t *testing.T) {
	for _, room := range []uint64{0, 4096} {
		dir := filepath.Join(t.TempDir(), "state")
		limit(t, room)
		s, err := state.Open(dir)
		if err == nil || s == nil || !strings.Contains(err.Error(), dir) {
			t.Fatalf("room for %d bytes: got %v, want an error with the folder", room, err)
		}
		told := listen(s)
		keep(s, map[string]string{"a": "1"})
		s.Commit()
		if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 || len(*told) > 0 {
			t.Errorf("room for %d bytes: got %v, %v, told %q, want an empty folder and nothing told", room, entries, err, *told)
		}
		limit(t, 1<<30)
		s.Commit()
		if len(*told) != 1 || (*told)[0] != "trouble: <nil>" {
			t.Errorf("room for %d bytes: got %q, want the end of the trouble told", room, *told)
		}
		end(t, s)
		if got := string(begin(t, dir).Value("a")); got != "1" {
			t.Errorf("room for %d bytes: got %q on disk, want 1", room, got)
		}
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
