package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
	"github.com/hanbridge/hanbridge/pkg/dlms"
)

// KeyFlags are the keys of a meter as a person names them on the command line: a pair of texts, and the path of a file of keys. All may
// be empty.
type KeyFlags struct{ Key, AuthKey, File string }

// Register adds the flags to a command.
func (k *KeyFlags) Register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&k.File, "key-file", "", "`FILE` of keys, a line KEY or KEY AUTH_KEY each, tried in turn")
	flags.StringVar(&k.Key, "key", "", "a key, `HEX`: every user of the machine can see it while this runs, so better use --key-file")
	flags.StringVar(&k.AuthKey, "auth-key", "", "the authentication key, `HEX`, that belongs to --key")
}

// Given tells that any of the flags is used.
func (k *KeyFlags) Given() bool { return *k != KeyFlags{} }

// Load returns what the keys open telegrams with, that of the command line first. Errors name the flag, never what it says.
func (k *KeyFlags) Load() ([]*dlms.Key, error) {
	keys, wrong := k.open()
	for i := range wrong {
		wrong[i].path = "--" + strings.ReplaceAll(wrong[i].path, "_", "-")
	}
	return keys, wrong.Err()
}

// Keys returns the keys of a meter in the order in which they are tried. Errors name what is wrong, never what it says.
func (m Meter) Keys() ([]*dlms.Key, error) {
	keys, wrong := m.keyFlags().open()
	return keys, wrong.Err()
}

// keyFlags returns the flags that mean the keys of a meter.
func (m Meter) keyFlags() *KeyFlags {
	return &KeyFlags{string(m.Key), string(m.AuthKey), m.KeyFile}
}

// open makes what opens telegrams, the pair first. Each call makes its own: a dlms.Key has one user. A problem is that of "key", "auth_key" or
// "key_file", and never holds what stands there.
func (k *KeyFlags) open() (keys []*dlms.Key, wrong Problems) {
	switch {
	case k.Key != "":
		keys = k.pair(&wrong)
	case k.AuthKey != "" && k.File != "":
		wrong.add("auth_key", "belongs into the file of keys, behind its key: make the line in %s KEY AUTH_KEY", k.File)
	case k.AuthKey != "":
		wrong.add("auth_key", "an authentication key without key, the one that deciphers: the grid company gives both")
	}
	if k.File != "" {
		more, err := k.readFile()
		wrong.addError("key_file", err)
		keys = append(keys, more...)
	}
	return keys, wrong
}

// pair reads a key and, where it is not empty, the authentication key that belongs to it.
func (k *KeyFlags) pair(wrong *Problems) []*dlms.Key {
	encryption, err := dlms.ParseKey(k.Key)
	if length, ok := errors.AsType[*dlms.KeyLengthError](err); ok && length.Digits == 2*dlms.KeyDigits {
		err = fmt.Errorf("%w: the second half is the authentication key, and goes to auth_key (--auth-key)", err)
	}
	wrong.addError("key", err)
	var authentication []byte
	if k.AuthKey != "" {
		authentication, err = dlms.ParseKey(k.AuthKey)
		wrong.addError("auth_key", err)
	}
	if len(*wrong) > 0 {
		return nil
	}
	key, err := dlms.NewKey(encryption, authentication)
	wrong.addError("key", err)
	return []*dlms.Key{key}
}

// readFile reads lines of KEY or KEY AUTH_KEY. Errors name the file and the line.
func (k *KeyFlags) readFile() ([]*dlms.Key, error) {
	text, err := secretFiles["key_file"].read(k.File)
	if err != nil {
		return nil, err
	}
	const keyBytes = dlms.KeyDigits / 2
	if (len(text) == keyBytes || len(text) == 2*keyBytes) && !safetext.IsText(text) {
		return nil, fmt.Errorf("%s: holds the bytes of a key, not its digits: make digits of them with xxd -p -c %d %s, and write these into a file",
			k.File, 2*keyBytes, k.File)
	}
	keys, err := dlms.ParseKeys(string(text))
	if line, ok := errors.AsType[*dlms.KeyLineError](err); ok {
		return nil, fmt.Errorf("%s:%d: %w", k.File, line.Line, line.Err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k.File, err)
	}
	return keys, nil
}
