package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/pkg/dlms"
)

// cipherKeys makes what opens telegrams of pairs. Each call makes its own: a dlms.Key has one user.
func cipherKeys(pairs []keyPair) ([]*dlms.Key, error) {
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

// keyFlags are the keys that a person names on the command line.
type keyFlags struct{ key, authKey, file string }

func (k *keyFlags) add(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&k.file, "key-file", "", "`FILE` of keys, a line KEY or KEY AUTH_KEY each, tried in turn")
	flags.StringVar(&k.key, "key", "", "a key, `HEX`: every user of the machine can see it while this runs, so better use --key-file")
	flags.StringVar(&k.authKey, "auth-key", "", "the authentication key, `HEX`, that belongs to --key")
}

// given tells that any of the flags is used.
func (k *keyFlags) given() bool { return *k != keyFlags{} }

// pairs returns the keys, that of the command line first. Errors name the flag, never what it says.
func (k *keyFlags) pairs() ([]keyPair, error) {
	var pairs []keyPair
	if k.key != "" || k.authKey != "" {
		pair, part, err := parsePair(k.key, k.authKey, k.file)
		if err != nil {
			return nil, fmt.Errorf("--%s: %w", flagOf[part], err)
		}
		pairs = append(pairs, pair)
	}
	if k.file == "" {
		return pairs, nil
	}
	more, err := readKeyFile("--key-file", k.file)
	if err != nil {
		return nil, fmt.Errorf("--key-file: %w", err)
	}
	return append(pairs, more...), nil
}

// open returns what the keys open telegrams with.
func (k *keyFlags) open() ([]*dlms.Key, error) {
	pairs, err := k.pairs()
	if err != nil {
		return nil, err
	}
	return cipherKeys(pairs)
}

// flagOf names the flags as parsePair names their values.
var flagOf = map[string]string{"key": "key", "auth_key": "auth-key"}
