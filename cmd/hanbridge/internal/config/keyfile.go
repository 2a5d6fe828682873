package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
	"github.com/hanbridge/hanbridge/pkg/dlms"
)

// cipherKeys are the keys of a meter, as a person gives them: a pair of texts, and the path of a file of keys. setting is where the file is
// named, as secretFiles knows it.
type cipherKeys struct{ key, authKey, file, setting string }

// open makes what opens telegrams, the pair first. Each call makes its own: a dlms.Key has one user. Where there is an error, part is what is
// wrong: "key", "auth_key" or "key_file". Errors never hold what stands there.
func (c cipherKeys) open() (keys []*dlms.Key, part string, err error) {
	if c.given() {
		key, part, err := c.pair()
		if err != nil {
			return nil, part, err
		}
		keys = append(keys, key)
	}
	if c.file == "" {
		return keys, "", nil
	}
	more, err := c.readFile()
	return append(keys, more...), "key_file", err
}

// given reports whether one of the pair is set.
func (c cipherKeys) given() bool { return c.key != "" || c.authKey != "" }

// pair reads a key and, where it is not empty, the authentication key that belongs to it.
func (c cipherKeys) pair() (key *dlms.Key, part string, err error) {
	if c.key == "" && c.file != "" {
		return nil, "auth_key", fmt.Errorf("belongs into the file of keys, behind its key: make the line in %s KEY AUTH_KEY", c.file)
	}
	if c.key == "" {
		return nil, "auth_key", errors.New("an authentication key without key, the one that deciphers: the grid company gives both")
	}
	encryption, err := dlms.ParseKey(c.key)
	if length, ok := errors.AsType[*dlms.KeyLengthError](err); ok && length.Digits == 2*dlms.KeyDigits {
		err = fmt.Errorf("%w: the second half is the authentication key, and goes to auth_key (--auth-key)", err)
	}
	if err != nil {
		return nil, "key", err
	}
	var authentication []byte
	if c.authKey != "" {
		if authentication, err = dlms.ParseKey(c.authKey); err != nil {
			return nil, "auth_key", err
		}
	}
	key, err = dlms.NewKey(encryption, authentication)
	return key, "key", err
}

// readFile reads lines of KEY or KEY AUTH_KEY. Errors name the file and the line.
func (c cipherKeys) readFile() ([]*dlms.Key, error) {
	text, err := readText(c.file)
	if err != nil {
		return nil, secretFiles[c.setting].fault(c.file, keyFileFault(c.file, err))
	}
	const keyBytes = dlms.KeyDigits / 2
	if (len(text) == keyBytes || len(text) == 2*keyBytes) && !safetext.IsText(text) {
		return nil, fmt.Errorf("%s: holds the bytes of a key, not its digits: make digits of them with xxd -p -c %d %s, and write these into a file",
			c.file, 2*keyBytes, c.file)
	}
	keys, err := dlms.ParseKeys(string(text))
	if line, ok := errors.AsType[*dlms.KeyLineError](err); ok {
		return nil, fmt.Errorf("%s:%d: %w", c.file, line.Line, line.Err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.file, err)
	}
	return keys, nil
}

func keyFileFault(name string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: no such file: write the key into it, a line of %d hexadecimal digits (container: is the secret mounted?)", name, dlms.KeyDigits)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: permission denied: let user id %d alone read it (sudo chown %d %s && sudo chmod 600 %s)",
			name, os.Getuid(), os.Getuid(), name, name)
	}
	if strings.HasPrefix(err.Error(), name) || errors.As(err, new(*fs.PathError)) {
		return err // it names the file
	}
	return fmt.Errorf("%s: %w", name, err)
}

func (m Meter) cipherKeys() cipherKeys {
	return cipherKeys{string(m.Key), string(m.AuthKey), m.KeyFile, "key_file"}
}

// Keys returns the keys of a meter in the order in which they are tried. Errors name what is wrong, never what it says.
func (m Meter) Keys() ([]*dlms.Key, error) {
	keys, part, err := m.cipherKeys().open()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", part, err)
	}
	return keys, nil
}
