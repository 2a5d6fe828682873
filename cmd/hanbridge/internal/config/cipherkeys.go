package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
	"github.com/hanbridge/hanbridge/pkg/dlms"
)

// KeyFlags are the command-line flags for the keys of a meter. Key is an encryption key in hexadecimal. AuthKey is the authentication key
// that belongs to Key. File is the path of a file of keys. Each of the three can be empty.
type KeyFlags struct{ Key, AuthKey, File string }

// Register adds the flags to a command.
func (k *KeyFlags) Register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&k.File, "key-file", "", "`FILE` of keys, each line KEY or KEY AUTH_KEY; all are tried")
	flags.StringVar(&k.Key, "key", "", "the key, `HEX`; --key-file is safer, because every user of the machine can see the arguments of a program")
	flags.StringVar(&k.AuthKey, "auth-key", "", "the authentication key, `HEX`, that belongs to --key")
}

// Given reports whether the user set any of the flags.
func (k *KeyFlags) Given() bool { return *k != KeyFlags{} }

// Load returns the key of the flag --key, then the keys of the file. Errors name the flag and never contain a key.
func (k *KeyFlags) Load() ([]*dlms.Key, error) {
	keys, problems := k.load()
	for i := range problems {
		problems[i].path = "--" + strings.ReplaceAll(problems[i].path, "_", "-")
	}
	return keys, problems.Err()
}

// Keys returns the keys of a meter in the order in which the decoder tries them. Errors name the setting and never contain a key.
func (m Meter) Keys() ([]*dlms.Key, error) {
	keys, problems := m.keyFlags().load()
	return keys, problems.Err()
}

// keyFlags returns the flags that are equivalent to the key settings of a meter.
func (m Meter) keyFlags() *KeyFlags {
	return &KeyFlags{string(m.Key), string(m.AuthKey), m.KeyFile}
}

// load returns new keys, because a dlms.Key must not be shared. The path of a problem is "key", "auth_key" or "key_file".
func (k *KeyFlags) load() (keys []*dlms.Key, problems Problems) {
	switch {
	case k.Key != "":
		keys = k.parsePair(&problems)
	case k.AuthKey != "" && k.File != "":
		problems.add("auth_key", "must be in the file of keys, after its key: change the line in %s to KEY AUTH_KEY", k.File)
	case k.AuthKey != "":
		problems.add("auth_key", "an authentication key without an encryption key (key): the grid company gives both keys")
	}
	if k.File != "" {
		fromFile, err := k.readFile()
		problems.addError("key_file", err)
		keys = append(keys, fromFile...)
	}
	return keys, problems
}

// parsePair parses Key and AuthKey into one key. AuthKey can be empty.
func (k *KeyFlags) parsePair(problems *Problems) []*dlms.Key {
	encryption, err := dlms.ParseKey(k.Key)
	if length, ok := errors.AsType[*dlms.KeyLengthError](err); ok && length.Digits == 2*dlms.KeyDigits {
		err = fmt.Errorf("%w: write the second half, which is the authentication key, as auth_key (--auth-key)", err)
	}
	problems.addError("key", err)
	var authentication []byte
	if k.AuthKey != "" {
		authentication, err = dlms.ParseKey(k.AuthKey)
		problems.addError("auth_key", err)
	}
	if len(*problems) > 0 {
		return nil
	}
	key, err := dlms.NewKey(encryption, authentication)
	problems.addError("key", err)
	return []*dlms.Key{key}
}

// readFile reads a file of keys: each line is KEY or KEY AUTH_KEY. Errors name the file and the line.
func (k *KeyFlags) readFile() ([]*dlms.Key, error) {
	text, err := secretFiles["key_file"].read(k.File)
	if err != nil {
		return nil, err
	}
	const keyBytes = dlms.KeyDigits / 2
	// An encryption key in binary has keyBytes bytes. Together with an authentication key it has twice as many.
	if (len(text) == keyBytes || len(text) == 2*keyBytes) && !safetext.IsText(text) {
		return nil, fmt.Errorf("%s: contains the bytes of a key, not its digits: type xxd -p -c %d %s, and write the digits that it prints into the file",
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
