package config

import (
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
)

// A keyPair opens the messages of a ciphered meter. The authentication key is nil where the grid company gave none.
type keyPair struct{ encryption, authentication []byte }

// parseKey reads a key as people paste it. Its errors never hold a digit of it.
func parseKey(text string) ([]byte, error) {
	digits, err := digitsOf(text)
	if err != nil {
		return nil, err
	}
	if len(digits) != safetext.KeyDigits {
		return nil, fmt.Errorf("has %d hexadecimal digits, and a key has %d", len(digits), safetext.KeyDigits)
	}
	return hex.DecodeString(digits)
}

// digitsOf returns the hexadecimal digits of a text that has nothing else in it but what stands between them.
func digitsOf(text string) (string, error) {
	digits, err := safetext.OnlyDigits(text)
	if err != nil && safetext.BehindWord(text) {
		return "", fmt.Errorf("has a word before the key: leave it out, and write the %d hexadecimal digits alone", safetext.KeyDigits)
	}
	return digits, err
}

// parsePair reads a key and, where it is not empty, the authentication key that belongs to it; file is where further keys are.
// part is which of the two is wrong: "key" or "auth_key".
func parsePair(key, authKey, file string) (pair keyPair, part string, err error) {
	if key == "" && file != "" {
		return keyPair{}, "auth_key", fmt.Errorf("belongs into the file of keys, behind its key: make the line in %s KEY AUTH_KEY", file)
	}
	if key == "" {
		return keyPair{}, "auth_key", errors.New("an authentication key without key, the one that deciphers: the grid company gives both")
	}
	if pair.encryption, err = parseKey(key); err != nil {
		if digits, _ := digitsOf(key); len(digits) == 2*safetext.KeyDigits {
			err = fmt.Errorf("%w: the second half is the authentication key, and goes to auth_key (--auth-key)", err)
		}
		return keyPair{}, "key", err
	}
	if authKey != "" {
		if pair.authentication, err = parseKey(authKey); err != nil {
			return keyPair{}, "auth_key", err
		}
	}
	return pair, "", nil
}

// parseKeyLine reads KEY or KEY AUTH_KEY.
func parseKeyLine(line string) (pair keyPair, err error) {
	digits, err := digitsOf(line)
	if err != nil {
		return pair, err
	}
	if n := len(digits); n != safetext.KeyDigits && n != 2*safetext.KeyDigits {
		return pair, fmt.Errorf("has %d hexadecimal digits: a line has %d, which are a key, or %d, which are a key and its authentication key",
			n, safetext.KeyDigits, 2*safetext.KeyDigits)
	}
	pair, _, err = parsePair(digits[:safetext.KeyDigits], digits[safetext.KeyDigits:], "")
	return pair, err
}

// noKeyText says what to do with a file whose bytes are no text, nil where they may be.
func noKeyText(name string, b []byte) error {
	const keyBytes = safetext.KeyDigits / 2
	if (len(b) == keyBytes || len(b) == 2*keyBytes) && !safetext.IsText(b) {
		return fmt.Errorf("%s: holds the bytes of a key, not its digits: make digits of them with xxd -p -c %d %s, and write these into a file",
			name, 2*keyBytes, name)
	}
	return nil
}
