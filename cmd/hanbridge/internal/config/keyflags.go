package config

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/pkg/dlms"
)

// CipherKeys makes what opens telegrams of pairs. Each call makes its own: a dlms.Key has one user.
func CipherKeys(pairs []keyPair) ([]*dlms.Key, error) {
	keys := make([]*dlms.Key, 0, len(pairs))
	for _, pair := range pairs {
		k, err := dlms.NewKey(pair.encryption, pair.authentication)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// KeyFlags are the keys that a person names on the command line.
type KeyFlags struct{ Key, AuthKey, File string }

func (k *KeyFlags) Add(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&k.File, "key-file", "", "`FILE` of keys, a line KEY or KEY AUTH_KEY each, tried in turn")
	flags.StringVar(&k.Key, "key", "", "a key, `HEX`: every user of the machine can see it while this runs, so better use --key-file")
	flags.StringVar(&k.AuthKey, "auth-key", "", "the authentication key, `HEX`, that belongs to --key")
}

// Given tells that any of the flags is used.
func (k *KeyFlags) Given() bool { return *k != KeyFlags{} }

// Pairs returns the keys, that of the command line first. Errors name the flag, never what it says.
func (k *KeyFlags) Pairs() ([]keyPair, error) {
	var pairs []keyPair
	if k.Key != "" || k.AuthKey != "" {
		pair, part, err := parsePair(k.Key, k.AuthKey, k.File)
		if err != nil {
			return nil, fmt.Errorf("--%s: %w", flagOf[part], err)
		}
		pairs = append(pairs, pair)
	}
	if k.File == "" {
		return pairs, nil
	}
	more, err := readKeyFile("--key-file", k.File)
	if err != nil {
		return nil, fmt.Errorf("--key-file: %w", err)
	}
	return append(pairs, more...), nil
}

// Open returns what the keys open telegrams with.
func (k *KeyFlags) Open() ([]*dlms.Key, error) {
	pairs, err := k.Pairs()
	if err != nil {
		return nil, err
	}
	return CipherKeys(pairs)
}

// flagOf names the flags as parsePair names their values.
var flagOf = map[string]string{"key": "key", "auth_key": "auth-key"}
