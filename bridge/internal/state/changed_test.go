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

// TestFileChanged checks that the next commit detects that another program has changed the file or the folder. The change must be logged
// once, and all documents must be written again.
func TestFileChanged(t *testing.T) {
	olderFile := func(t *testing.T) string {
		return filepath.Join(writtenState(t, map[string]string{"a": "0", "b": "0"}), state.FileName)
	}
	const writtenAgain = "info: state is written again"
	for _, tt := range []struct {
		name      string
		change    func(t *testing.T, dir, file string)
		log       string // a part of the line in the log
		isRenamed bool   // the damaged file is renamed
		// undo makes commits possible again after the change; nil if they are possible with the change.
		undo func(t *testing.T, dir, file string)
	}{
		{name: "file removed", log: "it was removed", change: func(t *testing.T, _, file string) { must(t, os.Remove(file)) }},
		{name: "folder removed", log: "it was removed", change: func(t *testing.T, dir, _ string) { must(t, os.RemoveAll(dir)) }},
		{name: "folder moved", log: "it was removed", change: func(t *testing.T, dir, _ string) { must(t, os.Rename(dir, dir+"-old")) }},
		{name: "folder removed and created again", log: "it was removed", change: func(t *testing.T, dir, _ string) {
			must(t, os.RemoveAll(dir), os.Mkdir(dir, 0o700))
		}},
		{name: "replaced by another program's file", log: "its checksum is wrong", isRenamed: true, change: func(t *testing.T, _, file string) {
			must(t, os.Remove(file), os.WriteFile(file, []byte("no state"), 0o600))
		}},
		{name: "replaced by an empty file", log: "its size of 0 bytes", isRenamed: true, change: func(t *testing.T, _, file string) {
			must(t, os.Remove(file), os.WriteFile(file, nil, 0o600))
		}},
		{name: "replaced by an older state", log: "another state file was put in its place", change: func(t *testing.T, _, file string) {
			must(t, os.Rename(olderFile(t), file))
		}},
		{name: "overwritten with an older state", log: "another state file was put in its place", change: func(t *testing.T, _, file string) {
			old, err := os.ReadFile(olderFile(t))
			must(t, err, os.WriteFile(file, old, 0o600), os.Chtimes(file, time.Time{}, time.Now().Add(time.Minute)))
		}},
		{name: "cut to 0 bytes", log: "its size of 0 bytes", isRenamed: true, change: func(t *testing.T, _, file string) { must(t, os.Truncate(file, 0)) }},
		{name: "cut", log: "its checksum is wrong", isRenamed: true, change: func(t *testing.T, _, file string) { must(t, os.Truncate(file, 50)) }},
		{name: "overwritten", log: "its checksum is wrong", isRenamed: true, change: func(t *testing.T, _, file string) {
			info, err := os.Stat(file)
			must(t, err, os.WriteFile(file, bytes.Repeat([]byte{7}, int(info.Size())), 0o600), os.Chtimes(file, time.Time{}, time.Now().Add(time.Minute)))
		}},
		{name: "folder replaced by a file", log: "not a directory", change: func(t *testing.T, dir, _ string) {
			must(t, os.RemoveAll(dir), os.WriteFile(dir, nil, 0o600))
		}, undo: func(t *testing.T, dir, _ string) { must(t, os.Remove(dir)) }},
		{name: "file replaced by a folder", log: "is no ordinary file", change: func(t *testing.T, _, file string) {
			must(t, os.Remove(file), os.Mkdir(file, 0o700))
		}, undo: func(t *testing.T, _, file string) { must(t, os.Remove(file)) }},
		{name: "file replaced by a link to nothing", log: "it was removed", change: func(t *testing.T, dir, file string) {
			must(t, os.Remove(file), os.Symlink(dir+"-elsewhere", file))
		}},
		{name: "folder replaced by a link to nothing", log: "which does not exist", change: func(t *testing.T, dir, _ string) {
			must(t, os.RemoveAll(dir), os.Symlink(dir+"-elsewhere", dir))
		}, undo: func(t *testing.T, dir, _ string) { must(t, os.Mkdir(dir+"-elsewhere", 0o700)) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "state")
			file := filepath.Join(dir, state.FileName)
			s := openCleanly(t, dir)
			set(s, map[string]string{"a": "1", "unregistered": "1"})
			s.Commit()
			closeStore(t, s)
			s = openCleanly(t, dir)
			value := "1"
			s.Register("a", func() []byte { return []byte(value) })
			s.Commit()
			tt.change(t, dir, file)
			for _, value = range []string{"2", "3"} { // only the first of the two commits must log the change
				s.Commit()
			}
			want := []string{tt.log}
			if _, err := os.Lstat(dir + "-elsewhere"); err == nil {
				t.Error("the missing target of the link was created, want it still missing")
			}
			if tt.undo != nil {
				tt.undo(t, dir, file)
				value = "4"
				s.Commit()
				want = append(want, writtenAgain)
			}
			wantLogged(t, s, want...)
			if _, err := os.Stat(file + ".damaged"); (err == nil) != tt.isRenamed {
				t.Errorf("Stat of the renamed file: got error %v; the file must exist: %v", err, tt.isRenamed)
			}
			wantOnDisk(t, dir, map[string]string{"a": value, "unregistered": "1"})
		})
	}
}

