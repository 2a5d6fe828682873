package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
)

// readKeyFile reads lines of KEY or KEY AUTH_KEY; what follows a # is for people. Errors name the file and the line, and
// never hold what stands there. setting is where the file is named, as secretFiles knows it.
func readKeyFile(setting, name string) ([]keyPair, error) {
	text, err := readText(name)
	if err != nil {
		return nil, secretFiles[setting].fault(name, keyFileFault(name, err))
	}
	if err := noKeyText(name, text); err != nil {
		return nil, err
	}
	var pairs []keyPair
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line, _, _ = strings.Cut(strings.TrimPrefix(line, "\ufeff"), "#") // files are joined, marks and all
		if strings.TrimSpace(line) == "" {
			continue
		}
		pair, err := parseKeyLine(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, number, err)
		}
		pairs = append(pairs, pair)
	}
	if len(pairs) == 0 {
		return nil, fmt.Errorf("%s: no key in it: write a line of %d hexadecimal digits", name, safetext.KeyDigits)
	}
	return pairs, nil
}

func keyFileFault(name string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: no such file: write the key into it, a line of %d hexadecimal digits (container: is the secret mounted?)", name, safetext.KeyDigits)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: permission denied: let user id %d alone read it (sudo chown %d %s && sudo chmod 600 %s)",
			name, os.Getuid(), os.Getuid(), name, name)
	}
	if strings.HasPrefix(err.Error(), name) || errors.As(err, new(*fs.PathError)) {
		return err // it names the file
	}
	return fmt.Errorf("%s: %w", name, err)
}

// Pairs returns the keys of a meter in the order in which they are tried.
func (m Meter) Pairs() ([]keyPair, error) {
	var pairs []keyPair
	if m.Key != "" || m.AuthKey != "" {
		pair, part, err := parsePair(string(m.Key), string(m.AuthKey), m.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", part, err)
		}
		pairs = append(pairs, pair)
	}
	if m.KeyFile == "" {
		return pairs, nil
	}
	more, err := readKeyFile("key_file", m.KeyFile)
	return append(pairs, more...), err
}

func (m Meter) checkKeys(p *Problems, path string) {
	if m.Key != "" || m.AuthKey != "" {
		if _, part, err := parsePair(string(m.Key), string(m.AuthKey), m.KeyFile); err != nil {
			p.add(path+part, "%s", err)
		}
	}
	if m.KeyFile == "" {
		return
	}
	if _, err := readKeyFile("key_file", m.KeyFile); err != nil {
		p.add(path+"key_file", "%s", err)
	}
}
