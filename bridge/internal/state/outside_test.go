//go:build linux

package state_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/bridge/internal/state"
)

// must fails the test on the first error.
func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestChangedWhileOpen: what somebody does to the file or its folder is noticed before the next commit and told in one message, and
// everything is written again, also what nobody has changed.
func TestChangedWhileOpen(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(t *testing.T, dir, file string)
		told string
		// aside tells that a damaged file is set aside; undo, where it is not nil, is what a person must do first.
		aside bool
		undo  func(t *testing.T, dir, file string)
	}{
		{name: "file removed", told: "it was removed", do: func(t *testing.T, _, file string) { must(t, os.Remove(file)) }},
		{name: "folder removed", told: "it was removed", do: func(t *testing.T, dir, _ string) { must(t, os.RemoveAll(dir)) }},
		{name: "folder moved", told: "it was removed", do: func(t *testing.T, dir, _ string) { must(t, os.Rename(dir, dir+"-old")) }},
		{name: "folder emptied and made anew", told: "it was removed", do: func(t *testing.T, dir, _ string) {
			must(t, os.RemoveAll(dir), os.Mkdir(dir, 0o700))
		}},
		{name: "replaced by another program's file", told: "another file was put in its place", aside: true, do: func(t *testing.T, _, file string) {
			must(t, os.Remove(file), os.WriteFile(file, []byte("no state"), 0o600))
		}},
		{name: "replaced by an empty file", told: "another file was put in its place", aside: true, do: func(t *testing.T, _, file string) {
			must(t, os.Remove(file), os.WriteFile(file, nil, 0o600))
		}},
		{name: "replaced by an older state", told: "another file was put in its place", do: func(t *testing.T, _, file string) {
			must(t, os.Rename(filepath.Join(wrote(t, map[string]string{"a": "old", "more": "old"}), "hanbridge.db"), file))
		}},
		{name: "an older state copied into it", told: "somebody else has written to it", do: func(t *testing.T, _, file string) {
			old, err := os.ReadFile(filepath.Join(wrote(t, map[string]string{"a": "old", "more": "old"}), "hanbridge.db"))
			must(t, err, os.WriteFile(file, old, 0o600), os.Chtimes(file, time.Time{}, time.Now().Add(time.Minute)))
		}},
		{name: "cut to nothing", told: "it was cut", aside: true, do: func(t *testing.T, _, file string) { must(t, os.Truncate(file, 0)) }},
		{name: "cut in a page", told: "it was cut", aside: true, do: func(t *testing.T, _, file string) { must(t, os.Truncate(file, 5000)) }},
		{name: "garbled", told: "somebody else has written to it", aside: true, do: func(t *testing.T, _, file string) {
			info, err := os.Stat(file)
			must(t, err, os.WriteFile(file, bytes.Repeat([]byte{7}, int(info.Size())), 0o600), os.Chtimes(file, time.Time{}, time.Now().Add(time.Minute)))
		}},
		{name: "folder turned into a file", told: "not a directory", do: func(t *testing.T, dir, _ string) {
			must(t, os.RemoveAll(dir), os.WriteFile(dir, nil, 0o600))
		}, undo: func(t *testing.T, dir, _ string) { must(t, os.Remove(dir)) }},
		{name: "file turned into a folder", told: "is a directory", do: func(t *testing.T, _, file string) {
			must(t, os.Remove(file), os.Mkdir(file, 0o700))
		}, undo: func(t *testing.T, _, file string) { must(t, os.Remove(file)) }},
		{name: "file turned into a link to nothing", told: "which is not there", do: func(t *testing.T, dir, file string) {
			must(t, os.Remove(file), os.Symlink(dir+"-elsewhere", file))
		}, undo: func(t *testing.T, _, file string) { must(t, os.Remove(file)) }},
		{name: "folder turned into a link to nothing", told: "which is not there", do: func(t *testing.T, dir, _ string) {
			must(t, os.RemoveAll(dir), os.Symlink(dir+"-elsewhere", dir))
		}, undo: func(t *testing.T, dir, _ string) { must(t, os.Mkdir(dir+"-elsewhere", 0o700)) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "state")
			file := filepath.Join(dir, "hanbridge.db")
			s := begin(t, dir)
			keep(s, map[string]string{"a": "1", "nobody": "1"})
			s.Commit()
			end(t, s)
			s = begin(t, dir)
			told := listen(s)
			value := "1"
			s.Keep("a", func() []byte { return []byte(value) })
			s.Commit()
			tt.do(t, dir, file)
			for _, value = range []string{"2", "3"} { // told once
				s.Commit()
			}
			if tt.undo != nil {
				if _, err := os.Lstat(dir + "-elsewhere"); err == nil {
					t.Error("a link to nothing was followed")
				}
				tt.undo(t, dir, file)
				value = "4"
				s.Commit()
				if n := len(*told); n == 0 || (*told)[n-1] != "trouble: <nil>" {
					t.Errorf("got %q, want the end of the trouble told", *told)
				} else {
					*told = (*told)[:n-1]
				}
			}
			checkTold(t, *told, tt.told, tt.aside)
			end(t, s)
			if diff := cmp.Diff(map[string]string{"a": value, "nobody": "1"}, values(begin(t, dir))); diff != "" {
				t.Errorf("on disk (-want +got):\n%s", diff)
			}
		})
	}
}

