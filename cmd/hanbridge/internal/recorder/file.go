package recorder

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
)

// captureFile is where a capture goes. It is there with the first bytes, so that a port that cannot be opened leaves nothing.
type captureFile struct {
	name string
	// say is where people are told what goes on: not among what is captured.
	say   io.Writer
	w     io.Writer
	file  *os.File // of w; nil for standard output
	force bool
}

// newCaptureFile returns the file that is asked for, or standard output for "-".
func newCaptureFile(p *cli.Program, o Options) (*captureFile, error) {
	if o.Out == "-" {
		return &captureFile{name: "standard output", say: p.Err, w: p.Out}, nil
	}
	is, err := os.Stat(o.Out)
	if link, e := os.Lstat(o.Out); e == nil && link.Mode()&fs.ModeSymlink != 0 && errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("--out %s: it is a symbolic link to a file that is not there: name the file itself", o.Out)
	}
	folder := filepath.Dir(o.Out)
	if _, none := os.Stat(folder); errors.Is(none, fs.ErrNotExist) {
		return nil, fmt.Errorf("--out %s: there is no folder %s: make it with mkdir -p %s, or name a file elsewhere", o.Out, folder, folder)
	}
	if err == nil && is.IsDir() {
		return nil, fmt.Errorf("--out %s: it is a directory: name a file in it, as %s", o.Out, filepath.Join(o.Out, "house.txt"))
	}
	if err == nil && !o.Force {
		return nil, thereAlready(o.Out)
	}
	if from, err := os.Stat(o.From); err == nil && os.SameFile(is, from) {
		return nil, fmt.Errorf("--out %s: it is the file of --from: name another", o.Out)
	}
	return &captureFile{name: o.Out, say: p.Out, force: o.Force}, nil
}

func thereAlready(name string) error {
	return fmt.Errorf("--out %s: it is there already: name another file, or add --force to write over it", name)
}

// Write writes at once: whatever ends the program, what was written is kept.
func (f *captureFile) Write(b []byte) (int, error) {
	if f.w == nil {
		over := os.O_EXCL
		if f.force {
			over = os.O_TRUNC
		}
		w, err := os.OpenFile(f.name, os.O_CREATE|os.O_WRONLY|over, 0o600)
		if errors.Is(err, fs.ErrExist) {
			return 0, thereAlready(f.name)
		}
		if err != nil {
			return 0, err
		}
		if err := ownAlone(w); err != nil {
			_ = w.Close() // nothing was written to it
			return 0, err
		}
		f.w, f.file = w, w
	}
	return f.w.Write(b)
}

// ownAlone lets nobody but the owner read a file that was there before: what a meter sends tells when somebody is at home.
func ownAlone(w *os.File) error {
	is, err := w.Stat()
	if err != nil || !is.Mode().IsRegular() || is.Mode().Perm()&^0o600 == 0 || runtime.GOOS == "windows" {
		return err
	}
	if err := w.Chmod(0o600); err != nil {
		return fmt.Errorf("--out %s: other users may read it, and it cannot be taken from them: name another file", w.Name())
	}
	return nil
}

func (f *captureFile) close() {
	if f.file != nil {
		_ = f.file.Close() // each write was checked
	}
}

// remove takes away a file that holds nothing but its head.
func (f *captureFile) remove() {
	if f.file == nil {
		return
	}
	if is, err := f.file.Stat(); err == nil && is.Mode().IsRegular() { // not /dev/null
		_ = os.Remove(f.name) // it does no harm
	}
}
