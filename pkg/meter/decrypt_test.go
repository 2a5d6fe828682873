package meter_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/p1"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

const (
	otherKey = "F0E1D2C3B4A5968778695A4B3C2D1E0F"
	titleA   = "ABC\x00\x00\x00\x00\x01"
	titleB   = "ABC\x00\x00\x00\x00\x02"
)

// securities are security control bytes (IEC 62056-5-3, 9.2.4.7). 0x20 and 0x21 are for encryption without a tag, 0x30 and 0x31 for encryption
// with a tag, in security suites 0 and 1.
var securities = []byte{0x20, 0x21, withTag, 0x31}

// withTag is the lowest of the securities that mean encryption with a tag.
const withTag = 0x30

// An encryptedForm is a form in which meters send encrypted messages.
type encryptedForm struct {
	name string
	// plaintext is the message before encryption. content is what describe returns for its reading.
	plaintext, content string
	// frame returns the telegram that contains glo, a general-glo-ciphering.
	frame func(glo []byte) string
	// hasTitle is true if the message has a system title and a frame counter.
	hasTitle bool
	// hasChecksum is true if the message is an ASCII telegram with a checksum.
	hasChecksum bool
}

// encryptedForms returns all forms.
func encryptedForms(t *testing.T) []encryptedForm {
	t.Helper()
	binary, _, _ := messages(t)
	text, _ := twoTelegrams(t, "p1-se-aidon")
	polish, _ := twoTelegrams(t, "p1-pl-plain")
	ident, lines, _ := strings.Cut(polish.bytes, "\r\n\r\n")
	lines = lines[:strings.LastIndexByte(lines, '!')]
	polishFrame := func(glo []byte) string {
		// AppendEncrypted adds the '/' of the identification line. Polish telegrams do not contain the tag, which is the first byte of glo.
		return string(p1.AppendEncrypted(nil, strings.TrimPrefix(ident, "/"), glo[1:]))
	}
	return []encryptedForm{
		{"HDLC", string(binary.apdu), binary.content, func(glo []byte) string { return strings.Join(hdlcSegments(glo, 1), "") }, true, false},
		{"HDLC in segments", string(binary.apdu), binary.content, func(glo []byte) string { return strings.Join(hdlcSegments(glo, 3), "") }, true, false},
		{"M-Bus", string(binary.apdu), binary.content, func(glo []byte) string { return strings.Join(mbusSegments(glo, 2), "") }, true, false},
		{"no frame", string(binary.apdu), binary.content, func(glo []byte) string { return string(glo) }, true, false},
		{"no frame, encrypted P1 telegram", text.bytes, text.content, func(glo []byte) string { return string(glo) }, true, true},
		{"P1 telegram of which only the data lines are encrypted", lines, polish.content, polishFrame, false, true},
	}
}

// encrypt returns a telegram with the message, encrypted with the key of the simulator.
func (form *encryptedForm) encrypt(title string, security byte, counter uint32) string {
	if !form.hasTitle {
		title, counter = "", 0
	}
	return form.frame(dlms.AppendCiphered(nil, simulate.Key(), []byte(title), security, counter, []byte(form.plaintext)))
}

// decoderWithKeys returns a Decoder that reads the stream and has these keys.
func decoderWithKeys(stream string, keys ...*dlms.Key) *meter.Decoder {
	return meter.NewDecoder(strings.NewReader(stream), meter.Options{Keys: keys, AcceptUnverified: true})
}

// decoderRejectingRepeated returns a Decoder that reads the stream, has this key, and rejects repeated telegrams.
func decoderRejectingRepeated(stream string, key *dlms.Key) *meter.Decoder {
	return meter.NewDecoder(strings.NewReader(stream), meter.Options{Keys: []*dlms.Key{key}, AcceptUnverified: true, RejectRepeated: true})
}

// forEachForm runs a test for each form and each security control byte.
func forEachForm(t *testing.T, test func(t *testing.T, form encryptedForm, security byte)) {
	t.Helper()
	for _, form := range encryptedForms(t) {
		for _, security := range securities {
			t.Run(fmt.Sprintf("%s/%x", form.name, security), func(t *testing.T) { test(t, form, security) })
		}
	}
}