// listen collects what a Store tells.
func listen(s *state.Store) *[]string {
	told := new([]string)
	s.OnTrouble(func(err error) { *told = append(*told, fmt.Sprintf("trouble: %v", err)) }, func(cause error, aside string) {
		*told = append(*told, fmt.Sprintf("again: %v, %s", cause, aside))
	})
	return told
}

// checkTold wants one message with a text, and no words of the Go runtime.
func checkTold(t *testing.T, told []string, want string, aside bool) {
	t.Helper()
	if len(told) != 1 || !strings.Contains(told[0], want) || strings.HasSuffix(told[0], ".damaged") != aside {
		t.Errorf("got %q, want one message with %q, of a file set aside: %v", told, want, aside)
	}
	for _, word := range []string{"nil pointer", "runtime error", "panic", "goroutine", "0x"} {
		if strings.Contains(strings.Join(told, " "), word) {
			t.Errorf("got %q with %q in it", told, word)
		}
	}
}

// TestTimeChangedWhileOpen: a file whose time alone is another, as after a backup or on a disk that rounds, is as it was left.
func TestTimeChangedWhileOpen(t *testing.T) {
	dir := wrote(t, map[string]string{"a": "1"})
	s := begin(t, dir)
	told := listen(s)
	must(t, os.Chtimes(filepath.Join(dir, "hanbridge.db"), time.Time{}, time.Now().Add(-time.Hour)))
	keep(s, map[string]string{"a": "2"})
	s.Commit()
	if len(*told) != 0 {
		t.Errorf("got %q, want nothing", *told)
	}
}

// TestCutWhileWritten: what bbolt reads is mapped memory, and reading there faults where the file was cut since it was looked at.
func TestCutWhileWritten(t *testing.T) {
	dir := wrote(t, map[string]string{"a": "1"})
	file := filepath.Join(dir, "hanbridge.db")
	s := begin(t, dir)
	told := listen(s)
	value := "1"
	s.Keep("a", func() []byte {
		if value == "2" {
			must(t, os.Truncate(file, 0)) // after the look, before the write
		}
		return []byte(value)
	})
	value = "2"
	s.Commit()
	checkTold(t, *told, "hanbridge.db cannot be read any more", false)
	value = "3"
	s.Commit()
	if len(*told) != 2 || (*told)[1] != "trouble: <nil>" {
		t.Errorf("got %q, want the end of the trouble told", *told)
	}
	end(t, s)
	if got := string(begin(t, dir).Value("a")); got != "3" {
		t.Errorf("got %q on disk, want 3", got)
	}
}

// TestAnotherBegins: a second program that has begun a new file, after somebody removed the first, keeps it.
func TestAnotherBegins(t *testing.T) {
	dir := wrote(t, map[string]string{"a": "1"})
	first := begin(t, dir)
	told := listen(first)
	must(t, os.Remove(filepath.Join(dir, "hanbridge.db")))
	second := begin(t, dir)
	keep(first, map[string]string{"a": "first"})
	keep(second, map[string]string{"a": "second"})
	first.Commit()
	second.Commit()
	if len(*told) != 1 || !strings.Contains((*told)[0], state.ErrLocked.Error()) {
		t.Errorf("got %q, want that another hanbridge uses it", *told)
	}
	end(t, second)
	if got := string(begin(t, dir).Value("a")); got != "second" {
		t.Errorf("got %q on disk, want what the second has kept", got)
	}
}

