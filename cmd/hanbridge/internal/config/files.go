package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
)

// maxConfigFile bounds what is read of a configuration or password file, in bytes.
const maxConfigFile = 64 << 10

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
	return text, err
}

// readText reads a small file of text without the mark that some editors put before it.
func readText(name string) ([]byte, error) {
	text, err := readSmall(name)
	if err == nil && safetext.IsUTF16(text) {
		err = fmt.Errorf("%s: is in UTF-16, as > of PowerShell writes it: save it as UTF-8", name)
	}
	return bytes.TrimPrefix(text, []byte("\ufeff")), err
}

// openFault says what to do about a configuration file that cannot be read.
func openFault(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "no such file: copy config.example.yaml to this name and edit it, or go without a file: " +
			"HANBRIDGE_MQTT_URL=mqtt://localhost HANBRIDGE_METER_PORT=/dev/ttyUSB0 hanbridge run"
	case errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf("permission denied: let user id %d alone read it (chown %d, then chmod 600)", os.Getuid(), os.Getuid())
	case errors.Is(err, syscall.EISDIR):
		return "is a directory (container engines make one where the file to mount is missing: remove it, and put the file there)"
	}
	return strings.TrimPrefix(err.Error(), "read ")
}

// readPassword puts the content of the password file, without the end of its
// line, into m.
func (l *loader) readPassword(m *MQTT) {
	const path = "mqtt.password_file"
	if m.PasswordFile == "" {
		return
	}
	if m.Password != "" {
		l.add(l.placeOf(path), path, "mqtt.password is set too (%s): keep one of the two", l.placeOf("mqtt.password"))
		return
	}
	text, err := readText(m.PasswordFile)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w (is the secret mounted?)", err)
	}
	err = secretFiles[path].fault(m.PasswordFile, err)
	if err == nil && strings.TrimSpace(string(text)) == "" {
		err = fmt.Errorf("%s is empty", m.PasswordFile)
	}
	if err != nil {
		l.add(l.placeOf(path), path, "%s", err)
	}
	m.Password = Secret(strings.TrimRight(string(text), "\r\n"))
}
