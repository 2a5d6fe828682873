package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	aKey       = "00112233445566778899aabbccddeeff"
	anotherKey = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"
	// partOfKey must not be in any error, because it is a part of aKey.
	partOfKey = "1122"
)

// writePrivate writes a file that only its owner can read, as a file of keys should be.
func writePrivate(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "meter.key")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestKeyFile tests that valid files of keys are read, and that no error shows a key.
func TestKeyFile(t *testing.T) {
	tests := []struct {
		name, text string
		wantKeys   int    // an encryption key and its authentication key count as one
		wantErr    string // the error after the name of the file
	}{
		{"one key", aKey + "\n", 1, ""},
		{"an encryption key and an authentication key", aKey + " " + anotherKey, 1, ""},
		{"several lines", "# the old key\n" + aKey + "  # 2024\r\n\r\n" + anotherKey + "\t" + aKey + "\r\n",
			2, ""},
		{"an empty file", "", 0, ": no key found: write a line of 32 hexadecimal digits"},
		{"only comments", "# none yet\n", 0, ": no key found"},
		{"a key too short", "\n" + aKey[1:] + "\n", 0, ":2: has 31 hexadecimal digits: a line must have 32 (a key) or 64 (a key and its"},
		{"an authentication key too long", aKey + " " + aKey + "0\n", 0, ":1: has 65 hexadecimal digits"},
		{"three keys", strings.Repeat(aKey+" ", 3) + "\n", 0, ":1: has 96 hexadecimal digits"},
		{"quotes without a key", "\"\"\n", 0, ":1: has 0 hexadecimal digits"},
		{"a character that is no digit", aKey[:31] + "x\n", 0, ":1: character 32 is no hexadecimal digit"},
		{"a key in groups", "0011 2233 4455 6677 8899 aabb ccdd eeff\n", 1, ""},
		{"two keys in groups", "\ufeff 0011-2233-4455-6677-8899-aabb-ccdd-eeff : \"" + aKey + "\" # mine\n", 1, ""},
		{"two keys with a semicolon", aKey + ";" + aKey, 1, ""},
		{"a word before the key", "# mine\nGUEK: " + aKey, 0, ":2: has a word before the key: remove the word, and write only the 32 hexadecimal digits"},
		{"two keys without a separator", aKey + aKey, 1, ""},
		{"UTF-16, little-endian", "\xFF\xFE0\x000\x00", 0, ": is in UTF-16, which PowerShell writes with >: save the file as UTF-8"},
		{"UTF-16, big-endian", "\xFE\xFF\x000\x000", 0, ": is in UTF-16"},
		{"a key in binary", "\x00\x11\"3DUfw\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 0, ": contains the bytes of a key, not its digits: type xxd -p -c 32 "},
		{"two keys in binary", strings.Repeat("\x00\x11\"3DUfw\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 2), 0, ": contains the bytes of a key"},
		{"a comment in Latin-1", "# Schl\xFCssel\n" + aKey, 1, ""},
		{"a file too large", strings.Repeat("#\n", maxSecretFile<<10), 0, ": larger than 64 KiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := writePrivate(t, tt.text)
			keys, err := (&KeyFlags{File: file}).readFile()
			if tt.wantErr != "" {
				checkErr(t, err, file+tt.wantErr)
			} else {
				checkErr(t, err, "")
			}
			if err != nil && strings.Contains(strings.ReplaceAll(err.Error(), file, ""), partOfKey) {
				t.Errorf("a key is printed: %v", err)
			}
			if len(keys) != tt.wantKeys {
				t.Errorf("got %d keys, want %d", len(keys), tt.wantKeys)
			}
		})
	}
}

// TestParsePair tests that an error names the wrong setting and says where to write the authentication key.
func TestParsePair(t *testing.T) {
	file := writePrivate(t, aKey)
	tests := []struct{ name, key, authKey, file, wantPath, wantErr string }{ // wantPath is the setting that the error names
		{"both keys", aKey, anotherKey, "", "", ""},
		{"one key", aKey, "", "", "", ""},
		{"both keys in the setting key", aKey + " " + anotherKey, "", "", "key", "has 64 hexadecimal digits, and a key has 32: write the second half, which is " +
			"the authentication key, as auth_key (--auth-key)"},
		{"half a key", aKey[:16], "", "", "key", "has 16 hexadecimal digits, and a key has 32"},
		{"only an authentication key", "", anotherKey, "", "auth_key", "an authentication key without an encryption key"},
		{"only an authentication key, and a file of keys", "", anotherKey, file, "auth_key",
			"must be in the file of keys, after its key: change the line in " + file + " to KEY AUTH_KEY"},
		{"both keys, and a file of keys", aKey, anotherKey, file, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, problems := (&KeyFlags{tt.key, tt.authKey, tt.file}).load()
			err, path := problems.Err(), ""
			checkErr(t, err, tt.wantErr)
			if err != nil {
				path = problems[0].path
			}
			if path != tt.wantPath || err != nil && strings.Contains(strings.ReplaceAll(err.Error(), file, ""), partOfKey) {
				t.Errorf("got path %q and error %v, want path %q and no encryption key in the error", path, err, tt.wantPath)
			}
		})
	}
}

// TestKeyFileFaults tests that the errors for an unreadable file of keys say what to do.
func TestKeyFileFaults(t *testing.T) {
	denied := secretFiles["key_file"].fault("/k", &os.PathError{Op: "open", Path: "/k", Err: os.ErrPermission}).Error()
	for _, want := range []string{"/k: permission denied", "user id ", "chmod 600"} {
		if !strings.Contains(denied, want) {
			t.Errorf("error: got %q, want one that contains %q", denied, want)
		}
	}
	_, err := (&KeyFlags{File: t.TempDir()}).readFile()
	checkErr(t, err, "is a directory")
}

// TestMeterKeys tests that a meter has the key of the configuration and the keys of the file.
func TestMeterKeys(t *testing.T) {
	m := Meter{Key: aKey, KeyFile: writePrivate(t, anotherKey)}
	keys, err := m.Keys()
	if err != nil || len(keys) != 2 {
		t.Errorf("got %d keys, %v, want the key of the configuration and the key of the file", len(keys), err)
	}
}

// TestMeterWarnings tests the warnings about the settings of one meter.
func TestMeterWarnings(t *testing.T) {
	worldReadableFile := writePrivate(t, aKey)
	if err := os.Chmod(worldReadableFile, 0o644); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		m    Meter
		want []string // the beginning of each warning
	}{
		{"no warning", Meter{KeyFile: writePrivate(t, aKey), Checksum: "check"}, nil},
		{"a key file that every user can read", Meter{KeyFile: worldReadableFile}, []string{"every user of this machine can read"}},
		{"checksums ignored", Meter{Checksum: "ignore"}, []string{"checksums are ignored"}},
		{"both warnings", Meter{Checksum: "ignore", KeyFile: worldReadableFile}, []string{"checksums are ignored", "every user"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.m.Warnings()
			if len(got) != len(tt.want) {
				t.Fatalf("got %v, want %d warnings", got, len(tt.want))
			}
			for i, want := range tt.want {
				if !strings.HasPrefix(got[i].Message, want) {
					t.Errorf("warning: got %q, want one that begins with %q", got[i].Message, want)
				}
			}
		})
	}
}

// TestScaleText tests that valid texts of the variable HANBRIDGE_METER_SCALE are read, and that other texts are refused.
func TestScaleText(t *testing.T) {
	for in, want := range map[string]map[string]string{
		" , ":                                 nil,
		"import_energy=0.10, import_power=60": {"import_power": "60", "import_energy": "0.1"},
		"gas=000.001":                         {"gas": "0.001"},
	} {
		got := parseScale(t, in)
		if len(got) != len(want) {
			t.Errorf("%q: got %v, want %v", in, got, want)
		}
		for name, factor := range want {
			if got[name].String() != factor {
				t.Errorf("%q: got %v, want %v", in, got, want)
			}
		}
	}
	for in, want := range map[string]string{
		"import_energy": `"import_energy" is not a quantity and its factor`, "gas=0": `gas: "0" is not a factor`, "gas=": "is not a factor",
		"tariff=2": "tariff is text: only numbers can be multiplied", "gass=2": `"gass" is not a quantity (did you mean gas?)`, "gas=1,gas=2": "already set",
	} {
		_, err := Load("", []string{"HANBRIDGE_METER_SCALE=" + in})
		checkErr(t, err, want)
	}
}
