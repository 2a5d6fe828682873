package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// A keyPair opens the messages of a ciphered meter. The authentication key is nil where the grid company gave none.
type keyPair struct{ encryption, authentication []byte }

// keyDigits is how many hexadecimal digits a key of AES-128 has.
const keyDigits = 32

// parseKey reads a key as people paste it. Its errors never hold a digit of it.
func parseKey(text string) ([]byte, error) {
	digits, err := digitsOf(text)
	if err != nil {
		return nil, err
	}
	if len(digits) != keyDigits {
		return nil, fmt.Errorf("has %d hexadecimal digits, and a key has %d", len(digits), keyDigits)
	}
	return hex.DecodeString(digits)
}

// betweenDigits is what letters, web pages and programs put around the bytes of a key, besides white space and 0x.
const betweenDigits = `:;-,."'“”„‘’`

// digitsOf returns the hexadecimal digits of a text that has nothing else in it but what stands between them.
func digitsOf(text string) (string, error) {
	digits, err := onlyDigits(text)
	if err != nil && behindWord(text) {
		return "", fmt.Errorf("has a word before the key: leave it out, and write the %d hexadecimal digits alone", keyDigits)
	}
	return digits, err
}

// behindWord tells that a text ends with a key, or with a key and its authentication key. The end of the word may be digits too.
func behindWord(text string) bool {
	end := text[len(strings.TrimRight(text, "0123456789abcdefABCDEFxX \t\r\n"+betweenDigits)):]
	_, rest, _ := strings.Cut(strings.Replace(end, ":", " ", 1), " ")
	for _, t := range []string{end, rest} {
		if digits, err := onlyDigits(t); err == nil && (len(digits) == keyDigits || len(digits) == 2*keyDigits) {
			return true
		}
	}
	return false
}

func onlyDigits(text string) (string, error) {
	var digits []byte
	before := ' '
	for i, r := range []rune(text) {
		switch {
		case strings.ContainsRune("0123456789abcdefABCDEF", r):
			digits = append(digits, byte(r))
		case before == '0' && (r == 'x' || r == 'X'):
			digits = digits[:len(digits)-1]
		case unicode.IsSpace(r), strings.ContainsRune(betweenDigits, r):
		default:
			return "", fmt.Errorf("character %d is no hexadecimal digit (0 to 9, a to f): write the key as %d of them", i+1, keyDigits)
		}
		before = r
	}
	return string(digits), nil
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
		if digits, _ := digitsOf(key); len(digits) == 2*keyDigits {
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
	if n := len(digits); n != keyDigits && n != 2*keyDigits {
		return pair, fmt.Errorf("has %d hexadecimal digits: a line has %d, which are a key, or %d, which are a key and its authentication key",
			n, keyDigits, 2*keyDigits)
	}
	pair, _, err = parsePair(digits[:keyDigits], digits[keyDigits:], "")
	return pair, err
}

// noKeyText says what to do with a file whose bytes are no text, nil where they may be.
func noKeyText(name string, b []byte) error {
	const keyBytes = keyDigits / 2
	if (len(b) == keyBytes || len(b) == 2*keyBytes) && !isText(b) {
		return fmt.Errorf("%s: holds the bytes of a key, not its digits: make digits of them with xxd -p -c %d %s, and write these into a file",
			name, 2*keyBytes, name)
	}
	return nil
}
