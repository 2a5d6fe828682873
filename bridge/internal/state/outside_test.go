//go:build linux

package state_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/state"
)

// TestChangedWhileOpen: what somebody does to the file or its folder is noticed before the next commit and told in one message, and
// everything is written again, also what nobody has changed.
func TestChangedWhileOpen(t *testing.T) {
	older := func(t *testing.T) string {
		return filepath.Join(wrote(t, map[string]string{"a": "0", "more": "0"}), state.FileName)
	}
	const written = "info: state is written again"
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
		{name: "replaced by another program's file", told: "its checksum is wrong", aside: true, do: func(t *testing.T, _, file string) {
			must(t, os.Remove(file), os.WriteFile(file, []byte("no state"), 0o600))
		}},
		{name: "replaced by an empty file", told: "0 bytes are none", aside: true, do: func(t *testing.T, _, file string) {
			must(t, os.Remove(file), os.WriteFile(file, nil, 0o600))
		}},
		{name: "replaced by an older state", told: "another state was put in its place", do: func(t *testing.T, _, file string) {
			must(t, os.Rename(older(t), file))
		}},
		{name: "an older state copied into it", told: "another state was put in its place", do: func(t *testing.T, _, file string) {
			old, err := os.ReadFile(older(t))
			must(t, err, os.WriteFile(file, old, 0o600), os.Chtimes(file, time.Time{}, time.Now().Add(time.Minute)))
		}},
		{name: "cut to nothing", told: "0 bytes are none", aside: true, do: func(t *testing.T, _, file string) { must(t, os.Truncate(file, 0)) }},
		{name: "cut", told: "its checksum is wrong", aside: true, do: func(t *testing.T, _, file string) { must(t, os.Truncate(file, 50)) }},
		{name: "garbled", told: "its checksum is wrong", aside: true, do: func(t *testing.T, _, file string) {
			info, err := os.Stat(file)
			must(t, err, os.WriteFile(file, bytes.Repeat([]byte{7}, int(info.Size())), 0o600), os.Chtimes(file, time.Time{}, time.Now().Add(time.Minute)))
		}},
		{name: "folder turned into a file", told: "not a directory", do: func(t *testing.T, dir, _ string) {
			must(t, os.RemoveAll(dir), os.WriteFile(dir, nil, 0o600))
		}, undo: func(t *testing.T, dir, _ string) { must(t, os.Remove(dir)) }},
		{name: "file turned into a folder", told: "is no ordinary file", do: func(t *testing.T, _, file string) {
			must(t, os.Remove(file), os.Mkdir(file, 0o700))
		}, undo: func(t *testing.T, _, file string) { must(t, os.Remove(file)) }},
		{name: "file turned into a link to nothing", told: "it was removed", do: func(t *testing.T, dir, file string) {
			must(t, os.Remove(file), os.Symlink(dir+"-elsewhere", file))
		}},
		{name: "folder turned into a link to nothing", told: "which is not there", do: func(t *testing.T, dir, _ string) {
			must(t, os.RemoveAll(dir), os.Symlink(dir+"-elsewhere", dir))
		}, undo: func(t *testing.T, dir, _ string) { must(t, os.Mkdir(dir+"-elsewhere", 0o700)) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "state")
			file := filepath.Join(dir, state.FileName)
			s := begin(t, dir)
			keep(s, map[string]string{"a": "1", "nobody": "1"})
			s.Commit()
			end(t, s)
			s = begin(t, dir)
			value := "1"
			s.Register("a", func() []byte { return []byte(value) })
			s.Commit()
			tt.do(t, dir, file)
			for _, value = range []string{"2", "3"} { // told once
				s.Commit()
			}
			want := []string{tt.told}
			if _, err := os.Lstat(dir + "-elsewhere"); err == nil {
				t.Error("a link to nothing was followed")
			}
			if tt.undo != nil {
				tt.undo(t, dir, file)
				value = "4"
				s.Commit()
				want = append(want, written)
			}
			wantLogged(t, s, want...)
			if _, err := os.Stat(file + ".damaged"); (err == nil) != tt.aside {
				t.Errorf("set aside: got %v, want %v", err, tt.aside)
			}
			wantOnDisk(t, dir, map[string]string{"a": value, "nobody": "1"})
		})
	}
}

// TestTimeChangedWhileOpen: a file whose time alone is another, as after a backup or on a disk that rounds, is as it was left.
func TestTimeChangedWhileOpen(t *testing.T) {
	dir := t.TempDir()
	s := begin(t, dir)
	keep(s, map[string]string{"a": "1"})
	s.Commit()
	must(t, os.Chtimes(filepath.Join(dir, state.FileName), time.Time{}, time.Now().Add(-time.Hour)))
	keep(s, map[string]string{"a": "2"})
	s.Commit()
	wantLogged(t, s)
	wantOnDisk(t, dir, map[string]string{"a": "2"})
}

