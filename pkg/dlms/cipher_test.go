package dlms_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/pkg/dlms"
)

// Keys and system title of a meter that does not exist.
const (
	encryption     = "\x9D\xC1\x4E\x02\x77\x3B\xA5\x68\xF0\x1C\xD9\x86\x54\xBE\x21\xE7"
	authentication = "\x31\x8A\xFE\x60\x0B\xC4\x92\x5D\x17\xE8\x73\xAF\xD6\x29\x40\xB3"
	systemTitle    = "ABC\x45\x01\x02\x03\x04"
)

// securities are the security control bytes that Parse accepts. From 0x30 on, the message has a tag.
var securities = []byte{0x20, 0x21, 0x30, 0x31}

// key returns the Key of two keys of 16 bytes. If authentication is empty, the Key has no authentication key.
func key(t testing.TB, encryption, authentication string) *dlms.Key {
	t.Helper()
	var authKey []byte
	if authentication != "" {
		authKey = []byte(authentication)
	}
	k, err := dlms.NewKey([]byte(encryption), authKey)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// message returns a data-notification of n bytes. n must be at least 8.
func message(n int) []byte { return append([]byte(start+"\x02\x01"), make([]byte, n-8)...) }

// parsed returns the result of Parse for a general-glo-ciphering.
func parsed(t testing.TB, apdu []byte) *dlms.Ciphered {
	t.Helper()
	c := new(dlms.Ciphered)
	if err := c.Parse(apdu); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestCipheredRoundTrip tests that Parse and Decrypt read what AppendCiphered writes. A message is authentic if it has a tag and the Key
// has an authentication key.
func TestCipheredRoundTrip(t *testing.T) {
	full, encryptionOnly := key(t, encryption, authentication), key(t, encryption, "")
	rapid.Check(t, func(r *rapid.T) {
		plain := message(rapid.OneOf(rapid.IntRange(8, 600), rapid.IntRange(8, 60000)).Draw(r, "size"))
		for i := 8; i < len(plain); i++ { // the bytes after the first 8 get different values
			plain[i] = byte(i * i)
		}
		security := rapid.SampledFrom(securities).Draw(r, "security")
		counter := rapid.Uint32().Draw(r, "counter")
		title := rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(r, "title")
		prefix := rapid.SliceOfN(rapid.Byte(), 0, 3).Draw(r, "prefix")

		extended := dlms.AppendCiphered(prefix, full, title, security, counter, plain)
		c := parsed(t, extended[len(prefix):])
		if want := (dlms.Ciphered{Title: title, Security: security, Counter: counter, Ciphertext: c.Ciphertext}); !cmp.Equal(*c, want) {
			r.Fatalf("got %+v, want %+v", *c, want)
		}
		hasTag := security >= 0x30
		for _, k := range []*dlms.Key{full, encryptionOnly} {
			hasAuthKey := k == full
			got, authentic, err := k.Decrypt(prefix, c)
			if err != nil || authentic != (hasTag && hasAuthKey) {
				r.Fatalf("security %x, authentication key %t: authentic %t, error %v", security, hasAuthKey, authentic, err)
			}
			if diff := cmp.Diff(append(bytes.Clone(prefix), plain...), got); diff != "" {
				r.Fatalf("security %x, authentication key %t, -want +got:\n%s", security, hasAuthKey, diff)
			}
		}
	})
}

// TestCipheredBytes tests the length that AppendCiphered writes, and that crypto/cipher computes the same ciphertext.
func TestCipheredBytes(t *testing.T) {
	k := key(t, encryption, authentication)
	block, err := aes.NewCipher([]byte(encryption))
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCMWithTagSize(block, 12)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		security byte
		size     int    // of the plaintext: the number in the length field, less 5 bytes (security header) and 12 bytes (tag, from 0x30 on)
		length   string // the length field
	}{
		{0x20, 0x7F - 5, "\x7F"},
		{0x20, 0x80 - 5, "\x81\x80"},
		{0x21, 0xFF - 5, "\x81\xFF"},
		{0x21, 0x100 - 5, "\x82\x01\x00"},
		{0x30, 0x7F - 17, "\x7F"},
		{0x30, 0x155 - 17, "\x82\x01\x55"},
		{0x31, 0xFFFF - 17, "\x82\xFF\xFF"},
	} {
		const counter = "\x00\x0A\x0B\x0C"
		plain := message(tt.size)
		nonce, aad := []byte(systemTitle+counter), []byte(string(rune(tt.security))+authentication)
		ciphertext := gcm.Seal(make([]byte, 0, len(plain)+16), nonce, plain, aad)
		if tt.security < 0x30 { // no tag
			ciphertext = ciphertext[:len(plain)]
		}
		want := "\xDB\x08" + systemTitle + tt.length + string(rune(tt.security)) + counter + string(ciphertext)
		got := string(dlms.AppendCiphered(nil, k, []byte(systemTitle), tt.security, 0x0A0B0C, plain))
		if got != want {
			t.Errorf("security %x, %d bytes: got\n% x, want\n% x", tt.security, tt.size, got, want)
		}
	}
}

// TestCipheredErrors tests the error of each malformed or unsupported message, and that the Ciphered is empty after an error.
func TestCipheredErrors(t *testing.T) {
	build := func(security string, size int) string { // size is the length of the ciphertext with its tag
		length := string(rune(5 + size)) // one byte, because it is below 0x80
		return "\xDB\x08" + systemTitle + length + security + "\x00\x00\x00\x01" + strings.Repeat("x", size)
	}
	for _, tt := range []struct{ name, in, want string }{
		{"no bytes", "", "byte 0: the data ends too early"},
		{"another APDU", start, "byte 0: not an encrypted message"},
		{"a title of seven bytes", "\xDB\x07" + systemTitle, "byte 1: a system title of a wrong length"},
		{"no title", "\xDB\x00\x0D\x20", "byte 1: a system title of a wrong length"},
		{"length 0 at the end of the data", "\xDB\x08" + systemTitle + "\x00", "byte 11: the data ends too early"},
		{"length 0 and a security control byte", "\xDB\x08" + systemTitle + "\x00\x20", "byte 11: an encrypted message without ciphertext"},
		{"no ciphertext", build("\x20", 0), "byte 11: an encrypted message without ciphertext"},
		{"a tag without ciphertext", build("\x30", 12), "byte 11: an encrypted message without ciphertext"},
		{"a byte too many", build("\x20", 8) + "x", "byte 24: more data than the length says"},
		{"authenticated, but not encrypted", build("\x10", 20), "byte 11: a general-glo-ciphering that is not encrypted"},
		{"neither authenticated nor encrypted", build("\x00", 20), "byte 11: a general-glo-ciphering that is not encrypted"},
		{"suite 2", build("\x32", 20), "byte 11: a security suite other than 0 and 1"},
		{"compressed", build("\xB0", 20), "byte 11: a compressed message"},
		{"broadcast", build("\x70", 20), "byte 11: a message for the broadcast key"},
		{"a length of four bytes", "\xDB\x08" + systemTitle + "\x84\x00\x00\x00\x0D", "byte 10: a length of more than two bytes"},
	} {
		c := dlms.Ciphered{Counter: 1}
		err := c.Parse([]byte(tt.in))
		if err == nil || !strings.HasPrefix(err.Error(), "dlms: "+tt.want) {
			t.Errorf("%s: got error %v, want an error with %q", tt.name, err, tt.want)
		}
		if kind := kindOf(tt.want); !errors.Is(err, kind) {
			t.Errorf("%s: got error %v, want an error that matches %v", tt.name, err, kind)
		}
		if !cmp.Equal(c, dlms.Ciphered{}) {
			t.Errorf("%s: got %+v after an error, want an empty Ciphered", tt.name, c)
		}
	}
}

// kindOf returns the exported error that an error with this text must match.
func kindOf(text string) error {
	switch {
	case strings.Contains(text, "ends too early"):
		return dlms.ErrTruncated
	case strings.Contains(text, "not encrypted"), strings.Contains(text, "suite"), strings.Contains(text, "compressed"), strings.Contains(text, "broadcast"):
		return dlms.ErrUnsupported
	}
	return dlms.ErrMalformed
}

// TestCipheredTruncated tests truncated messages. The error of Parse must name an index up to the end of the data, and CipheredLength must
// return 0.
func TestCipheredTruncated(t *testing.T) {
	k := key(t, encryption, authentication)
	for _, security := range securities {
		for _, size := range []int{8, 100, 200, 400} { // the length is written in one, one, two and three bytes
			valid := dlms.AppendCiphered(nil, k, []byte(systemTitle), security, 1, message(size))
			for n := range valid {
				var c dlms.Ciphered
				err := c.Parse(valid[:n])
				text, _, _ := strings.Cut(strings.TrimPrefix(fmt.Sprint(err), "dlms: byte "), ":")
				if at, atoiErr := strconv.Atoi(text); atoiErr != nil || at > n {
					t.Errorf("security %x, cut after %d of %d bytes: got error %v, want an error with an index up to the end", security, n, len(valid), err)
				}
				if got := dlms.CipheredLength(valid[:n]); got != 0 {
					t.Errorf("security %x, cut after %d of %d bytes: got length %d, want 0", security, n, len(valid), got)
				}
			}
			if got, want := dlms.CipheredLength(append(valid, "noise"...)), len(valid); got != want {
				t.Errorf("security %x, noise after the message: got length %d, want %d", security, got, want)
			}
		}
	}
}

// TestCipheredLength tests that CipheredLength accepts only the messages that a stream without frames can contain.
func TestCipheredLength(t *testing.T) {
	k := key(t, encryption, authentication)
	build := func(security byte, plaintextSize int) string {
		return string(dlms.AppendCiphered(nil, k, []byte(systemTitle), security, 1, message(plaintextSize)))
	}
	short := build(0x30, 8)              // short[:10] ends before the length
	const longest = 2 + 8 + 3 + 5 + 4096 // DB 08, system title, length, security header, ciphertext with tag
	for _, tt := range []struct {
		name, in string
		want     int
	}{
		{"no bytes", "", 0},
		{"first byte of a message", "\xDB", 0},
		{"a first byte other than DB", "\x7E", -1},
		{"a title of seven bytes", "\xDB\x07", -1},
		{"the shortest message", short, len(short)},
		{"the longest message", build(0x20, 4096), longest},
		{"one byte too long", build(0x20, 4097), -1},
		{"the longest message with a tag", build(0x31, 4084), longest},
		{"one byte too long with a tag", build(0x31, 4085), -1},
		{"one byte too short with a tag", short[:10] + "\x18\x30", -1},
		{"one byte too short without a tag", short[:10] + "\x0C\x20", -1},
		{"authenticated, but not encrypted", short[:10] + "\x50\x10", -1},
		{"suite 2", short[:10] + "\x50\x32", -1},
		{"a length of three bytes", short[:10] + "\x83", -1},
	} {
		if got := dlms.CipheredLength([]byte(tt.in)); got != tt.want {
			t.Errorf("%s: got length %d, want %d", tt.name, got, tt.want)
		}
	}
}

// TestParseHeadless tests that the encrypted part of a P1 telegram is parsed and decrypted. This part has no system title.
func TestParseHeadless(t *testing.T) {
	k := key(t, encryption, authentication)
	lines := []byte(strings.Repeat("1-0:1.8.0(000123.456*kWh)\r\n", 20))
	b := dlms.AppendCiphered(nil, k, nil, 0x30, 0, lines)[1:] // without DB
	var c dlms.Ciphered
	if err := c.ParseHeadless(b); err != nil {
		t.Fatal(err)
	}
	for _, k := range []*dlms.Key{k, key(t, encryption, "")} {
		if got, _, err := k.Decrypt(nil, &c); err != nil || !bytes.Equal(got, lines) {
			t.Errorf("got %q, error %v; want the data lines", got, err)
		}
	}
	for n := range b {
		if err := c.ParseHeadless(b[:n]); err == nil {
			t.Errorf("cut after %d of %d bytes: got no error, want an error", n, len(b))
		}
	}
	if err := c.ParseHeadless([]byte("\x08" + systemTitle)); err == nil {
		t.Error("a message with a system title: got no error, want an error")
	}
}

// TestFlippedBits tests that Parse or Decrypt returns an error for a message with a tag and one flipped bit.
func TestFlippedBits(t *testing.T) {
	k := key(t, encryption, authentication)
	for _, security := range []byte{0x30, 0x31} {
		valid := dlms.AppendCiphered(nil, k, []byte(systemTitle), security, 7, message(150))
		for bit := range 8 * len(valid) {
			flipped := bytes.Clone(valid)
			flipped[bit/8] ^= 1 << (bit % 8)
			var c dlms.Ciphered
			if c.Parse(flipped) != nil {
				continue
			}
			plain, authentic, err := k.Decrypt(nil, &c)
			// If the flipped bit is the one for the tag in the security control byte, Decrypt treats the tag as a part of the ciphertext. Then
			// the result is not authentic.
			if c.Security < 0x30 && err == nil && !authentic {
				continue
			}
			if !errors.Is(err, dlms.ErrWrongKey) || plain != nil || authentic {
				t.Errorf("security %x, bit %d of byte %d flipped: got %d bytes, authentic %t, error %v; want ErrWrongKey", security, bit%8, bit/8, len(plain), authentic, err)
			}
		}
	}
}

// TestWrongKey tests the error of Decrypt for each kind of wrong key.
func TestWrongKey(t *testing.T) {
	other := strings.Repeat("\x5A", 16)
	right := key(t, encryption, authentication)
	for _, security := range securities {
		c := parsed(t, dlms.AppendCiphered(nil, right, []byte(systemTitle), security, 7, message(100)))
		for name, k := range map[string]*dlms.Key{
			"encryption key": key(t, other, authentication),
			"encryption key, without an authentication key": key(t, other, ""),
			"both keys":                         key(t, other, other),
			"keys in the wrong order":           key(t, authentication, encryption),
			"authentication key":                key(t, encryption, other),
			"authentication key for encryption": key(t, authentication, ""),
		} {
			plain, authentic, err := k.Decrypt(nil, c)
			onlyAuthKeyWrong := name == "authentication key"
			if onlyAuthKeyWrong && security < 0x30 {
				if err != nil || authentic {
					t.Errorf("security %x, wrong %s: got authentic %t, error %v; want success, because there is no tag", security, name, authentic, err)
				}
				continue
			}
			if !errors.Is(err, dlms.ErrWrongKey) || errors.Is(err, dlms.ErrWrongAuthKey) != onlyAuthKeyWrong || plain != nil || authentic {
				t.Errorf("security %x, wrong %s: got %d bytes, authentic %t, error %v; want an error", security, name, len(plain), authentic, err)
			}
		}
	}
	if _, _, err := right.Decrypt(nil, &dlms.Ciphered{Security: 0x30, Ciphertext: []byte("short")}); !errors.Is(err, dlms.ErrWrongKey) {
		t.Errorf("a ciphertext shorter than a tag: got error %v, want %v", err, dlms.ErrWrongKey)
	}
	if _, _, err := right.Decrypt(nil, &dlms.Ciphered{Security: 0x20}); !errors.Is(err, dlms.ErrWrongKey) {
		t.Errorf("no ciphertext: got error %v, want %v", err, dlms.ErrWrongKey)
	}
}

// TestWrongKeyWithoutTag tests that Decrypt refuses 100,000 random keys for a message without a tag.
func TestWrongKeyWithoutTag(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	c := parsed(t, dlms.AppendCiphered(nil, key(t, encryption, authentication), []byte(systemTitle), 0x20, 7, message(100)))
	dst := make([]byte, 0, 200)
	wrong := make([]byte, 16)
	for range 100_000 {
		for i := range wrong {
			wrong[i] = byte(random.Uint32())
		}
		k, err := dlms.NewKey(wrong, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := k.Decrypt(dst, c); !errors.Is(err, dlms.ErrWrongKey) {
			t.Fatalf("a key of random bytes: got error %v, want %v", err, dlms.ErrWrongKey)
		}
	}
}

// TestDecryptWithoutTag tests that the plaintext of a message without a tag is accepted only if it begins as a message does.
func TestDecryptWithoutTag(t *testing.T) {
	k := key(t, encryption, "")
	const date = "\x07\xE9\x06\x1E\x01\x17\x3B\x28\x00\xFF\x88\x80"
	const body = "\x02\x00" // a structure of no items
	for _, tt := range []struct {
		name, plain string
		wantOK      bool
	}{
		{"no date-time", start + "\x01\x00", true},
		{"octet-string of 0 bytes for the date-time", start[:5] + "\x09\x00\x01\x00", true},
		{"date-time", start[:5] + "\x0C" + date + body, true},
		{"date-time with tag", start[:5] + "\x09\x0C" + date + body, true},
		{"a date-time that is not specified", start[:5] + "\x0C" + strings.Repeat("\xFF", 12) + body, true},
		{"identification line", "/ABC5\\253833635_A\r\n\r\n", true},
		{"identification line without a name", "/abc5\r\n\r\n1-3:0.2.8(50)", true},
		{"data line", "0-0:1.0.0(250630235940S)", true},
		{"the notification ends before its body", start, false},
		{"the notification ends within its invoke id", start[:5], false},
		{"the notification ends after its date-time", start[:5] + "\x0C" + date, false},
		{"a date-time of 11 bytes", start[:5] + "\x0B" + date[1:] + body, false},
		{"year 1999", start[:5] + "\x0C\x07\xCF" + date[2:] + body, false},
		{"year 2101", start[:5] + "\x0C\x08\x35" + date[2:] + body, false},
		{"month 0", start[:5] + "\x0C\x07\xE9\x00" + date[3:] + body, false},
		{"month 13", start[:5] + "\x0C\x07\xE9\x0D" + date[3:] + body, false},
		{"day 0", start[:5] + "\x0C\x07\xE9\x06\x00" + date[4:] + body, false},
		{"day 32", start[:5] + "\x0C\x07\xE9\x06\x20" + date[4:] + body, false},
		{"hour 24", start[:5] + "\x0C" + date[:5] + "\x18" + date[6:] + body, false},
		{"a body that is a number", start + "\x06\x00\x00\x00\x01", false},
		{"a block", "\xE0\xC0\x00\x01\x00\x00\x00", false},
		{"a short text", "/ABC5\r\n", false},
		{"a byte that is not printable", "/ABC5\\25383363\x80_A\r\n", false},
		{"a digit in the letters of the manufacturer", "/A1C5\\253833635_A\r\n\r\n", false},
		{"other text", "Lorem ipsum dolor sit amet", false},
	} {
		c := parsed(t, dlms.AppendCiphered(nil, k, []byte(systemTitle), 0x20, 7, []byte(tt.plain)))
		got, _, err := k.Decrypt(nil, c)
		accepted := err == nil && string(got) == tt.plain
		refused := errors.Is(err, dlms.ErrWrongKey) && got == nil
		if tt.wantOK && !accepted || !tt.wantOK && !refused {
			t.Errorf("%s: got %q, error %v; want success %t", tt.name, got, err, tt.wantOK)
		}
	}
}

// TestNewKeyErrors tests the errors for keys of a wrong length.
func TestNewKeyErrors(t *testing.T) {
	for _, tt := range []struct {
		name                       string
		encryption, authentication []byte
		want                       string
	}{
		{"no encryption key", nil, nil, "dlms: an encryption key of 0 bytes"},
		{"AES-256", make([]byte, 32), nil, "dlms: an encryption key of 32 bytes"},
		{"hexadecimal digits as bytes", []byte("00112233445566778899AABBCCDDEEFF"), nil, "dlms: an encryption key of 32 bytes"},
		{"an empty authentication key", make([]byte, 16), []byte{}, "dlms: an authentication key of 0 bytes"},
		{"a short authentication key", make([]byte, 16), make([]byte, 15), "dlms: an authentication key of 15 bytes"},
	} {
		k, err := dlms.NewKey(tt.encryption, tt.authentication)
		if k != nil || err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: got error %v, want an error that begins with %q", tt.name, err, tt.want)
		}
	}
}

// TestKeyIsNotPrinted tests that no verb and no encoding prints bytes of a Key, also if the Key is inside another value.
func TestKeyIsNotPrinted(t *testing.T) {
	k := key(t, encryption, authentication)
	c := parsed(t, dlms.AppendCiphered(nil, k, []byte(systemTitle), 0x30, 7, message(50)))
	if _, _, err := k.Decrypt(nil, c); err != nil { // fills the buffers of the key
		t.Fatal(err)
	}
	type exported struct{ K *dlms.Key }
	type hidden struct {
		p *dlms.Key
		v dlms.Key
		s []dlms.Key
	}
	var printed []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%c", "%o", "%b", "%U", "%e", "%t", "%w"} {
		if got := fmt.Sprintf(verb, k); got != "key" && verb != "%w" { // Sprintf does not have the verb %w
			t.Errorf("%s: got %q, want key", verb, got)
		}
		for _, v := range []any{k, *k, exported{k}, []*dlms.Key{k}, hidden{k, *k, []dlms.Key{*k}}, &hidden{p: k, v: *k}, map[string]any{"k": k}} {
			printed = append(printed, fmt.Sprintf(verb, v))
		}
	}
	for _, v := range []any{k, *k, exported{k}, map[string]dlms.Key{"k": *k}} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		printed = append(printed, string(b))
	}
	wrong, _, err := key(t, strings.Repeat("\x5A", 16), authentication).Decrypt(nil, c)
	printed = append(printed, k.String(), fmt.Sprint(err), string(wrong))
	for _, s := range printed {
		for _, secret := range []string{encryption, authentication} {
			checkSecret(t, s, secret)
		}
	}
}