// TestDecryption tests that the right key decrypts a message, even if the Decoder has wrong keys too. The message must be Checked in two cases
// only: it has a tag, and the key has an authentication key; or it is an ASCII telegram with a checksum.
func TestDecryption(t *testing.T) {
	right, wrong := simulate.Key(), keyOf(t, otherKey, simulate.AuthenticationKey)
	withoutAuth, wrongWithoutAuth := keyOf(t, simulate.EncryptionKey, ""), keyOf(t, otherKey, "")
	forEachForm(t, func(t *testing.T, form encryptedForm, security byte) {
		for name, tt := range map[string]struct {
			keys       []*dlms.Key
			hasAuthKey bool // the first key that decrypts the message has an authentication key
		}{
			"right key":                                  {[]*dlms.Key{right}, true},
			"wrong key, right key":                       {[]*dlms.Key{wrong, right}, true},
			"right key between wrong keys":               {[]*dlms.Key{wrong, wrongWithoutAuth, wrong, right, wrong}, true},
			"key without authentication key":             {[]*dlms.Key{withoutAuth}, false},
			"wrong keys, key without authentication key": {[]*dlms.Key{wrong, wrongWithoutAuth, withoutAuth}, false},
			"key without authentication key, right key":  {[]*dlms.Key{withoutAuth, right}, false},
		} {
			stream := form.encrypt(titleA, security, 7)
			d := decoderWithKeys(stream+form.encrypt(titleA, security, 8), tt.keys...)
			for i := range uint32(2) {
				r, err := d.Next()
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				want := meter.Cipher{Security: security}
				if form.hasTitle {
					copy(want.Title[:], titleA)
					want.Counter = 7 + i
				}
				if withoutFraming(describe(r)) != withoutFraming(form.content) || r.Cipher != want || r.Repeated || r.Bytes != len(stream) {
					t.Errorf("%s: got cipher %+v, repeated %v, %d bytes, content %s; want cipher %+v, not repeated, %d bytes, content %s",
						name, r.Cipher, r.Repeated, r.Bytes, describe(r), want, len(stream), form.content)
				}
				checksTag := tt.hasAuthKey && security >= withTag
				if wantChecked := form.hasChecksum || checksTag; r.Checked != wantChecked {
					t.Errorf("%s: got Checked %v, want %v", name, r.Checked, wantChecked)
				}
			}
		}
	})
}

// TestEncryptedWithoutKey tests that a message gives one EncryptedError if the Decoder has no key or only wrong keys. The field Tried must be
// true if the Decoder has keys.
func TestEncryptedWithoutKey(t *testing.T) {
	for name, keys := range map[string][]*dlms.Key{
		"no key":     nil,
		"wrong key":  {keyOf(t, otherKey, "")},
		"wrong keys": {keyOf(t, otherKey, ""), keyOf(t, otherKey, simulate.AuthenticationKey), keyOf(t, simulate.AuthenticationKey, otherKey)},
	} {
		forEachForm(t, func(t *testing.T, form encryptedForm, security byte) {
			stream := form.encrypt(titleA, security, 7)
			readings, errs := drain(decoderWithKeys(stream, keys...))
			if len(readings) != 0 || len(errs) != 1 {
				t.Fatalf("%s: got %d readings and errors %v, want one error", name, len(readings), errs)
			}
			e, wantTitle := errs[0], [8]byte{}
			if form.hasTitle {
				copy(wantTitle[:], titleA)
			}
			var encrypted *dlms.EncryptedError
			if !errors.As(e, &encrypted) || encrypted.Tried != (keys != nil) || encrypted.Title != wantTitle || !e.Intact || e.Bytes != len(stream) {
				t.Errorf("%s: got %v, intact %v, %d bytes; want an EncryptedError with title %q and Tried %v, intact, %d bytes",
					name, e, e.Intact, e.Bytes, wantTitle, keys != nil, len(stream))
			}
		})
	}
}

// TestWrongAuthenticationKey tests that a message with a tag gives an EncryptedError with AuthKey true if only the authentication key is wrong.
// A message without a tag must be read.
func TestWrongAuthenticationKey(t *testing.T) {
	key := keyOf(t, simulate.EncryptionKey, otherKey)
	forEachForm(t, func(t *testing.T, form encryptedForm, security byte) {
		readings, errs := drain(decoderWithKeys(form.encrypt(titleA, security, 7), key))
		if security < withTag {
			if len(readings) != 1 {
				t.Errorf("without a tag: got %d readings and errors %v, want one reading", len(readings), errs)
			}
			return
		}
		var encrypted *dlms.EncryptedError
		if len(readings) != 0 || len(errs) != 1 || !errors.As(errs[0], &encrypted) || !encrypted.Tried || !encrypted.AuthKey {
			t.Errorf("with a tag: got %d readings and errors %v, want one EncryptedError with AuthKey true", len(readings), errs)
		}
	})
}

