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

// captureFile is the output of a capture. The first Write creates the file. Therefore a port that cannot be opened causes no empty file.
type captureFile struct {
	name string
	// messages receives the messages for the user: standard output, or standard error if the capture is written to standard output.
	messages io.Writer
	w        io.Writer // the file or standard output; nil before the file is created
	file     *os.File  // the open file; nil for standard output and before the first write
	force    bool      // overwrite an existing file
}

// newCaptureFile returns the output that o.Out names: a file, or standard output for "-". It returns an error if the file cannot be
// created.
func newCaptureFile(p *cli.Program, o Options) (*captureFile, error) {
	if o.Out == "-" {
		return &captureFile{name: "standard output", messages: p.Err, w: p.Out}, nil
	}
	info, err := os.Stat(o.Out)
	if link, linkErr := os.Lstat(o.Out); linkErr == nil && link.Mode()&fs.ModeSymlink != 0 && errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("--out %s: the file is a symbolic link to a file that does not exist: name that file", o.Out)
	}
	folder := filepath.Dir(o.Out)
	if _, folderErr := os.Stat(folder); errors.Is(folderErr, fs.ErrNotExist) {
		return nil, fmt.Errorf("--out %s: the folder %s does not exist: create it with mkdir -p %s, or name a file elsewhere", o.Out, folder, folder)
	}
	if err == nil && info.IsDir() {
		return nil, fmt.Errorf("--out %s: this is a directory: name a file in the directory, such as %s", o.Out, filepath.Join(o.Out, "house.txt"))
	}
	if err == nil && !o.Force {
		return nil, existsError(o.Out)
	}
	if fromInfo, err := os.Stat(o.From); err == nil && os.SameFile(info, fromInfo) {
		return nil, fmt.Errorf("--out %s: this is the file of --from: name another file", o.Out)
	}
	return &captureFile{name: o.Out, messages: p.Out, force: o.Force}, nil
}

// existsError returns the error for a file that exists and must not be overwritten.
func existsError(name string) error {
	return fmt.Errorf("--out %s: the file exists already: name another file, or add --force to overwrite the file", name)
}

// Write writes b without a buffer, so that no captured byte is lost if the program is killed. The first Write creates the file.
func (f *captureFile) Write(b []byte) (int, error) {
	if f.w == nil {
		mode := os.O_EXCL
		if f.force {
			mode = os.O_TRUNC
		}
		w, err := os.OpenFile(f.name, os.O_CREATE|os.O_WRONLY|mode, 0o600)
		if errors.Is(err, fs.ErrExist) {
			return 0, existsError(f.name)
		}
		if err != nil {
			return 0, err
		}
		if err := restrictToOwner(w); err != nil {
			_ = w.Close() // nothing was written to it
			return 0, err
		}
		f.w, f.file = w, w
	}
	return f.w.Write(b)
}

// restrictToOwner makes an existing file readable only by its owner, because the readings of a meter show when somebody is at home.
func restrictToOwner(w *os.File) error {
	info, err := w.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&^0o600 == 0 || runtime.GOOS == "windows" {
		return err
	}
	if err := w.Chmod(0o600); err != nil {
		return fmt.Errorf("--out %s: other users can read the file, and its mode cannot be changed: name another file", w.Name())
	}
	return nil
}

// close closes the file, if one is open.
func (f *captureFile) close() {
	if f.file != nil {
		_ = f.file.Close() // each write was checked
	}
}

// remove deletes the file, unless it is a device such as /dev/null.
func (f *captureFile) remove() {
	if f.file == nil {
		return
	}
	if info, err := f.file.Stat(); err == nil && info.Mode().IsRegular() {
		_ = os.Remove(f.name) // a remaining file does no harm
	}
}
