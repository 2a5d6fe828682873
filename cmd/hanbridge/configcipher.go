package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
)

// A keyPair opens the messages of a ciphered meter. The authentication key is nil where the grid company gave none.
type keyPair struct{ encryption, authentication []byte }

// keyDigits is how many hexadecimal digits a key of AES-128 has.
const keyDigits = 32

// parseKey reads a key. Its errors never hold a digit of it.
func parseKey(text string) ([]byte, error) {
	digits := 0
	for i, r := range []rune(text) {
		if !strings.ContainsRune("0123456789abcdefABCDEF", r) {
			return nil, fmt.Errorf("character %d is no hexadecimal digit (0 to 9, a to f): write the key as %d of them, without spaces", i+1, keyDigits)
		}
		digits++
	}
	if digits != keyDigits {
		return nil, fmt.Errorf("has %d hexadecimal digits, and a key has %d", digits, keyDigits)
	}
	return hex.DecodeString(text)
}

// parsePair reads a key and, where it is not empty, the authentication key that belongs to it. part is which of the two is
// wrong: "key" or "auth_key".
func parsePair(key, authKey string) (pair keyPair, part string, err error) {
	if key == "" {
		return keyPair{}, "auth_key", errors.New("an authentication key without key, the one that deciphers: the grid company gives both")
	}
	if pair.encryption, err = parseKey(key); err != nil {
		return keyPair{}, "key", err
	}
	if authKey != "" {
		if pair.authentication, err = parseKey(authKey); err != nil {
			return keyPair{}, "auth_key", err
		}
	}
	return pair, "", nil
}

// readKeyFile reads lines of KEY or KEY AUTH_KEY; what follows a # is for people. Errors name the file and the line, and
// never hold what stands there.
func readKeyFile(name string) ([]keyPair, error) {
	text, err := readSmall(name)
	if err != nil {
		return nil, keyFileFault(name, err)
	}
	var pairs []keyPair
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line, _, _ = strings.Cut(strings.TrimPrefix(line, "\ufeff"), "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if len(words) > 2 {
			return nil, fmt.Errorf("%s:%d: %d words: a line is a key, or a key, a space and its authentication key", name, number, len(words))
		}
		pair, _, err := parsePair(words[0], strings.Join(words[1:], ""))
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, number, err)
		}
		pairs = append(pairs, pair)
	}
	if len(pairs) == 0 {
		return nil, fmt.Errorf("%s: no key in it: write a line of %d hexadecimal digits", name, keyDigits)
	}
	return pairs, nil
}

func keyFileFault(name string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: no such file: write the key into it, a line of %d hexadecimal digits (container: is the secret mounted?)", name, keyDigits)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: permission denied: let user id %d alone read it (sudo chown %d %s && sudo chmod 600 %s)",
			name, os.Getuid(), os.Getuid(), name, name)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// openToAll tells that every user of the machine may read a file of keys. Container engines mount secrets that way, where
// nobody else is.
func openToAll(name string) bool {
	if runtime.GOOS == "windows" || strings.HasPrefix(name, "/run/secrets/") {
		return false
	}
	info, err := os.Stat(name)
	return err == nil && info.Mode().Perm()&othersMayRead != 0
}

// othersMayRead is the permission of everybody but a file's owner and group.
const othersMayRead = 0o004

// pairs returns the keys of a meter in the order in which they are tried.
func (m MeterConfig) pairs() ([]keyPair, error) {
	var pairs []keyPair
	if m.Key != "" || m.AuthKey != "" {
		pair, part, err := parsePair(string(m.Key), string(m.AuthKey))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", part, err)
		}
		pairs = append(pairs, pair)
	}
	if m.KeyFile == "" {
		return pairs, nil
	}
	more, err := readKeyFile(m.KeyFile)
	return append(pairs, more...), err
}

func (m MeterConfig) checkKeys(p *problems, path string) {
	if m.Key != "" || m.AuthKey != "" {
		if _, part, err := parsePair(string(m.Key), string(m.AuthKey)); err != nil {
			p.add(path+part, "%s", err)
		}
	}
	if m.KeyFile == "" {
		return
	}
	if _, err := readKeyFile(m.KeyFile); err != nil {
		p.add(path+"key_file", "%s", err)
	}
}
