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

// maxSecretFile is the maximum size of a file with a password or with keys, in KiB.
const maxSecretFile = 64

// readSmallFile reads a file of at most maxSize KiB, and removes a byte order mark at the beginning of the text. fileFault turns its errors
// into advice for users.
func readSmallFile(name string, maxSize int) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, int64(maxSize)<<10+1))
	if err == nil && len(text) > maxSize<<10 {
		err = fmt.Errorf("larger than %d KiB: is it the right file?", maxSize)
	}
	return bytes.TrimPrefix(text, []byte("\ufeff")), err
}

// fileFault returns an error that says what to do about a file that cannot be read. err is the error of reading the file. missing is the
// advice if the file does not exist. The returned error does not name the file.
func fileFault(err error, missing string) error {
	pathErr, isPathErr := errors.AsType[*fs.PathError](err)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("no such file: " + missing)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("permission denied: hanbridge runs as user id %d: type chown %d and chmod 600 for this file", os.Getuid(), os.Getuid())
	case errors.Is(err, syscall.EISDIR):
		return errors.New("is a directory (container engines make a directory if the file to mount is missing: remove the directory, and put the file there)")
	case isPathErr:
		return pathErr.Err
	}
	return err
}

// A secretFile describes a setting whose value is the path of a file with a secret. Some people write the secret itself in place of the path.
// Therefore messages show the value only if the value certainly is a path, or if it should be the path of a file of keys and has too few
// hexadecimal digits for a key.
type secretFile struct {
	content string // what the file contains
	example string // an example of a path
	inline  string // the advice how to set the secret without a file; "" if the secret must be in a file
	isKey   bool   // the secret is a hexadecimal key
}

var secretFiles = map[string]secretFile{
	"mqtt.password_file": {"the password", "/run/secrets/mqtt_password", "; for the password itself use mqtt.password", false},
	"key_file": {fmt.Sprintf("the key, a line of %d hexadecimal digits,", dlms.KeyDigits), "/etc/hanbridge/meter.key",
		"; for the key itself use key (--key)", true},
	"mqtt.key_file":  {"the client's private key as PEM", "/etc/hanbridge/client.key", "", false},
	"mqtt.cert_file": {"the client's certificate as PEM", "/etc/hanbridge/client.crt", "", false},
	"mqtt.ca_file":   {"the certificate authority's certificate as PEM", "/etc/hanbridge/ca.crt", "", false},
}

// read returns the text of the file. Errors contain the name of the file unless the name is possibly a secret.
func (s secretFile) read(name string) ([]byte, error) {
	text, err := readSmallFile(name, maxSecretFile)
	if err != nil {
		return nil, s.fault(name, err)
	}
	if safetext.IsUTF16(text) {
		return nil, fmt.Errorf("%s: is in UTF-16, which PowerShell writes with >: save the file as UTF-8", name)
	}
	return text, nil
}

// fault returns the error for a file that cannot be read. If the name is possibly a secret, the error does not contain the name and says what
// to write in place of the name.
func (s secretFile) fault(name string, err error) error {
	isNoKey := s.isKey && safetext.HexDigits(name) < safetext.MinKeyDigits // name has too few digits for a key
	if isPath(name) || isNoKey {
		return fmt.Errorf("%s: %w", name, fileFault(err, "write "+s.content+" into this file (in a container: is the secret mounted?)"))
	}
	return fmt.Errorf("no file has this name (the name is not shown, because it is possibly a secret): write the path of a file that contains %s, such as %s%s",
		s.content, s.example, s.inline)
}

// isPath reports whether text certainly is a path, because the file or the first folder of the path exists, or because the system denies access
// to the path. A text with control characters is not a path.
func isPath(text string) bool {
	if strings.ContainsFunc(text, safetext.NeedsEscape) {
		return false
	}
	if _, err := os.Lstat(text); err == nil || errors.Is(err, fs.ErrPermission) {
		return true
	}
	name := filepath.Clean(text)
	end := strings.IndexRune(name[1:], filepath.Separator) + 1 // the end of the first folder's name; 0 if the path has no folder
	folder, err := os.Stat(name[:end])
	return err == nil && folder.IsDir()
}

// readPassword sets m.Password to the content of the password file, without the line ends at the end. If no file is configured, m.Password
// remains as it is.
func (l *loader) readPassword(m *MQTT) {
	const path = "mqtt.password_file"
	if m.PasswordFile == "" {
		return
	}
	if m.Password != "" {
		l.addProblem(l.locationOf(path), path, "mqtt.password is set too (%s): keep one of the two", l.locationOf("mqtt.password"))
		return
	}
	text, err := secretFiles[path].read(m.PasswordFile)
	if err == nil && strings.TrimSpace(string(text)) == "" {
		err = fmt.Errorf("%s is empty", m.PasswordFile)
	}
	if err != nil {
		l.addProblem(l.locationOf(path), path, "%s", err)
	}
	m.Password = Secret(strings.TrimRight(string(text), "\r\n"))
}
