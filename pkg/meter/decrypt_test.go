package meter_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
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

// securities are the security control bytes (IEC 62056-5-3, 9.2.4.7): encrypted, or encrypted and authenticated, in security suite 0 and 1.
var securities = []byte{0x20, 0x21, 0x30, 0x31}

// An encryptedForm is a framing of encrypted messages, with the message that the tests encrypt.
type encryptedForm struct {
	name string
	// plaintext is the message before encryption. content is what describe returns of its reading.
	plaintext, content string
	// frame returns a general-glo-ciphering in its frames.
	frame func(glo []byte) string
	// hasTitle is true if the message has a system title and a frame counter.
	hasTitle bool
	// hasChecksum is true if the message is an ASCII telegram with a checksum.
	hasChecksum bool
}

// encryptedForms returns all forms.
func encryptedForms(t *testing.T) []encryptedForm {
	t.Helper()
	first, _, _ := messages(t)
	plain, _ := twoTelegrams(t, "p1-se-aidon")
	polish, _ := twoTelegrams(t, "p1-pl-plain")
	ident, lines, _ := strings.Cut(polish.wire, "\r\n\r\n")
	lines = lines[:strings.LastIndexByte(lines, '!')]
	return []encryptedForm{
		{"HDLC", string(first.apdu), first.text, func(b []byte) string { return strings.Join(hdlcSegments(b, 1), "") }, true, false},
		{"HDLC in segments", string(first.apdu), first.text, func(b []byte) string { return strings.Join(hdlcSegments(b, 3), "") }, true, false},
		{"M-Bus", string(first.apdu), first.text, func(b []byte) string { return strings.Join(mbusSegments(b, 2), "") }, true, false},
		{"no frame", string(first.apdu), first.text, func(b []byte) string { return string(b) }, true, false},
		{"no frame, P1 inside", plain.wire, plain.text, func(b []byte) string { return string(b) }, true, true},
		{"P1 with its identification in clear", lines, polish.text, func(b []byte) string { return string(p1.AppendEncrypted(nil, ident[1:], b[1:])) }, false, true},
	}
}

// encrypt returns the message encrypted with the key of the simulator.
func (form *encryptedForm) encrypt(title string, security byte, counter uint32) string {
	if !form.hasTitle {
		title, counter = "", 0
	}
	return form.frame(dlms.AppendCiphered(nil, simulate.Key(), []byte(title), security, counter, []byte(form.plaintext)))
}

// decoderWithKeys returns a Decoder of the stream that has these keys.
func decoderWithKeys(stream string, keys ...*dlms.Key) *meter.Decoder {
	return meter.NewDecoder(strings.NewReader(stream), meter.Options{Keys: keys, AcceptUnverified: true})
}

// decoderRejectingRepeated returns a Decoder of the stream that has this key, and rejects repeated telegrams.
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

// TestDecryption tests that the right key decrypts a message, also if other keys are given. Without an authentication key the
// message is Checked only if it is an ASCII telegram with a checksum.
func TestDecryption(t *testing.T) {
	right, wrong := simulate.Key(), keyOf(t, otherKey, simulate.AuthenticationKey)
	withoutAuth, wrongWithoutAuth := keyOf(t, simulate.EncryptionKey, ""), keyOf(t, otherKey, "")
	forEachForm(t, func(t *testing.T, form encryptedForm, security byte) {
		for name, tt := range map[string]struct {
			keys          []*dlms.Key
			authenticates bool
		}{
			"right":                                    {[]*dlms.Key{right}, true},
			"wrong, then right":                        {[]*dlms.Key{wrong, right}, true},
			"wrong ones around the right one":          {[]*dlms.Key{wrong, wrongWithoutAuth, wrong, right, wrong}, true},
			"without authentication key":               {[]*dlms.Key{withoutAuth}, false},
			"wrong, then without authentication key":   {[]*dlms.Key{wrong, wrongWithoutAuth, withoutAuth}, false},
			"without authentication key, then with it": {[]*dlms.Key{withoutAuth, right}, false},
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
					t.Errorf("%s: got %+v, repeated %v, %d of %d bytes, %s", name, r.Cipher, r.Repeated, r.Bytes, len(stream), describe(r))
				}
				if wantChecked := form.hasChecksum || tt.authenticates && security >= 0x30; r.Checked != wantChecked {
					t.Errorf("%s: Checked is %v, want %v", name, r.Checked, wantChecked)
				}
			}
		}
	})
}