// TestLockRemoved: somebody removes the lock alone. Nothing is lost with it, and the folder is locked again.
func TestLockRemoved(t *testing.T) {
	dir := wrote(t, map[string]string{"a": "1"})
	first := begin(t, dir)
	must(t, os.Remove(filepath.Join(dir, "hanbridge.lock")))
	keep(first, map[string]string{"a": "2"})
	first.Commit()
	wantLogged(t, first)
	wantLogged(t, open(t, dir), "another hanbridge uses it")
}

// TestAnotherBegins: a second program that has begun a new file, after somebody emptied the folder of the first, keeps it.
func TestAnotherBegins(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	first := begin(t, dir)
	keep(first, map[string]string{"a": "1"})
	first.Commit()
	must(t, os.RemoveAll(dir))
	second := begin(t, dir)
	keep(first, map[string]string{"a": "2"})
	keep(second, map[string]string{"a": "3"})
	first.Commit()
	second.Commit()
	wantLogged(t, first, "another hanbridge uses it")
	wantLogged(t, second)
	wantOnDisk(t, dir, map[string]string{"a": "3"})
}

// TestOpenedLater: a Store whose file could not be opened keeps everything once it can be, and what is in the file of others.
func TestOpenedLater(t *testing.T) {
	for _, tt := range []struct {
		name     string
		do, undo func(t *testing.T, dir string)
		told     string
	}{
		{"a file in place of the folder", func(t *testing.T, dir string) {
			must(t, os.Rename(dir, dir+"-away"), os.WriteFile(dir, nil, 0o600))
		}, func(t *testing.T, dir string) { must(t, os.Remove(dir), os.Rename(dir+"-away", dir)) }, "not a directory"},
		{"a link to nothing in place of the folder", func(t *testing.T, dir string) {
			must(t, os.Rename(dir, dir+"-away"), os.Symlink(dir+"-later", dir))
		}, func(t *testing.T, dir string) { must(t, os.Rename(dir+"-away", dir+"-later")) }, "which is not there"},
		{"a pipe in place of the file", func(t *testing.T, dir string) {
			must(t, os.Rename(dir+"/hanbridge.json", dir+"/away"), syscall.Mkfifo(dir+"/hanbridge.json", 0o600))
		}, func(t *testing.T, dir string) { must(t, os.Rename(dir+"/away", dir+"/hanbridge.json")) }, "no ordinary file"},
		{"a pipe in place of the lock", func(t *testing.T, dir string) {
			must(t, os.Remove(dir+"/hanbridge.lock"), syscall.Mkfifo(dir+"/hanbridge.lock", 0o600))
		}, func(t *testing.T, dir string) { must(t, os.Remove(dir+"/hanbridge.lock")) }, "no ordinary file"},
		{"a folder in place of the new file", func(t *testing.T, dir string) {
			must(t, os.MkdirAll(dir+"/hanbridge.json.new/x", 0o700))
		}, func(t *testing.T, dir string) { must(t, os.RemoveAll(dir+"/hanbridge.json.new")) }, "cannot be written"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := wrote(t, map[string]string{"a": "1", "nobody": "1"})
			tt.do(t, dir)
			s := open(t, dir)
			keep(s, map[string]string{"a": "2"})
			s.Commit()
			s.Commit()
			lines := s.logged()
			if len(lines) != 1 || !strings.Contains(lines[0], tt.told) || !strings.Contains(lines[0], dir) {
				t.Errorf("logged %q, want one line with %q and the folder", lines, tt.told)
			}
			tt.undo(t, dir)
			s.Commit()
			wantLogged(t, s, "info: state is written again")
			wantOnDisk(t, dir, map[string]string{"a": "2", "nobody": "1"})
		})
	}
}

// TestAnotherEnds: who found the file in use at the start goes on with it once the other has ended, and keeps what that one left.
func TestAnotherEnds(t *testing.T) {
	dir := wrote(t, map[string]string{"a": "1", "nobody": "1", "now": "1"})
	first := begin(t, dir)
	s := open(t, dir)
	wantLogged(t, s, "warn: nothing is remembered over a restart")
	wantFound(t, s, nil)
	if s.Save("now", []byte("2")) {
		t.Error("a value is said to be on disk that is not")
	}
	keep(s, map[string]string{"a": "2"})
	end(t, first)
	s.Commit()
	wantLogged(t, s, "info: state is written again")
	wantOnDisk(t, dir, map[string]string{"a": "2", "nobody": "1", "now": "1"})
}