// TestDamagedTag tests the error for a telegram whose tag is wrong. If the key has decrypted no earlier telegram of the meter, the error must be an
// EncryptedError, which says that the key is wrong. If the key has decrypted an earlier telegram, the error must be ErrAuthentication, which
// says that the telegram is damaged. But if the checksum of a frame shows that the telegram is not damaged, the error must be an EncryptedError
// again.
func TestDamagedTag(t *testing.T) {
	for _, form := range encryptedForms(t) {
		if !form.hasTitle {
			continue // without a title, the Decoder does not know that the earlier telegram is of the same meter
		}
		apdu := dlms.AppendCiphered(nil, simulate.Key(), []byte(titleA), 0x30, 8, []byte(form.plaintext))
		apdu[len(apdu)-1] ^= 1
		damaged := form.frame(apdu)
		hasFrameChecksum := strings.HasPrefix(form.name, "HDLC") || strings.HasPrefix(form.name, "M-Bus")
		for name, tt := range map[string]struct {
			earlier      string // the telegram before the damaged telegram
			wantWrongKey bool
		}{
			"no earlier telegram":                   {"", true},
			"after an intact telegram of the meter": {form.encrypt(titleA, 0x30, 7), hasFrameChecksum},
			"after a telegram of another meter":     {form.encrypt(titleB, 0x30, 7), true},
		} {
			d := decoderWithKeys(tt.earlier+damaged+form.encrypt(titleA, 0x30, 9), simulate.Key())
			readings, errs := drain(d)
			want := 1 // the telegram after the damaged telegram
			if tt.earlier != "" {
				want++
			}
			var encrypted *dlms.EncryptedError
			if len(readings) != want || len(errs) != 1 ||
				errors.As(errs[0], &encrypted) != tt.wantWrongKey || errors.Is(errs[0], meter.ErrAuthentication) == tt.wantWrongKey {
				t.Errorf("%s, %s: got %d readings and errors %v; want %d readings and one error, EncryptedError %v",
					form.name, name, len(readings), errs, want, tt.wantWrongKey)
			}
		}
	}
}

// TestKeysOfTwoMeters tests that telegrams of two meters on one line are decrypted, each with the key of its meter.
func TestKeysOfTwoMeters(t *testing.T) {
	keyA, keyB := simulate.Key(), keyOf(t, otherKey, simulate.AuthenticationKey)
	for _, form := range encryptedForms(t) {
		if !form.hasTitle {
			continue // such a telegram does not show which meter sent it
		}
		stream, counters := "", map[string]uint32{}
		for _, title := range []string{titleA, titleB, titleB, titleA, titleB} {
			key := keyA
			if title == titleB {
				key = keyB
			}
			counters[title]++
			stream += form.frame(dlms.AppendCiphered(nil, key, []byte(title), 0x30, counters[title], []byte(form.plaintext)))
		}
		if readings, errs := drain(decoderWithKeys(stream, keyA, keyB)); len(readings) != 5 || len(errs) != 0 {
			t.Errorf("%s: got %d readings and errors %v, want 5 readings", form.name, len(readings), errs)
		}
	}
}

// TestFrameCounters tests that a telegram is Repeated if its frame counter is not above the counter of the previous telegram of the meter. With
// RejectRepeated, the telegram must give ErrRepeated. The next counter is then compared with the counter of the last accepted telegram.
func TestFrameCounters(t *testing.T) {
	forEachForm(t, func(t *testing.T, form encryptedForm, security byte) {
		if !form.hasTitle {
			readings, errs := drain(decoderRejectingRepeated(form.encrypt("", security, 0)+form.encrypt("", security, 0), simulate.Key()))
			if len(readings) != 2 || len(errs) != 0 {
				t.Errorf("meter without a frame counter: got %d readings and errors %v, want 2 readings", len(readings), errs)
			}
			return
		}
		stream := ""
		for _, counter := range []uint32{7, 7, 6, 8, 5, 9} {
			stream += form.encrypt(titleA, security, counter)
		}
		stream += form.encrypt(titleB, security, 3) + form.encrypt(titleB, security, 3)
		var got []bool
		for d := decoderWithKeys(stream, simulate.Key()); ; {
			r, err := d.Next()
			if err != nil {
				break
			}
			got = append(got, r.Repeated)
		}
		if want := []bool{false, true, true, false, true, false, false, true}; !slices.Equal(got, want) {
			t.Errorf("got Repeated %v, want %v", got, want)
		}
		readings, errs := drain(decoderRejectingRepeated(stream, simulate.Key()))
		if len(readings) != 4 || len(errs) != 4 {
			t.Errorf("with RejectRepeated: got %d readings and errors %v, want 4 and 4", len(readings), errs)
		}
		for _, e := range errs {
			if !errors.Is(e, meter.ErrRepeated) || !e.Intact {
				t.Errorf("with RejectRepeated: got %v, intact %v; want ErrRepeated, intact", e, e.Intact)
			}
		}
	})
}

