package dlms

import (
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
)

// KeyDigits is how many hexadecimal digits a key of AES-128 has.
const KeyDigits = 32

// A KeyLengthError says that a text has another number of hexadecimal digits than a key.
type KeyLengthError struct{ Digits int }

func (e *KeyLengthError) Error() string {
	return fmt.Sprintf("has %d hexadecimal digits, and a key has %d", e.Digits, KeyDigits)
}

// ParseKey reads a key as people paste it, with what letters and web pages put between the digits. Its errors never hold a digit of it.
func ParseKey(text string) ([]byte, error) {
	digits, err := keyDigits(text)
	if err != nil {
		return nil, err
	}
	if len(digits) != KeyDigits {
		return nil, &KeyLengthError{len(digits)}
	}
	return hex.DecodeString(digits)
}

// A KeyLineError says which line of a file of keys is wrong, counted from 1, and why. It never holds a digit of a key.
type KeyLineError struct {
	Line int
	Err  error
}

func (e *KeyLineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns what is wrong.
func (e *KeyLineError) Unwrap() error { return e.Err }

// ParseKeys reads lines of KEY or KEY AUTH_KEY; what follows a # is for people. Each call makes Keys of its own.
func ParseKeys(text string) ([]*Key, error) {
	var keys []*Key
	number := 0
	for line := range strings.Lines(text) {
		number++
		line, _, _ = strings.Cut(strings.TrimPrefix(line, "\ufeff"), "#") // files are joined, marks and all
		if strings.TrimSpace(line) == "" {
			continue
		}
		encryption, authentication, err := parseKeyLine(line)
		if err != nil {
			return nil, &KeyLineError{number, err}
		}
		key, err := NewKey(encryption, authentication)
		if err != nil {
			return nil, &KeyLineError{number, err}
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("no key in it: write a line of %d hexadecimal digits", KeyDigits)
	}
	return keys, nil
}

// parseKeyLine reads KEY or KEY AUTH_KEY. The authentication key is nil where there is none.
func parseKeyLine(line string) (encryption, authentication []byte, err error) {
	digits, err := keyDigits(line)
	if err != nil {
		return nil, nil, err
	}
	if n := len(digits); n != KeyDigits && n != 2*KeyDigits {
		return nil, nil, fmt.Errorf("has %d hexadecimal digits: a line has %d, which are a key, or %d, which are a key and its authentication key",
			n, KeyDigits, 2*KeyDigits)
	}
	both, err := hex.DecodeString(digits)
	if len(digits) == KeyDigits {
		return both, nil, err
	}
	return both[:KeyDigits/2], both[KeyDigits/2:], err
}

// betweenDigits is what letters, web pages and programs put around the bytes of a key, besides white space and 0x.
const betweenDigits = `:;-,."'“”„‘’`

var errKeyWord = fmt.Errorf("has a word before the key: leave it out, and write the %d hexadecimal digits alone", KeyDigits)

// keyDigits returns the hexadecimal digits of a text that has nothing else in it but what stands between them.
func keyDigits(text string) (string, error) {
	digits, err := onlyDigits(text)
	if err != nil && endsWithKey(text) {
		return "", errKeyWord
	}
	return digits, err
}

// LooksLikeKey reports whether a text may be a secret: least or more digits, written as people write keys, or a key at its end.
func LooksLikeKey(text string, least int) bool {
	digits, err := onlyDigits(text)
	return err == nil && len(digits) >= least || endsWithKey(text)
}

// endsWithKey reports whether a text ends with one key or two. The end of the word before may be digits too.
func endsWithKey(text string) bool {
	end := text[len(strings.TrimRight(text, "0123456789abcdefABCDEFxX \t\r\n"+betweenDigits)):]
	_, rest, _ := strings.Cut(strings.Replace(end, ":", " ", 1), " ")
	for _, t := range []string{end, rest} {
		if digits, err := onlyDigits(t); err == nil && (len(digits) == KeyDigits || len(digits) == 2*KeyDigits) {
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
			return "", fmt.Errorf("character %d is no hexadecimal digit (0 to 9, a to f): write the key as %d of them", i+1, KeyDigits)
		}
		before = r
	}
	return string(digits), nil
}
