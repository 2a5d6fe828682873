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

// TestRealTelegramsHoldNoIdentity searches realFolder for what may be the number of somebody's meter: in the bytes of each
// telegram, in the decrypted message, in text that stands in hexadecimal, in the decoded records and in the description.
func TestRealTelegramsHoldNoIdentity(t *testing.T) {
	for _, r := range realTelegrams(t) {
		texts := []string{string(r.wire), r.name, r.Source, r.Licence, r.Country, r.Meter, r.Framing, r.Basis, r.Damaged}
		texts = append(texts, decodedTexts(t, &r.telegram)...)
		for _, text := range texts {
			if found := identityIn(text); found != "" {
				t.Errorf("%s: %q may be the number of a meter", r.name, found)
			}
		}
	}
}

// decodedTexts returns the texts of the records of a telegram, what it says about the meter, the decrypted message, and the
// meter's own part of a system title. A number whose code is that of an identity number must be 0.
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
		if own := r.Cipher.Title[3:]; !bytes.Equal(own, make([]byte, len(own))) {
			t.Errorf("%s: system title %x: want zeros after the letters of the maker", tg.name, r.Cipher.Title)
		}
	}
	return append(texts, decrypted(t, tg))
}

// decrypted returns the decrypted message of a telegram, "" for a telegram without a key.
func decrypted(t *testing.T, tg *telegram) string {
	t.Helper()
	if tg.Key == "" {
		return ""
	}
	var c dlms.Ciphered
	if err := c.Parse(joinedMessage(t, tg.wire)); err != nil {
		t.Fatalf("%s: %v", tg.name, err)
	}
	plain, _, err := keyOf(t, tg.Key, tg.AuthKey).Decrypt(nil, &c)
	if err != nil {
		t.Fatalf("%s: %v", tg.name, err)
	}
	return string(plain)
}

// joinedMessage joins what the frames and blocks of a telegram hold. A telegram without a frame is its own message.
func joinedMessage(t *testing.T, wire []byte) (joined []byte) {
	t.Helper()
	if n := dlms.CipheredLength(wire); n > 0 {
		return wire
	}
	for len(wire) > 1 {
		var data []byte
		if n := hdlc.Length(wire); n > 0 {
			f, err := hdlc.Parse(wire[:n])
			if err != nil {
				t.Fatal(err)
			}
			data, wire = bytes.TrimPrefix(f.Info, []byte(dlms.LLC)), wire[n:]
		} else {
			n := mbus.Length(wire)
			f, err := mbus.Parse(wire[:n])
			if err != nil {
				t.Fatal(err)
			}
			data, wire = f.Data, wire[n:]
		}
		var b dlms.Block
		if b.Parse(data) == nil {
			data = b.Data
		}
		joined = append(joined, data...)
	}
	return joined
}

// isIdentity reports whether a code is that of a number of the meter (IEC 62056-6-2, 6.2.42) or of the logical device name.
func isIdentity(c obis.Code) bool {
	return c[2] == 0 && c[3] == 0 || c[2] == 96 && c[3] == 1 || c[0] == 0 && c[2] == 42
}

var (
	// harmless are digits that are not a number of a meter: a reading with its unit, a time, a code, a type of Kamstrup whose
	// end package mask has replaced.
	harmless = regexp.MustCompile(`-?\d+(\.\d+)?\*[A-Za-z]|\(\d+\.\d+\)|\d+-\d+:\d+\.\d+\.\d+|` +
		`\b\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])[0-5]\d[0-5]\d\b|\b\d{12}[SWsw]\b|` +
		`\b20\d{6} \d\d:\d\d:\d\d\b|\b68\d{4}0[A-Z]{2}0+\b`)
	// hexText is what may be text in hexadecimal.
	hexText = regexp.MustCompile(`([0-9A-Fa-f]{2}){6,}`)
	// longNumber is a run of 7 digits, or three letters of a maker and 5 digits.
	longNumber = regexp.MustCompile(`\d{7,}|[A-Z]{3}\d{5,}`)
)

// identityIn returns the first part of a text that may be the number of a meter, "" where there is none. Zeros stand for digits
// that were replaced.
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

// isMasked reports whether the text of an identity number has the form that package mask gives it: no digit but 0, and no letter but
// X after the four places of the maker. It may stand in hexadecimal, and end with zero bytes.
func isMasked(text string) bool {
	if b, err := hex.DecodeString(text); err == nil && isPrintable(string(b)) {
		text = string(b)
	}
	text = strings.TrimRight(text, "\x00")
	return isPrintable(text) && !strings.ContainsAny(text, "123456789") && !laterLetter.MatchString(text)
}

var laterLetter = regexp.MustCompile(`^.{4}.*[A-WYZa-wyz]`)

func isPrintable(text string) bool {
	return !strings.ContainsFunc(text, func(x rune) bool { return x < ' ' || x > '~' })
}

// TestIdentityIn requires that the search finds numbers of meters and nothing in readings, times and masked numbers.
func TestIdentityIn(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"0-0:96.1.1(4530303334353637)", "0034567"},
		{"0-0:96.1.0(7359990000000001)", "7359990000000001"},
		{"KFM1234567890123", "KFM1234567890123"},
		{"\x02\x09\x0CSAG123450000", "SAG123450000"},
		{"0-1:96.1.0(4730303132333430303031323334)", "0012340001234"},
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

// TestIsMasked requires that no number passes as masked: not in hexadecimal, not as bytes that are no text.
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