// TestEncryptedInDamagedFrame tests that an encrypted message in a damaged frame gives no reading if the key has no authentication key.
func TestEncryptedInDamagedFrame(t *testing.T) {
	withoutAuth := keyOf(t, simulate.EncryptionKey, "")
	for _, form := range encryptedForms(t)[:3] { // HDLC, HDLC in segments, M-Bus
		for _, security := range securities {
			intact := form.encrypt(titleA, security, 7)
			for i := range intact {
				damaged := []byte(intact)
				damaged[i] ^= 0x10
				d := decoderWithKeys(string(damaged)+form.encrypt(titleA, security, 8), withoutAuth)
				readings, _ := drain(d)
				if len(readings) != 1 || readings[0] != int64(len(intact)) {
					t.Fatalf("%s, security %x, byte %d damaged: got readings at %d, want one at %d", form.name, security, i, readings, len(intact))
				}
			}
		}
	}
}

// TestEncryptedWithoutFrames tests that encrypted messages without frames are read if no noise is directly before them. A message directly after
// noise must be read only if it has a valid tag, because a message without a tag is possibly the rest of a damaged frame.
func TestEncryptedWithoutFrames(t *testing.T) {
	withoutAuth := keyOf(t, simulate.EncryptionKey, "")
	form := encryptedForms(t)[3] // no frame
	first := form.encrypt(titleA, 0x20, 7)
	const noise = "\x00"
	d := decoderWithKeys(first+form.encrypt(titleA, 0x20, 8)+noise+form.encrypt(titleA, 0x20, 9)+form.encrypt(titleA, 0x20, 10), withoutAuth)
	if readings, errs := drain(d); len(readings) != 3 || len(errs) != 1 {
		t.Errorf("two messages, noise, two messages: got readings at %d and errors %v, want three readings and one error", readings, errs)
	}
	d.Reset(strings.NewReader(first))
	if readings, errs := drain(d); len(readings) != 1 {
		t.Errorf("after Reset: got %d readings and errors %v, want one reading", len(readings), errs)
	}
	d = decoderWithKeys(noise+form.encrypt(titleA, withTag, 7), simulate.Key())
	if readings, errs := drain(d); len(readings) != 1 {
		t.Errorf("after noise, with a tag: got %d readings and errors %v, want one reading", len(readings), errs)
	}
}

// TestKeysAreNotPrinted tests that errors, Options, Cipher and Decoder never show a key when they are printed.
func TestKeysAreNotPrinted(t *testing.T) {
	var printed strings.Builder
	for _, form := range encryptedForms(t) {
		stream := form.encrypt(titleA, 0x30, 7) + "\x00" + form.encrypt(titleA, 0x30, 7)[1:] // the second telegram has a damaged first byte
		for _, k := range []*dlms.Key{simulate.Key(), keyOf(t, simulate.EncryptionKey, otherKey), keyOf(t, otherKey, "")} {
			d := decoderRejectingRepeated(stream+stream, k)
			for range 9 { // more than the outcomes of the stream
				r, err := d.Next()
				for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
					fmt.Fprintf(&printed, format, err)
					fmt.Fprintf(&printed, format, meter.Options{Keys: []*dlms.Key{k}})
					if r != nil {
						fmt.Fprintf(&printed, format, r.Cipher)
					}
				}
			}
			fmt.Fprintf(&printed, "%v%#v", d, d)
		}
	}
	text := strings.ToLower(printed.String())
	for _, key := range []string{simulate.EncryptionKey, simulate.AuthenticationKey, otherKey} {
		b, err := hex.DecodeString(key)
		if err != nil {
			t.Fatal(err)
		}
		decimal := strings.Trim(fmt.Sprintf("%d", b), "[]")
		goSyntax := strings.TrimPrefix(fmt.Sprintf("%#v", b), "[]byte{")
		for _, printedKey := range []string{strings.ToLower(key), strings.ToLower(string(b)), decimal, fmt.Sprintf("% x", b), goSyntax} {
			if strings.Contains(text, printedKey) {
				t.Errorf("a key is printed as %q", printedKey)
			}
		}
	}
	if !strings.Contains(text, "does not fit") {
		t.Error("no error of a wrong key was printed, so the test has checked nothing")
	}
}