// TestFileTimeChanged checks that nothing is logged if only the modification time of the file has changed. Backups can change this time, and
// some disks round it.
func TestFileTimeChanged(t *testing.T) {
	dir := t.TempDir()
	s := openCleanly(t, dir)
	set(s, map[string]string{"a": "1"})
	s.Commit()
	must(t, os.Chtimes(filepath.Join(dir, state.FileName), time.Time{}, time.Now().Add(-time.Hour)))
	set(s, map[string]string{"a": "2"})
	s.Commit()
	wantLogged(t, s)
	wantOnDisk(t, dir, map[string]string{"a": "2"})
}

// TestLockRemoved checks that the folder is locked again after its lock file was removed.
func TestLockRemoved(t *testing.T) {
	dir := writtenState(t, map[string]string{"a": "1"})
	first := openCleanly(t, dir)
	must(t, os.Remove(filepath.Join(dir, "hanbridge.lock")))
	set(first, map[string]string{"a": "2"})
	first.Commit()
	wantLogged(t, first)
	wantLogged(t, open(t, dir), "another hanbridge uses it")
}

// TestFolderOfSecondProgram removes the folder of a Store and opens a second Store at the same path. The first Store must not write to the
// file of the second Store.
func TestFolderOfSecondProgram(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	first := openCleanly(t, dir)
	set(first, map[string]string{"a": "1"})
	first.Commit()
	must(t, os.RemoveAll(dir))
	second := openCleanly(t, dir)
	set(first, map[string]string{"a": "2"})
	set(second, map[string]string{"a": "3"})
	first.Commit()
	second.Commit()
	wantLogged(t, first, "another hanbridge uses it")
	wantLogged(t, second)
	wantOnDisk(t, dir, map[string]string{"a": "3"})
}

// TestOpenFails checks that a Store commits after the cause that made Open fail was removed. A document that the Store does not
// register must stay in the file.
func TestOpenFails(t *testing.T) {
	for _, tt := range []struct {
		name         string
		change, undo func(t *testing.T, dir string)
		log          string // a part of the line in the log
	}{
		{"a file in place of the folder", func(t *testing.T, dir string) {
			must(t, os.Rename(dir, dir+"-away"), os.WriteFile(dir, nil, 0o600))
		}, func(t *testing.T, dir string) { must(t, os.Remove(dir), os.Rename(dir+"-away", dir)) }, "not a directory"},
		{"a link to nothing in place of the folder", func(t *testing.T, dir string) {
			must(t, os.Rename(dir, dir+"-away"), os.Symlink(dir+"-later", dir))
		}, func(t *testing.T, dir string) { must(t, os.Rename(dir+"-away", dir+"-later")) }, "which does not exist"},
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
			dir := writtenState(t, map[string]string{"a": "1", "unregistered": "1"})
			tt.change(t, dir)
			s := open(t, dir)
			set(s, map[string]string{"a": "2"})
			s.Commit()
			s.Commit()
			lines := s.logged()
			if len(lines) != 1 || !strings.Contains(lines[0], tt.log) || !strings.Contains(lines[0], dir) {
				t.Errorf("logged %q, want one line with %q and the folder", lines, tt.log)
			}
			tt.undo(t, dir)
			s.Commit()
			wantLogged(t, s, "info: state is written again")
			wantOnDisk(t, dir, map[string]string{"a": "2", "unregistered": "1"})
		})
	}
}

// TestOpenInUse checks that a Store whose folder was in use at Open commits after the other program has ended. Documents that the Store does
// not register, or could not save, must stay in the file.
func TestOpenInUse(t *testing.T) {
	dir := writtenState(t, map[string]string{"a": "1", "unregistered": "1", "saved": "1"})
	first := openCleanly(t, dir)
	s := open(t, dir)
	wantLogged(t, s, "warn: nothing is remembered over a restart")
	wantAtOpen(t, s, nil)
	if s.Save("saved", []byte("2")) {
		t.Error("Save reports that the document is on disk while the folder is in use")
	}
	set(s, map[string]string{"a": "2"})
	closeStore(t, first)
	s.Commit()
	wantLogged(t, s, "info: state is written again")
	wantOnDisk(t, dir, map[string]string{"a": "2", "unregistered": "1", "saved": "1"})
}