// TestEncryptedWithoutKey tests that each message gives one EncryptedError if no key or only wrong keys are given. Its field Tried says
// which of the two is true.
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
				t.Fatalf("%s: %d readings, errors %v", name, len(readings), errs)
			}
			e, wantTitle := errs[0], [8]byte{}
			if form.hasTitle {
				copy(wantTitle[:], titleA)
			}
			var encrypted *dlms.EncryptedError
			if !errors.As(e, &encrypted) || encrypted.Tried != (keys != nil) || encrypted.Title != wantTitle || !e.Intact || e.Bytes != len(stream) {
				t.Errorf("%s: got %v, title %q, intact %v, %d of %d bytes", name, e, encrypted.Title, e.Intact, e.Bytes, len(stream))
			}
		})
	}
}

// TestWrongAuthenticationKey tests that a key of which only the authentication key is wrong gives an EncryptedError with AuthKey set, if the
// message has a tag.
func TestWrongAuthenticationKey(t *testing.T) {
	key := keyOf(t, simulate.EncryptionKey, otherKey)
	forEachForm(t, func(t *testing.T, form encryptedForm, security byte) {
		readings, errs := drain(decoderWithKeys(form.encrypt(titleA, security, 7), key))
		if security < 0x30 {
			if len(readings) != 1 {
				t.Errorf("without a tag: %d readings, errors %v", len(readings), errs)
			}
			return
		}
		var encrypted *dlms.EncryptedError
		if len(readings) != 0 || len(errs) != 1 || !errors.As(errs[0], &encrypted) || !encrypted.Tried || !encrypted.AuthKey {
			t.Errorf("%d readings, errors %v", len(readings), errs)
		}
	})
}

// TestDamagedTag tests the error for a wrong tag. It is ErrAuthentication, which means damage, if the key has decrypted a telegram of the
// meter before. It is an EncryptedError, which means a wrong key, if nothing was decrypted before, or if the message is in a frame with a
// correct checksum.
func TestDamagedTag(t *testing.T) {
	for _, form := range encryptedForms(t) {
		if !form.hasTitle {
			continue // without a title the Decoder cannot know that both telegrams are of the same meter
		}
		apdu := dlms.AppendCiphered(nil, simulate.Key(), []byte(titleA), 0x30, 8, []byte(form.plaintext))
		apdu[len(apdu)-1] ^= 1
		damaged := form.frame(apdu)
		hasFrameChecksum := strings.HasPrefix(form.name, "HDLC") || strings.HasPrefix(form.name, "M-Bus")
		for name, tt := range map[string]struct {
			before   string
			wrongKey bool
		}{
			"first telegram":                        {"", true},
			"after an intact telegram of the meter": {form.encrypt(titleA, 0x30, 7), hasFrameChecksum},
			"after a telegram of another meter":     {form.encrypt(titleB, 0x30, 7), true},
		} {
			d := decoderWithKeys(tt.before+damaged+form.encrypt(titleA, 0x30, 9), simulate.Key())
			readings, errs := drain(d)
			want := 1
			if tt.before != "" {
				want++
			}
			var encrypted *dlms.EncryptedError
			if len(readings) != want || len(errs) != 1 || errors.As(errs[0], &encrypted) != tt.wrongKey || errors.Is(errs[0], meter.ErrAuthentication) == tt.wrongKey {
				t.Errorf("%s, %s: %d readings, errors %v", form.name, name, len(readings), errs)
			}
		}
	}
}

// TestKeysOfTwoMeters tests that the telegrams of two meters on one line are decrypted, each with the key of its meter, in any order.
func TestKeysOfTwoMeters(t *testing.T) {
	keyA, keyB := simulate.Key(), keyOf(t, otherKey, simulate.AuthenticationKey)
	for _, form := range encryptedForms(t) {
		if !form.hasTitle {
			continue
		}
		stream, counters := "", map[string]uint32{}
		for _, title := range []string{titleA, titleB, titleB, titleA, titleB} {
			k := keyA
			if title == titleB {
				k = keyB
			}
			counters[title]++
			stream += form.frame(dlms.AppendCiphered(nil, k, []byte(title), 0x30, counters[title], []byte(form.plaintext)))
		}
		if readings, errs := drain(decoderWithKeys(stream, keyA, keyB)); len(readings) != 5 || len(errs) != 0 {
			t.Errorf("%s: %d readings, errors %v", form.name, len(readings), errs)
		}
	}
}

