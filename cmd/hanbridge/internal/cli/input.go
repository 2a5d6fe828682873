package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
)

// Open opens the named file. For "-" it returns standard input. The caller must call done to close the file. command is the name of the command for
// the text of an error.
func (p *Program) Open(command, name string) (in io.Reader, done func(), err error) {
	if name == "-" {
		return p.In, func() {}, nil
	}
	f, err := OpenRecording(command, name)
	if err != nil {
		return nil, nil, err
	}
	return f, func() { _ = f.Close() }, nil
}

// OpenRecording opens a file for reading. The caller must close the file. command is the name of the command for the text
// of an error.
func OpenRecording(command, name string) (*os.File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, openError(command, name, err)
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		_ = f.Close() // an error does not matter, because nothing was read
		example := "FILE"
		if command == "decode" {
			example = "*" // decode takes several files
		}
		return nil, fmt.Errorf("%s is a directory: type the name of a file in the directory: hanbridge %s %s", name, command, filepath.Join(name, example))
	}
	return f, nil
}

// openError returns an error that explains why a file cannot be opened. It recognises a telegram or a key in place of a file name.
func openError(command, name string, err error) error {
	const minTelegramLength = 16 // file names of only hexadecimal digits, blanks and colons are usually shorter
	switch {
	case len(name) >= minTelegramLength && strings.Trim(name, "0123456789abcdefABCDEF :") == "":
		return fmt.Errorf("%s: %d hexadecimal digits are not the name of a file: send a telegram through a pipe (echo 7EA0… | hanbridge decode), "+
			"and write a key after --key", command, safetext.HexDigits(name))
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: no such file: compare the name with what ls %s shows", name, filepath.Dir(name))
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: permission denied (ls -l %s shows who can read the file)", name, name)
	}
	return err
}