// TestOpenedLater: a Store whose file could not be opened keeps everything once it can be, and what is in the file of others.
func TestOpenedLater(t *testing.T) {
	for _, tt := range []struct {
		name     string
		do, undo func(t *testing.T, dir string)
		told     string
		before   string // the value that is found at the start
	}{
		{"a file in place of the folder", func(t *testing.T, dir string) {
			must(t, os.Rename(dir, dir+"-away"), os.WriteFile(dir, nil, 0o600))
		}, func(t *testing.T, dir string) { must(t, os.Remove(dir), os.Rename(dir+"-away", dir)) }, "not a directory", ""},
		{"a link to nothing in place of the folder", func(t *testing.T, dir string) {
			must(t, os.Rename(dir, dir+"-away"), os.Symlink(dir+"-later", dir))
		}, func(t *testing.T, dir string) { must(t, os.Rename(dir+"-away", dir+"-later")) }, "which is not there", ""},
		{"a link to nothing in place of the file", func(t *testing.T, dir string) {
			must(t, os.Rename(dir+"/hanbridge.db", dir+"/away"), os.Symlink(dir+"/later", dir+"/hanbridge.db"))
		}, func(t *testing.T, dir string) { must(t, os.Rename(dir+"/away", dir+"/later")) }, "which is not there", ""},
		{"a pipe in place of the file", func(t *testing.T, dir string) {
			must(t, os.Rename(dir+"/hanbridge.db", dir+"/away"), syscall.Mkfifo(dir+"/hanbridge.db", 0o600))
		}, func(t *testing.T, dir string) { must(t, os.Rename(dir+"/away", dir+"/hanbridge.db")) }, "no ordinary file", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := wrote(t, map[string]string{"a": "1", "nobody": "1"})
			tt.do(t, dir)
			s, err := state.Open(dir)
			if err == nil || !strings.Contains(err.Error(), tt.told) || !strings.Contains(err.Error(), dir) {
				t.Fatalf("got %v, want an error with %q and the folder", err, tt.told)
			}
			if got := string(s.Value("a")); got != tt.before {
				t.Errorf("got %q at the start, want %q", got, tt.before)
			}
			told := listen(s)
			keep(s, map[string]string{"a": "2"})
			s.Commit()
			s.Commit()
			if len(*told) != 0 {
				t.Errorf("got %q, want nothing more than what Open has told", *told)
			}
			tt.undo(t, dir)
			s.Commit()
			if len(*told) != 1 || (*told)[0] != "trouble: <nil>" {
				t.Errorf("got %q, want the end of the trouble told", *told)
			}
			end(t, s)
			if diff := cmp.Diff(map[string]string{"a": "2", "nobody": "1"}, values(begin(t, dir))); diff != "" {
				t.Errorf("on disk (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAnotherEnds: who found the file in use at the start goes on with it once the other has ended, and keeps what that one left.
func TestAnotherEnds(t *testing.T) {
	dir := wrote(t, map[string]string{"a": "1", "nobody": "1", "now": "old"})
	first := begin(t, dir)
	s, err := state.Open(dir)
	if !errors.Is(err, state.ErrLocked) || len(values(s)) != 0 {
		t.Fatalf("got %v, %v, want that another uses it, and no values of that one", values(s), err)
	}
	told := listen(s)
	if s.KeepNow("now", []byte("new")) {
		t.Error("a value is said to be on disk that is not")
	}
	keep(s, map[string]string{"a": "2"})
	end(t, first)
	s.Commit()
	if len(*told) != 1 || (*told)[0] != "trouble: <nil>" {
		t.Errorf("got %q, want the end of the trouble told", *told)
	}
	end(t, s)
	if diff := cmp.Diff(map[string]string{"a": "2", "nobody": "1", "now": "old"}, values(begin(t, dir))); diff != "" {
		t.Errorf("on disk (-want +got):\n%s", diff)
	}
}
