package meter_test

import (
	"bytes"
	"encoding/hex"
	"regexp"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/mbus"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// TestRealTelegramsHoldNoIdentity tests that realFolder has no text that is possibly the number of a meter. It searches the bytes of each telegram,
// the decrypted message, text in hexadecimal, the decoded records and the description.
func TestRealTelegramsHoldNoIdentity(t *testing.T) {
	for _, r := range realTelegrams(t) {
		texts := []string{string(r.bytes), r.name, r.Source, r.Licence, r.Country, r.Meter, r.Framing, r.Basis, r.Damaged}
		texts = append(texts, decodedTexts(t, &r.telegram)...)
		for _, text := range texts {
			if found := identityIn(text); found != "" {
				t.Errorf("%s: %q is possibly the number of a meter", r.name, found)
			}
		}
	}
}

// decodedTexts returns the texts in the records of a telegram, the model, serial number and list name of the meter, and the decrypted message. It
// fails the test if a number with the code of an identity number is not 0, or if a system title has more than the manufacturer code.
func decodedTexts(t *testing.T, tg *telegram) (texts []string) {
	t.Helper()
	d := tg.decoder(t)
	for {
		r, err := d.Next()
		if isTelegramError(err) {
			continue
		}
		if err != nil {
			break
		}
		texts = append(texts, r.Meter.Model, r.Meter.Serial, r.Meter.List)
		for i := range r.Records {
			rec := &r.Records[i]
			texts = append(texts, string(rec.Text))
			if rec.Kind == obis.Number && rec.Value.Sign() != 0 && isIdentity(rec.Code) {
				t.Errorf("%s: %v: got %v, want 0", tg.name, rec.Code, rec.Value)
			}
		}
		if serial := r.Cipher.Title[3:]; !bytes.Equal(serial, make([]byte, len(serial))) {
			t.Errorf("%s: system title %x: want zeros after the manufacturer code", tg.name, r.Cipher.Title)
		}
	}
	return append(texts, decrypted(t, tg))
}

// decrypted returns the decrypted message of a telegram. It returns "" if the telegram has no key.
func decrypted(t *testing.T, tg *telegram) string {
	t.Helper()
	if tg.Key == "" {
		return ""
	}
	var c dlms.Ciphered
	if err := c.Parse(joinedMessage(t, tg.bytes)); err != nil {
		t.Fatalf("%s: %v", tg.name, err)
	}
	plain, _, err := keyOf(t, tg.Key, tg.AuthKey).Decrypt(nil, &c)
	if err != nil {
		t.Fatalf("%s: %v", tg.name, err)
	}
	return string(plain)
}

// joinedMessage joins the data of the frames and blocks of a telegram. It returns a telegram without a frame unchanged.
func joinedMessage(t *testing.T, telegram []byte) (joined []byte) {
	t.Helper()
	if n := dlms.CipheredLength(telegram); n > 0 {
		return telegram
	}
	for len(telegram) > 1 {
		var data []byte
		if n := hdlc.Length(telegram); n > 0 {
			f, err := hdlc.Parse(telegram[:n])
			if err != nil {
				t.Fatal(err)
			}
			data, telegram = bytes.TrimPrefix(f.Info, []byte(dlms.LLC)), telegram[n:]
		} else {
			n := mbus.Length(telegram)
			f, err := mbus.Parse(telegram[:n])
			if err != nil {
				t.Fatal(err)
			}
			data, telegram = f.Data, telegram[n:]
		}
		var b dlms.Block
		if b.Parse(data) == nil {
			data = b.Data
		}
		joined = append(joined, data...)
	}
	return joined
}

// isIdentity reports whether c is the code of a number of the meter (IEC 62056-6-2, 6.2.42) or of the logical device name.
func isIdentity(c obis.Code) bool {
	return c[2] == 0 && c[3] == 0 || c[2] == 96 && c[3] == 1 || c[0] == 0 && c[2] == 42
}

var (
	// harmless matches digits that are not the number of a meter: a value with its unit, a time, a code, or the type of a Kamstrup meter whose
	// last digits are masked.
	harmless = regexp.MustCompile(`-?\d+(\.\d+)?\*[A-Za-z]|\(\d+\.\d+\)|\d+-\d+:\d+\.\d+\.\d+|` +
		`\b\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])[0-5]\d[0-5]\d\b|\b\d{12}[SWsw]\b|` +
		`\b20\d{6} \d\d:\d\d:\d\d\b|\b68\d{4}0[A-Z]{2}0+\b`)
	// hexText matches digits that are possibly a text in hexadecimal.
	hexText = regexp.MustCompile(`([0-9A-Fa-f]{2}){6,}`)
	// longNumber matches at least 7 digits, or a manufacturer code of three letters and at least 5 digits.
	longNumber = regexp.MustCompile(`\d{7,}|[A-Z]{3}\d{5,}`)
)

// identityIn returns the first part of a text that is possibly the number of a meter. It returns "" if there is none. A number with only zeros is
// masked, and is ignored.
func identityIn(text string) string {
	text = harmless.ReplaceAllString(text, " ")
	text = hexText.ReplaceAllStringFunc(text, func(digits string) string {
		if b, err := hex.DecodeString(digits); err == nil && isPrintable(string(b)) {
			return string(b)
		}
		return digits
	})
	for _, found := range longNumber.FindAllString(text, -1) {
		if strings.ContainsAny(found, "123456789") {
			return found
		}
	}
	return ""
}

// isMasked reports whether the text of an identity number is masked as package mask does: all digits are 0, and all letters after the first four
// characters are X. The text can be in hexadecimal, and can end with zero bytes.
func isMasked(text string) bool {
	if b, err := hex.DecodeString(text); err == nil && isPrintable(string(b)) {
		text = string(b)
	}
	text = strings.TrimRight(text, "\x00")
	return isPrintable(text) && !strings.ContainsAny(text, "123456789") && !laterLetter.MatchString(text)
}

// laterLetter matches a text with a letter other than X after the first four characters.
var laterLetter = regexp.MustCompile(`^.{4}.*[A-WYZa-wyz]`)

// isPrintable reports whether a text has only printable ASCII characters.
func isPrintable(text string) bool {
	return !strings.ContainsFunc(text, func(x rune) bool { return x < ' ' || x > '~' })
}

// TestIdentityIn tests that identityIn finds numbers of meters, and finds nothing in values, times and masked numbers.
func TestIdentityIn(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"0-0:96.1.1(4530303334353637)", "0034567"}, // hexadecimal digits of E0034567
		{"0-0:96.1.0(7359990000000001)", "7359990000000001"},
		{"KFM1234567890123", "KFM1234567890123"},
		{"\x02\x09\x0CSAG123450000", "SAG123450000"},
		{"0-1:96.1.0(4730303132333430303031323334)", "0012340001234"}, // hexadecimal digits of G0012340001234
		{"1-0:1.8.0(006545766*Wh)", ""},
		{"0-0:1.0.0(231102121548W)", ""},
		{"0-0:96.1.1(4530303030303030303030303030303030)", ""},
		{"AIDON_V0001", ""},
	} {
		if got := identityIn(tt.text); got != tt.want {
			t.Errorf("identityIn(%q): got %q, want %q", tt.text, got, tt.want)
		}
	}
}

// TestIsMasked tests that isMasked is true for masked numbers and false for other numbers of a meter, also in hexadecimal. 453030… is hexadecimal for
// E00….
func TestIsMasked(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "0000000000": true, "0SAG0000000000": true, "4530303030303030": true, "UP_0X": true, "00000000\x00\x00": true,
		"0000000001": false, "4530303030303031": false, "KFM0000A": false, "\x12\x34\x56\x78": false,
	} {
		if got := isMasked(text); got != want {
			t.Errorf("isMasked(%q): got %v, want %v", text, got, want)
		}
	}
}