// checkSecret fails if s contains five successive bytes of the secret, printed with one of the formats below.
func checkSecret(t *testing.T, s, secret string) {
	t.Helper()
	for i := range len(secret) - 4 {
		part := []byte(secret[i : i+5])
		for _, format := range []string{"%s", "%q", "%x", "%X", "% x", "%d", "%#x", "%#v", "%o", "%b", "%c", "%U"} {
			form := strings.Trim(strings.TrimPrefix(fmt.Sprintf(format, part), "[]byte"), `[]{}"`)
			if strings.Contains(s, form) {
				t.Fatalf("%q shows bytes %d to %d of a key", s, i, i+4)
			}
		}
	}
}

// TestEncryptedError tests the texts of an EncryptedError, and that it matches ErrEncrypted.
func TestEncryptedError(t *testing.T) {
	for _, tt := range []struct {
		title          string
		tried, authKey bool
		want           string
	}{
		{systemTitle, false, false, "dlms: encrypted, and no key given (system title ABCE…)"},
		{systemTitle, true, false, "dlms: encrypted, and the key does not fit (system title ABCE…)"},
		{systemTitle, true, true, "dlms: encrypted, and the key fits, but its authentication key does not (system title ABCE…)"},
		{"ABC\x10\x20\x00\x00\x01", true, false, "dlms: encrypted, and the key does not fit (system title ABC…)"},
		{"A\x01C45678", true, false, "dlms: encrypted, and the key does not fit (system title 41014334…)"},
		{strings.Repeat("\x00", 8), false, false, "dlms: encrypted, and no key given (no system title)"},
	} {
		e := &dlms.EncryptedError{Title: [8]byte([]byte(tt.title)), Tried: tt.tried, AuthKey: tt.authKey}
		if got := e.Error(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
		if !errors.Is(fmt.Errorf("meter: %w", e), dlms.ErrEncrypted) {
			t.Errorf("got error %v, want an error that matches ErrEncrypted", e)
		}
	}
}

// TestDecryptAllocs tests that Decrypt allocates nothing if dst has enough capacity, with a right key and with a wrong key.
func TestDecryptAllocs(t *testing.T) {
	right, wrong := key(t, encryption, authentication), key(t, authentication, encryption)
	for _, security := range securities {
		apdu := dlms.AppendCiphered(nil, right, []byte(systemTitle), security, 7, message(450))
		for name, k := range map[string]*dlms.Key{"right": right, "wrong": wrong, "no authentication": key(t, encryption, "")} {
			var c dlms.Ciphered
			dst := make([]byte, 0, len(parsed(t, apdu).Ciphertext)+16)
			got := testing.AllocsPerRun(100, func() {
				if dlms.CipheredLength(apdu) != len(apdu) || c.Parse(apdu) != nil {
					t.Fatal("CipheredLength or Parse does not accept the message")
				}
				if _, _, err := k.Decrypt(dst, &c); (err == nil) != (name != "wrong") {
					t.Fatalf("security %x, %s: got error %v", security, name, err)
				}
			})
			if got != 0 {
				t.Errorf("security %x, %s: got %v allocations, want 0", security, name, got)
			}
		}
	}
}

// TestBytesAfterBuffer tests that AppendCiphered and Decrypt never change the bytes after the capacity of dst. The sizes and capacities give
// every remainder modulo 16, because a cipher block has 16 bytes.
func TestBytesAfterBuffer(t *testing.T) {
	const guard = "unchanged"
	full, encryptionOnly := key(t, encryption, authentication), key(t, encryption, "")
	check := func(what string, size int, buf []byte, capacity int, call func(dst []byte)) {
		t.Helper()
		copy(buf[capacity:], guard)
		call(buf[:0:capacity])
		if got := string(buf[capacity : capacity+len(guard)]); got != guard {
			t.Errorf("%s, plaintext of %d bytes, capacity of %d bytes: got %q after the capacity, want %q", what, size, capacity, got, guard)
		}
	}
	for size := 20; size < 40; size++ {
		for _, security := range securities {
			apdu := dlms.AppendCiphered(nil, full, []byte(systemTitle), security, 7, message(size))
			c, buf := parsed(t, apdu), make([]byte, 200)
			for extra := range 17 {
				// The capacities are from 12 bytes (a tag) too small to 4 bytes larger than needed.
				check("encrypt", size, buf, len(apdu)-12+extra, func(dst []byte) {
					dlms.AppendCiphered(dst, full, []byte(systemTitle), security, 7, message(size))
				})
				for _, k := range []*dlms.Key{full, encryptionOnly} {
					check("decrypt", size, buf, size+extra, func(dst []byte) {
						if _, _, err := k.Decrypt(dst, c); err != nil {
							t.Fatal(err)
						}
					})
				}
			}
		}
	}
}

// TestAppendCipheredPanics tests that AppendCiphered panics if an argument is not possible.
func TestAppendCipheredPanics(t *testing.T) {
	full := key(t, encryption, authentication)
	for name, call := range map[string]func(){
		"a title of 7 bytes":    func() { dlms.AppendCiphered(nil, full, make([]byte, 7), 0x20, 0, message(8)) },
		"security 10":           func() { dlms.AppendCiphered(nil, full, make([]byte, 8), 0x10, 0, message(8)) },
		"no authentication key": func() { dlms.AppendCiphered(nil, key(t, encryption, ""), make([]byte, 8), 0x30, 0, message(8)) },
		"more than 65535 bytes": func() { dlms.AppendCiphered(nil, full, make([]byte, 8), 0x20, 0, message(0x10000)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: AppendCiphered does not panic", name)
				}
			}()
			call()
		}()
	}
}

// BenchmarkDecrypt decrypts a message of 450 bytes.
func BenchmarkDecrypt(b *testing.B) {
	full := key(b, encryption, authentication)
	c := parsed(b, dlms.AppendCiphered(nil, full, []byte(systemTitle), 0x30, 7, message(450)))
	dst := make([]byte, 0, 500)
	for _, bb := range []struct {
		name string
		k    *dlms.Key
	}{{"tag", full}, {"no authentication key", key(b, encryption, "")}} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(450)
			for b.Loop() {
				if _, _, err := bb.k.Decrypt(dst, c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("GCM of crypto/cipher", func(b *testing.B) {
		block, err := aes.NewCipher([]byte(encryption))
		if err != nil {
			b.Fatal(err)
		}
		gcm, err := cipher.NewGCMWithTagSize(block, 12)
		if err != nil {
			b.Fatal(err)
		}
		nonce, aad := []byte(systemTitle+"\x00\x00\x00\x07"), []byte("\x30"+authentication)
		b.ReportAllocs()
		b.SetBytes(450)
		for b.Loop() {
			if _, err := gcm.Open(dst, nonce, c.Ciphertext, aad); err != nil {
				b.Fatal(err)
			}
		}
	})
}
