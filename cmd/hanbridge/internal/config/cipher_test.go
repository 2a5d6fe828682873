package config

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	aKey       = "00112233445566778899aabbccddeeff"
	anotherKey = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"
)

// writtenPrivate writes a file as a file of keys should be.
func writtenPrivate(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "meter.key")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestKeyFile(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string // encryption, then authentication key
		wantErr    string   // behind the name of the file
	}{
		{"one", aKey + "\n", []string{aKey, ""}, ""},
		{"two keys", aKey + " " + anotherKey, []string{aKey, strings.ToLower(anotherKey)}, ""},
		{"several lines", "# the old one\n" + aKey + "  # 2024\r\n\r\n" + anotherKey + "\t" + aKey + "\r\n",
			[]string{aKey, "", strings.ToLower(anotherKey), aKey}, ""},
		{"nothing", "", nil, ": no key in it: write a line of 32 hexadecimal digits"},
		{"comments alone", "# none yet\n", nil, ": no key in it"},
		{"short", "\n" + aKey[1:] + "\n", nil, ":2: has 31 hexadecimal digits: a line has 32, which are a key, or 64, which are a key and its"},
		{"second wrong", aKey + " " + aKey + "0\n", nil, ":1: has 65 hexadecimal digits"},
		{"three keys", strings.Repeat(aKey+" ", 3) + "\n", nil, ":1: has 96 hexadecimal digits"},
		{"nothing but quotes", "\"\"\n", nil, ":1: has 0 hexadecimal digits"},
		{"no digits", aKey[:31] + "x\n", nil, ":1: character 32 is no hexadecimal digit"},
		{"in groups", "0011 2233 4455 6677 8899 aabb ccdd eeff\n", []string{aKey, ""}, ""},
		{"two in groups", "\ufeff 0011-2233-4455-6677-8899-aabb-ccdd-eeff : \"" + aKey + "\" # mine\n", []string{aKey, aKey}, ""},
		{"two with a semicolon", aKey + ";" + aKey, []string{aKey, aKey}, ""},
		{"a word before it", "# mine\nGUEK: " + aKey, nil, ":2: has a word before the key: leave it out, and write the 32 hexadecimal digits alone"},
		{"two without a gap", aKey + aKey, []string{aKey, aKey}, ""},
		{"UTF-16", "\xFF\xFE0\x000\x00", nil, ": is in UTF-16, as > of PowerShell writes it: save it as UTF-8"},
		{"UTF-16 the other way", "\xFE\xFF\x000\x000", nil, ": is in UTF-16"},
		{"a key of bytes", "\x00\x11\"3DUfw\x88\x99\xaa\xbb\xcc\xdd\xee\xff", nil, ": holds the bytes of a key, not its digits: make digits of them with xxd -p -c 32 "},
		{"two keys of bytes", strings.Repeat("\x00\x11\"3DUfw\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 2), nil, ": holds the bytes of a key"},
		{"a comment in Latin-1", "# Schl\xFCssel\n" + aKey, []string{aKey, ""}, ""},
		{"large", strings.Repeat("#\n", maxConfigFile), nil, ": larger than 64 KiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := writtenPrivate(t, tt.text)
			pairs, err := readKeyFile("key_file", file)
			if tt.wantErr != "" {
				checkErr(t, err, file+tt.wantErr)
			} else {
				checkErr(t, err, "")
			}
			if err != nil && strings.Contains(err.Error(), "1122") {
				t.Errorf("a key is printed: %v", err)
			}
			var got []string
			for _, p := range pairs {
				got = append(got, hex.EncodeToString(p.encryption), hex.EncodeToString(p.authentication))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseKey(t *testing.T) {
	const upper = "00112233445566778899AABBCCDDEEFF"
	tests := []struct{ name, text, wantErr string }{
		{"plain", aKey, ""},
		{"capitals", upper, ""},
		{"white space around it", "\r\n\t " + aKey + " \n", ""},
		{"blanks", "00 11 22 33 44 55 66 77 88 99 AA BB CC DD EE FF", ""},
		{"blanks that do not break", strings.ReplaceAll("0011 2233 4455 6677 8899 AABB CCDD EEFF", " ", "\u00a0"), ""},
		{"colons", "00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff", ""},
		{"dashes and points", "00112233-4455-6677-8899.aabb.ccdd.eeff", ""},
		{"a number", "0x" + aKey, ""},
		{"a number in capitals", "0X" + upper, ""},
		{"an array", "0x00, 0x11, 0x22, 0x33,\n0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF,", ""},
		{"an array without gaps", "0x000x110x220x330x440x550x660x770x880x990xAA0xBB0xCC0xDD0xEE0xFF", ""},
		{"quotes", `"` + aKey + `"`, ""},
		{"quotes around bytes", `'00','11','22','33','44','55','66','77','88','99','aa','bb','cc','dd','ee','ff'`, ""},
		{"quotes of a letter", "„" + aKey + "“", ""},
		{"nothing", "", "has 0 hexadecimal digits, and a key has 32"},
		{"x alone", "x" + aKey, "character 1 is no hexadecimal digit"},
		{"x within", aKey[:2] + " x" + aKey[2:], "character 4 is no hexadecimal digit"},
		{"bytes of one digit", "0x0," + aKey[2:], "has 31 hexadecimal digits, and a key has 32"},
		{"semicolons", "00;11;22;33;44;55;66;77;88;99;aa;bb;cc;dd;ee;ff", ""},
		{"a name before it", "Key: " + aKey, "has a word before the key: leave it out, and write the 32 hexadecimal digits alone"},
		{"a name that ends with digits", "Code: 00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff", "has a word before the key"},
		{"a name that is a setting", "key=" + aKey, "has a word before the key"},
		{"two words", "GUEK (AES) 0x" + aKey, "has a word before the key"},
		{"a name before two", "Keys: " + aKey + " " + aKey, "has a word before the key"},
		{"words alone", "not here", "character 1 is no hexadecimal digit (0 to 9, a to f): write the key as 32 of them"},
		{"a name before half of one", "Key: " + aKey[:16], "character 1 is no hexadecimal digit"},
		{"a name behind it", aKey + " (GUEK)", "character 34 is no hexadecimal digit"},
		{"two", aKey + aKey, "has 64 hexadecimal digits, and a key has 32"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseKey(tt.text)
			checkErr(t, err, tt.wantErr)
			if err == nil && hex.EncodeToString(got) != aKey {
				t.Errorf("got %x, want %s", got, aKey)
			}
			if err != nil && strings.Contains(err.Error(), "1122") {
				t.Errorf("a key is printed: %v", err)
			}
		})
	}
}

// TestParsePair: an error names the part that is wrong, and where the authentication key goes.
func TestParsePair(t *testing.T) {
	tests := []struct{ name, key, authKey, file, part, wantErr string }{
		{"both", aKey, anotherKey, "", "", ""},
		{"one", aKey, "", "", "", ""},
		{"both in one", aKey + " " + anotherKey, "", "", "key", "has 64 hexadecimal digits, and a key has 32: the second half is the authentication " +
			"key, and goes to auth_key (--auth-key)"},
		{"half of one", aKey[:16], "", "", "key", "has 16 hexadecimal digits, and a key has 32"},
		{"the second alone", "", anotherKey, "", "auth_key", "an authentication key without key"},
		{"the second alone, beside a file", "", anotherKey, "meter.key", "auth_key",
			"belongs into the file of keys, behind its key: make the line in meter.key KEY AUTH_KEY"},
		{"both beside a file", aKey, anotherKey, "meter.key", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, part, err := parsePair(tt.key, tt.authKey, tt.file)
			checkErr(t, err, tt.wantErr)
			if part != tt.part || err != nil && strings.Contains(err.Error(), "1122") {
				t.Errorf("got part %q and %v, want %q and no key", part, err, tt.part)
			}
		})
	}
}

func TestKeyFileFaults(t *testing.T) {
	denied := keyFileFault("/k", &os.PathError{Op: "open", Path: "/k", Err: os.ErrPermission}).Error()
	for _, want := range []string{"/k: permission denied", "user id ", "chmod 600 /k"} {
		if !strings.Contains(denied, want) {
			t.Errorf("got %q, want %q in it", denied, want)
		}
	}
	_, err := readKeyFile("key_file", t.TempDir())
	checkErr(t, err, "is a directory")
}

func TestMeterPairs(t *testing.T) {
	m := Meter{Key: aKey, KeyFile: writtenPrivate(t, anotherKey)}
	pairs, err := m.Pairs()
	if err != nil || len(pairs) != 2 || hex.EncodeToString(pairs[0].encryption) != aKey || pairs[0].authentication != nil {
		t.Errorf("got %d pairs, %v, want that of the configuration and then that of the file", len(pairs), err)
	}
}

func TestMeterWarnings(t *testing.T) {
	open := writtenPrivate(t, aKey)
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		m    Meter
		want []string // what each begins with
	}{
		{"all well", Meter{KeyFile: writtenPrivate(t, aKey), Checksum: "check"}, nil},
		{"open file", Meter{KeyFile: open}, []string{"every user of this machine can read"}},
		{"no checksum", Meter{Checksum: "ignore"}, []string{"checksums are ignored"}},
		{"both", Meter{Checksum: "ignore", KeyFile: open}, []string{"checksums are ignored", "every user"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.m.Warnings()
			if len(got) != len(tt.want) {
				t.Fatalf("got %v, want %d warnings", got, len(tt.want))
			}
			for i, want := range tt.want {
				if !strings.HasPrefix(got[i].Message, want) {
					t.Errorf("got %q, want it to begin with %q", got[i].Message, want)
				}
			}
		})
	}
}

func scaled(t *testing.T, text string) Scale {
	t.Helper()
	var s Scale
	if err := s.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestScaleText(t *testing.T) {
	for in, want := range map[string]string{
		"":                                    "",
		" , ":                                 "",
		"import_energy=0.10, import_power=60": "import_power=60,import_energy=0.1",
		"gas=000.001":                         "gas=0.001",
	} {
		if got := scaled(t, in).String(); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