// TestFrameCounters tests that a telegram whose frame counter is not above the last one is Repeated, or rejected with RejectRepeated. Each
// meter has a counter of its own. The counter of a repeated telegram that was read becomes the last one.
func TestFrameCounters(t *testing.T) {
	forEachForm(t, func(t *testing.T, form encryptedForm, security byte) {
		if !form.hasTitle {
			readings, errs := drain(decoderRejectingRepeated(form.encrypt("", security, 0)+form.encrypt("", security, 0), simulate.Key()))
			if len(readings) != 2 || len(errs) != 0 {
				t.Errorf("%d readings, errors %v: the counter of these meters is always 0", len(readings), errs)
			}
			return
		}
		stream := ""
		for _, counter := range []uint32{7, 7, 6, 8, 5, 9} {
			stream += form.encrypt(titleA, security, counter)
		}
		stream += form.encrypt(titleB, security, 3) + form.encrypt(titleB, security, 3)
		got := ""
		for d := decoderWithKeys(stream, simulate.Key()); ; {
			r, err := d.Next()
			if err != nil {
				break
			}
			got += map[bool]string{true: "R", false: "n"}[r.Repeated]
		}
		if want := "nRRnRnnR"; got != want {
			t.Errorf("repeated: got %s, want %s", got, want)
		}
		readings, errs := drain(decoderRejectingRepeated(stream, simulate.Key()))
		if len(readings) != 4 || len(errs) != 4 {
			t.Errorf("RejectRepeated: %d readings, errors %v; want 4 and 4", len(readings), errs)
		}
		for _, e := range errs {
			if !errors.Is(e, meter.ErrRepeated) || !e.Intact {
				t.Errorf("got %v, intact %v", e, e.Intact)
			}
		}
	})
}

// TestEncryptedInDamagedFrame tests that an encrypted message in a damaged frame gives no reading if there is no authentication key.
func TestEncryptedInDamagedFrame(t *testing.T) {
	withoutAuth := keyOf(t, simulate.EncryptionKey, "")
	for _, form := range encryptedForms(t)[:3] {
		for _, security := range securities {
			whole := form.encrypt(titleA, security, 7)
			for i := range whole {
				damaged := []byte(whole)
				damaged[i] ^= 0x10
				d := decoderWithKeys(string(damaged)+form.encrypt(titleA, security, 8), withoutAuth)
				readings, _ := drain(d)
				if len(readings) != 1 || readings[0] != int64(len(whole)) {
					t.Fatalf("%s, security %x, byte %d damaged: readings at %d, want one at %d", form.name, security, i, readings, len(whole))
				}
			}
		}
	}
}

// TestEncryptedWithoutFrames tests that encrypted messages without frames are read if there is nothing between them, also after Reset.
// After noise, a message is read only if its tag is valid, because a message without a tag is possibly the rest of a damaged frame.
func TestEncryptedWithoutFrames(t *testing.T) {
	withoutAuth := keyOf(t, simulate.EncryptionKey, "")
	form := encryptedForms(t)[3]
	first := form.encrypt(titleA, 0x20, 7)
	d := decoderWithKeys(first+form.encrypt(titleA, 0x20, 8)+"\x00"+form.encrypt(titleA, 0x20, 9)+form.encrypt(titleA, 0x20, 10), withoutAuth)
	if readings, errs := drain(d); len(readings) != 3 || len(errs) != 1 {
		t.Errorf("readings at %d, want three; errors %v", readings, errs)
	}
	d.Reset(strings.NewReader(first))
	if readings, errs := drain(d); len(readings) != 1 {
		t.Errorf("after Reset: %d readings, errors %v", len(readings), errs)
	}
	d = decoderWithKeys("\x00"+form.encrypt(titleA, 0x30, 7), simulate.Key())
	if readings, errs := drain(d); len(readings) != 1 {
		t.Errorf("after noise, with a tag: %d readings, errors %v", len(readings), errs)
	}
}

// TestKeysAreNotPrinted tests that no error, Options, Cipher or Decoder shows a key, in whatever format it is printed.
func TestKeysAreNotPrinted(t *testing.T) {
	var printed strings.Builder
	for _, form := range encryptedForms(t) {
		stream := form.encrypt(titleA, 0x30, 7) + "\x00" + form.encrypt(titleA, 0x30, 7)[1:]
		for _, k := range []*dlms.Key{simulate.Key(), keyOf(t, simulate.EncryptionKey, otherKey), keyOf(t, otherKey, "")} {
			d := decoderRejectingRepeated(stream+stream, k)
			for range 9 {
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
		list := strings.ToLower(fmt.Sprintf("%d", b))
		for _, keyText := range []string{strings.ToLower(key), strings.ToLower(string(b)), list[1 : len(list)-1], fmt.Sprintf("% x", b), fmt.Sprintf("%#v", b)[7:]} {
			if strings.Contains(text, keyText) {
				t.Errorf("a key is printed as %q", keyText)
			}
		}
	}
	if !bytes.Contains([]byte(text), []byte("does not fit")) {
		t.Error("no error of a wrong key was printed")
	}
}
