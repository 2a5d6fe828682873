package dlms

import (
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
)

// KeyDigits is the number of hexadecimal digits of an AES-128 key.
const KeyDigits = 32

// A KeyLengthError says that a text has too many or too few hexadecimal digits for a key.
type KeyLengthError struct {
	// Digits is the number of hexadecimal digits in the text.
	Digits int
}

func (e *KeyLengthError) Error() string {
	return fmt.Sprintf("has %d hexadecimal digits, and a key has %d", e.Digits, KeyDigits)
}

// ParseKey returns the 16 bytes of a key that a person pasted: 32 hexadecimal digits in either case. Between the digits there can be white
// space, 0x, quotes, and the characters ':', ';', '-', ',' and '.'. An error is a *KeyLengthError or describes the first character that is
// wrong. It never contains a digit of the key.
func ParseKey(text string) ([]byte, error) {
	digits, err := keyDigits(text)
	if err != nil {
		return nil, err
	}
	if len(digits) != KeyDigits {
		return nil, &KeyLengthError{Digits: len(digits)}
	}
	return hex.DecodeString(digits)
}

// A KeyLineError says which line of a list of keys is wrong. It never contains a digit of a key.
type KeyLineError struct {
	// Line is the number of the line, from 1.
	Line int
	// Err says what is wrong with the line.
	Err error
}

func (e *KeyLineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns Err.
func (e *KeyLineError) Unwrap() error { return e.Err }

// ParseKeys reads a list of keys. Each line is KEY or KEY AUTH_KEY, in a form that ParseKey reads. Empty lines and comments, which begin with
// #, are ignored. An error is a *KeyLineError, or says that there is no key.
func ParseKeys(text string) ([]*Key, error) {
	var keys []*Key
	number := 0
	for line := range strings.Lines(text) {
		number++
		line, _, _ = strings.Cut(strings.TrimPrefix(line, "\ufeff"), "#") // joined files can have a byte order mark in any line
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
		return nil, fmt.Errorf("no key found: write a line of %d hexadecimal digits", KeyDigits)
	}
	return keys, nil
}

// parseKeyLine reads KEY or KEY AUTH_KEY. authentication is nil if the line has only KEY.
func parseKeyLine(line string) (encryption, authentication []byte, err error) {
	digits, err := keyDigits(line)
	if err != nil {
		return nil, nil, err
	}
	if n := len(digits); n != KeyDigits && n != 2*KeyDigits {
		return nil, nil, fmt.Errorf("has %d hexadecimal digits: a line must have %d (a key) or %d (a key and its authentication key)",
			n, KeyDigits, 2*KeyDigits)
	}
	b, err := hex.DecodeString(digits)
	if len(digits) == KeyDigits {
		return b, nil, err
	}
	return b[:KeyDigits/2], b[KeyDigits/2:], err
}

// separators are the characters that are ignored around the digits of a key, besides white space and 0x.
const separators = `:;-,."'“”„‘’`

var errWordBeforeKey = fmt.Errorf("has a word before the key: remove the word, and write only the %d hexadecimal digits", KeyDigits)

// keyDigits returns the hexadecimal digits of a text of digits and separators. If a word is before the key, the error is errWordBeforeKey.
func keyDigits(text string) (string, error) {
	digits, err := onlyDigits(text)
	if err != nil && endsWithKey(text) {
		return "", errWordBeforeKey
	}
	return digits, err
}

// LooksLikeKey reports whether a text is possibly a secret. Such a text has minDigits or more hexadecimal digits, in a form that ParseKey reads,
// or ends with one or two keys. A program can use LooksLikeKey to avoid printing a key that a person wrote in the wrong place.
func LooksLikeKey(text string, minDigits int) bool {
	digits, err := onlyDigits(text)
	return err == nil && len(digits) >= minDigits || endsWithKey(text)
}

// endsWithKey reports whether a text ends with one or two keys, possibly after other words. It tests the longest end of the text that has only
// characters of keys. The last letters of a word before a key can be hexadecimal digits, such as the "de" of "Code: ". So endsWithKey also
// tests what follows the first ':' or blank of this end.
func endsWithKey(text string) bool {
	end := text[len(strings.TrimRight(text, "0123456789abcdefABCDEFxX \t\r\n"+separators)):]
	_, afterWord, _ := strings.Cut(strings.Replace(end, ":", " ", 1), " ")
	for _, t := range []string{end, afterWord} {
		if digits, err := onlyDigits(t); err == nil && (len(digits) == KeyDigits || len(digits) == 2*KeyDigits) {
			return true
		}
	}
	return false
}

// onlyDigits returns the hexadecimal digits of text, and an error if it has a character that is neither a digit nor a separator.
func onlyDigits(text string) (string, error) {
	var digits []byte
	previous := ' '
	for i, r := range []rune(text) {
		switch {
		case strings.ContainsRune("0123456789abcdefABCDEF", r):
			digits = append(digits, byte(r))
		case previous == '0' && (r == 'x' || r == 'X'):
			digits = digits[:len(digits)-1]
		case unicode.IsSpace(r), strings.ContainsRune(separators, r):
		default:
			return "", fmt.Errorf("character %d is no hexadecimal digit (0 to 9, a to f): write the key as %d hexadecimal digits", i+1, KeyDigits)
		}
		previous = r
	}
	return string(digits), nil
}
