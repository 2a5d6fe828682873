package dlms

import (
	"encoding/hex"
	"strings"
	"testing"
)

const aKey = "00112233445566778899aabbccddeeff"

// TestParseKeyLine tests lines of one key and of two keys.
func TestParseKeyLine(t *testing.T) {
	const otherKey = "d0d1d2d3d4d5d6d7d8d9dadbdcdddedf"
	tests := []struct{ line, wantEncryption, wantAuthentication, wantErr string }{
		{aKey, aKey, "", ""},
		{aKey + " " + strings.ToUpper(otherKey), aKey, otherKey, ""},
		{aKey + ";" + otherKey, aKey, otherKey, ""},
		{aKey + otherKey, aKey, otherKey, ""},
		{"0011 2233 4455 6677 8899 aabb ccdd eeff\n", aKey, "", ""},
		{"0011-2233-4455-6677-8899-aabb-ccdd-eeff : \"" + otherKey + "\" ", aKey, otherKey, ""},
		{aKey[1:], "", "", "has 31 hexadecimal digits: a line must have 32 (a key) or 64 (a key and its authentication key)"},
		{strings.Repeat(aKey, 3), "", "", "has 96 hexadecimal digits"},
		{"GUEK: " + aKey, "", "", "has a word before the key"},
	}
	for _, tt := range tests {
		encryption, authentication, err := parseKeyLine(tt.line)
		checkKeyError(t, err, tt.wantErr)
		if hex.EncodeToString(encryption) != tt.wantEncryption || hex.EncodeToString(authentication) != tt.wantAuthentication {
			t.Errorf("%q: got %x and %x, want %s and %s", tt.line, encryption, authentication, tt.wantEncryption, tt.wantAuthentication)
		}
	}
}

// TestParseKeys tests lists with comments, empty lines and byte order marks.
func TestParseKeys(t *testing.T) {
	keys, err := ParseKeys("\ufeff# the old one\n" + aKey + "  # 2024\r\n\r\n\ufeff" + aKey + "\t" + aKey + "\r\n")
	if err != nil || len(keys) != 2 {
		t.Errorf("got %d keys, %v, want 2", len(keys), err)
	}
	_, err = ParseKeys("# none\n\n" + aKey + "0\n")
	checkKeyError(t, err, "line 3: has 33 hexadecimal digits")
	_, err = ParseKeys("# none yet\n")
	checkKeyError(t, err, "no key found: write a line of 32 hexadecimal digits")
}

// checkKeyError fails if err does not contain want, or contains digits of a key. If want is empty, err must be nil.
func checkKeyError(t *testing.T, err error, want string) {
	t.Helper()
	const digits = "1122" // in every form of aKey without separators between its digits
	if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), digits)) {
		t.Errorf("got error %v, want %q without digits of a key", err, want)
	}
}

// TestParseKey tests the forms in which people paste a key, and texts that are not one key.
func TestParseKey(t *testing.T) {
	const upper = "00112233445566778899AABBCCDDEEFF"
	tests := []struct{ name, text, wantErr string }{
		{"plain", aKey, ""},
		{"capitals", upper, ""},
		{"white space around the key", "\r\n\t " + aKey + " \n", ""},
		{"blanks", "00 11 22 33 44 55 66 77 88 99 AA BB CC DD EE FF", ""},
		{"no-break spaces", strings.ReplaceAll("0011 2233 4455 6677 8899 AABB CCDD EEFF", " ", "\u00a0"), ""},
		{"colons", "00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff", ""},
		{"dashes and points", "00112233-4455-6677-8899.aabb.ccdd.eeff", ""},
		{"with 0x", "0x" + aKey, ""},
		{"with 0X", "0X" + upper, ""},
		{"an array", "0x00, 0x11, 0x22, 0x33,\n0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF,", ""},
		{"an array without gaps", "0x000x110x220x330x440x550x660x770x880x990xAA0xBB0xCC0xDD0xEE0xFF", ""},
		{"quotes", `"` + aKey + `"`, ""},
		{"quotes around bytes", `'00','11','22','33','44','55','66','77','88','99','aa','bb','cc','dd','ee','ff'`, ""},
		{"typographic quotes", "„" + aKey + "“", ""},
		{"empty", "", "has 0 hexadecimal digits, and a key has 32"},
		{"x before the digits", "x" + aKey, "character 1 is no hexadecimal digit"},
		{"x between digits", aKey[:2] + " x" + aKey[2:], "character 4 is no hexadecimal digit"},
		{"bytes of one digit", "0x0," + aKey[2:], "has 31 hexadecimal digits, and a key has 32"},
		{"semicolons", "00;11;22;33;44;55;66;77;88;99;aa;bb;cc;dd;ee;ff", ""},
		{"a word before the key", "Key: " + aKey, "has a word before the key: remove the word, and write only the 32 hexadecimal digits"},
		{"a word that ends with hexadecimal digits", "Code: 00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff", "has a word before the key"},
		{"an assignment", "key=" + aKey, "has a word before the key"},
		{"two words", "GUEK (AES) 0x" + aKey, "has a word before the key"},
		{"a word before two keys", "Keys: " + aKey + " " + aKey, "has a word before the key"},
		{"only words", "not here", "character 1 is no hexadecimal digit (0 to 9, a to f): write the key as 32 hexadecimal digits"},
		{"a word before half a key", "Key: " + aKey[:16], "character 1 is no hexadecimal digit"},
		{"a word after the key", aKey + " (GUEK)", "character 34 is no hexadecimal digit"},
		{"two keys", aKey + aKey, "has 64 hexadecimal digits, and a key has 32"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseKey(tt.text)
			checkKeyError(t, err, tt.wantErr)
			if err == nil && hex.EncodeToString(got) != aKey {
				t.Errorf("got %x, want %s", got, aKey)
			}
		})
	}
}
