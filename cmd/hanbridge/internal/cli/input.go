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

// Open returns the named file, or standard input for "-", and what closes it. Its error says what to type instead.
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

// OpenRecording opens a file to read; command is what its errors tell to type.
func OpenRecording(command, name string) (*os.File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, notAFile(command, name, err)
	}
	if is, err := f.Stat(); err == nil && is.IsDir() {
		_ = f.Close() // nothing was read
		within := "FILE"
		if command == "decode" {
			within = "*" // it takes several
		}
		return nil, fmt.Errorf("%s is a directory: name what is in it: hanbridge %s %s", name, command, filepath.Join(name, within))
	}
	return f, nil
}

// notAFile says why a file cannot be opened, and what to do where a telegram itself stands in place of its name.
func notAFile(command, name string, err error) error {
	const telegram = 16 // digits, which is more than in a name
	switch {
	case len(name) >= telegram && strings.Trim(name, "0123456789abcdefABCDEF :") == "":
		return fmt.Errorf("%s: %d hexadecimal digits are not the name of a file: a telegram comes through a pipe (echo 7EA0… | hanbridge decode), "+
			"and a key goes behind --key", command, safetext.HexDigits(name))
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: no such file: compare the name with what ls %s shows", name, filepath.Dir(name))
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: permission denied: you may not read it (ls -l %s shows who may)", name, name)
	}
	return err
}
