//go:build unix

package recorder

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
)

// TestCaptureFileMode tests that only the owner can read a capture, also if the file existed before with another mode.
func TestCaptureFileMode(t *testing.T) {
	for name, prepare := range map[string]func(file string) error{
		"a new file": func(string) error { return nil },
		"an existing file that everybody can read": func(file string) error { return os.WriteFile(file, []byte("old"), 0o644) },
		"an existing file that the group can write": func(file string) error {
			return os.WriteFile(file, []byte("old"), 0o660)
		},
		"a symbolic link to an existing file": func(file string) error {
			if err := os.WriteFile(file+".target", []byte("old"), 0o644); err != nil {
				return err
			}
			return os.Symlink(file+".target", file)
		},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "house.txt")
			if err := prepare(file); err != nil {
				t.Fatal(err)
			}
			f := &captureFile{name: file, force: true}
			if _, err := f.Write([]byte("new")); err != nil {
				t.Fatal(err)
			}
			f.close()
			info, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			if got := info.Mode().Perm(); got != 0o600 || info.Size() != 3 {
				t.Errorf("file: got mode %v and %d bytes, want 0600 and 3", got, info.Size())
			}
		})
	}
	file := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink("nowhere", file); err != nil {
		t.Fatal(err)
	}
	_, err := newCaptureFile(new(cli.Program), Options{Out: file, Force: true})
	checkErr(t, err, "a symbolic link to a file that does not exist")
}
