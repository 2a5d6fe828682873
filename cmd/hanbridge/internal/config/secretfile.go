package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
	"github.com/hanbridge/hanbridge/pkg/dlms"
)

// maxConfigFile bounds what is read of a configuration file, or of a file with secrets, in bytes.
const maxConfigFile = 64 << 10

// readSmall reads a small file without the mark that some editors put before text. fileFault says what its errors mean.
func readSmall(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxConfigFile+1))
	if err == nil && len(text) > maxConfigFile {
		err = fmt.Errorf("larger than %d KiB", maxConfigFile>>10)
	}
	return bytes.TrimPrefix(text, []byte("\ufeff")), err
}

// fileFault says what to do about a file that cannot be read, without its name; missing is what to do where it is not there.
func fileFault(err error, missing string) error {
	of, ofPath := errors.AsType[*fs.PathError](err)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("no such file: " + missing)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("permission denied: let user id %d alone read it (chown %d, then chmod 600)", os.Getuid(), os.Getuid())
	case errors.Is(err, syscall.EISDIR):
		return errors.New("is a directory (container engines make one where the file to mount is missing: remove it, and put the file there)")
	case ofPath:
		return of.Err
	}
	return err
}

// A secretFile is a setting that holds the path of a file. People write the secret itself there, so that what stands there is
// shown only where it is a path beyond doubt.
type secretFile struct {
	holds   string // what the file holds
	example string // a path
	itself  string // where to write what the file would hold; "" where it has to be in a file
	digits  bool   // that would be a key, so that a short name is none
}

var secretFiles = map[string]secretFile{
	"mqtt.password_file": {"the password", "/run/secrets/mqtt_password", "; the password itself is written as mqtt.password", false},
	"key_file": {fmt.Sprintf("the key, a line of %d hexadecimal digits", dlms.KeyDigits), "/etc/hanbridge/meter.key",
		"; the key itself is written as key (--key)", true},
	"mqtt.key_file":  {"the client's private key as PEM", "/etc/hanbridge/client.key", "", false},
	"mqtt.cert_file": {"the client's certificate as PEM", "/etc/hanbridge/client.crt", "", false},
	"mqtt.ca_file":   {"the certificate authority's certificate as PEM", "/etc/hanbridge/ca.crt", "", false},
}

// read returns the text of a file. Errors name it, where fault does.
func (s secretFile) read(name string) ([]byte, error) {
	text, err := readSmall(name)
	if err != nil {
		return nil, s.fault(name, err)
	}
	if safetext.IsUTF16(text) {
		return nil, fmt.Errorf("%s: is in UTF-16, as > of PowerShell writes it: save it as UTF-8", name)
	}
	return text, nil
}

// fault returns the error of a file that cannot be read: with its name where that may be shown, else with what to write there.
func (s secretFile) fault(name string, err error) error {
	if isPath(name) || s.digits && safetext.HexDigits(name) < safetext.MinKeyDigits {
		return fmt.Errorf("%s: %w", name, fileFault(err, "put into it "+s.holds+" (container: is the secret mounted?)"))
	}
	return fmt.Errorf("no file has this name (it is not shown, as it may be a secret): write the path of a file that holds %s, such as %s%s",
		s.holds, s.example, s.itself)
}

// isPath reports whether text is the path of a file beyond doubt: the file is there, or its first folder is.
func isPath(text string) bool {
	if strings.ContainsFunc(text, safetext.NeedsEscape) {
		return false
	}
	if _, err := os.Lstat(text); err == nil || errors.Is(err, fs.ErrPermission) {
		return true
	}
	name := filepath.Clean(text)
	end := strings.IndexRune(name[1:], filepath.Separator) + 1 // of the first folder
	folder, err := os.Stat(name[:end])
	return err == nil && folder.IsDir()
}

// readPassword puts the content of the password file, without the end of its line, into m.
func (l *loader) readPassword(m *MQTT) {
	const path = "mqtt.password_file"
	if m.PasswordFile == "" {
		return
	}
	if m.Password != "" {
		l.add(l.placeOf(path), path, "mqtt.password is set too (%s): keep one of the two", l.placeOf("mqtt.password"))
		return
	}
	text, err := secretFiles[path].read(m.PasswordFile)
	if err == nil && strings.TrimSpace(string(text)) == "" {
		err = fmt.Errorf("%s is empty", m.PasswordFile)
	}
	if err != nil {
		l.add(l.placeOf(path), path, "%s", err)
	}
	m.Password = Secret(strings.TrimRight(string(text), "\r\n"))
}
