package config

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/pkg/dlms"
)

// KeyFlags are the keys that a person names on the command line.
type KeyFlags struct{ Key, AuthKey, File string }

// Add adds the flags to a command.
func (k *KeyFlags) Add(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&k.File, "key-file", "", "`FILE` of keys, a line KEY or KEY AUTH_KEY each, tried in turn")
	flags.StringVar(&k.Key, "key", "", "a key, `HEX`: every user of the machine can see it while this runs, so better use --key-file")
	flags.StringVar(&k.AuthKey, "auth-key", "", "the authentication key, `HEX`, that belongs to --key")
}

// Given tells that any of the flags is used.
func (k *KeyFlags) Given() bool { return *k != KeyFlags{} }

// Open returns what the keys open telegrams with, that of the command line first. Errors name the flag, never what it says.
func (k *KeyFlags) Open() ([]*dlms.Key, error) {
	keys, part, err := cipherKeys{k.Key, k.AuthKey, k.File, "--key-file"}.open()
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", strings.ReplaceAll(part, "_", "-"), err)
	}
	return keys, nil
}
