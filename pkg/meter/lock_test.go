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
	titleOne = "ABC\x00\x00\x00\x00\x01"
	titleTwo = "ABC\x00\x00\x00\x00\x02"
)

var securities = []byte{0x20, 0x21, 0x30, 0x31}

// A locked is a way to send an encrypted message.
type locked struct {
	name string
	// plain is what is encrypted; text is what that says.
	plain, text string
	// frame puts what is around it around a general-glo-ciphering.
	frame func(glo []byte) string
	// titled tells that it has a system title and a counter.
	titled bool
	// summed tells that it has a checksum of its own that says that the values are right.
	summed bool
}

func lockeds(t *testing.T) []locked {
	t.Helper()
	a, _, _ := messages(t)
	text, _ := of(t, "p1-se-aidon")
	polish, _ := of(t, "p1-pl-plain")
	ident, lines, _ := strings.Cut(polish.wire, "\r\n\r\n")
	lines = lines[:strings.LastIndexByte(lines, '!')]
	return []locked{
		{"HDLC", string(a.apdu), a.text, func(b []byte) string { return strings.Join(inHDLC(b, 1), "") }, true, false},
		{"HDLC in segments", string(a.apdu), a.text, func(b []byte) string { return strings.Join(inHDLC(b, 3), "") }, true, false},
		{"M-Bus", string(a.apdu), a.text, func(b []byte) string { return strings.Join(inMBus(b, 2), "") }, true, false},
		{"bare", string(a.apdu), a.text, func(b []byte) string { return string(b) }, true, false},
		{"bare, P1 inside", text.wire, text.text, func(b []byte) string { return string(b) }, true, true},
		{"P1 with its name in clear", lines, polish.text, func(b []byte) string { return string(p1.AppendEncrypted(nil, ident[1:], b[1:])) }, false, true},
	}
}

// seal encrypts with the key of the simulator.
func (l *locked) seal(title string, security byte, counter uint32) string {
	if !l.titled {
		title, counter = "", 0
	}
	return l.frame(dlms.AppendCiphered(nil, simulate.Key(), []byte(title), security, counter, []byte(l.plain)))
}

// unlocked decodes with keys.
func unlocked(stream string, keys ...*dlms.Key) *meter.Decoder {
	return meter.NewDecoder(strings.NewReader(stream), meter.Options{Keys: keys, AcceptUnverified: true})
}

// rising decodes with a key, and rejects repeated telegrams.
func rising(stream string, key *dlms.Key) *meter.Decoder {
	return meter.NewDecoder(strings.NewReader(stream), meter.Options{Keys: []*dlms.Key{key}, AcceptUnverified: true, RejectRepeated: true})
}

// each runs a test for every way to send and every security.
func each(t *testing.T, test func(t *testing.T, l locked, security byte)) {
	t.Helper()
	for _, l := range lockeds(t) {
		for _, security := range securities {
			t.Run(fmt.Sprintf("%s/%x", l.name, security), func(t *testing.T) { test(t, l, security) })
		}
	}
}

// TestUnlocked: the right key opens a message, alone or among others; without an authentication key nothing vouches for it.
func TestUnlocked(t *testing.T) {
	right, wrong := simulate.Key(), keyOf(t, otherKey, simulate.AuthenticationKey)
	half, wrongHalf := keyOf(t, simulate.EncryptionKey, ""), keyOf(t, otherKey, "")
	each(t, func(t *testing.T, l locked, security byte) {
		for name, tt := range map[string]struct {
			keys          []*dlms.Key
			authenticates bool
		}{
			"right":                     {[]*dlms.Key{right}, true},
			"wrong, then right":         {[]*dlms.Key{wrong, right}, true},
			"others, then right":        {[]*dlms.Key{wrong, wrongHalf, wrong, right, wrong}, true},
			"without authentication":    {[]*dlms.Key{half}, false},
			"wrong, then without":       {[]*dlms.Key{wrong, wrongHalf, half}, false},
			"without, then the better ": {[]*dlms.Key{half, right}, false},
		} {
			stream := l.seal(titleOne, security, 7)
			d := unlocked(stream+l.seal(titleOne, security, 8), tt.keys...)
			for i := range uint32(2) {
				r, err := d.Next()
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				want := meter.Cipher{Security: security}
				if l.titled {
					copy(want.Title[:], titleOne)
					want.Counter = 7 + i
				}
				if values(describe(r)) != values(l.text) || r.Cipher != want || r.Repeated || r.Bytes != len(stream) {
					t.Errorf("%s: got %+v, repeated %v, %d of %d bytes, %s", name, r.Cipher, r.Repeated, r.Bytes, len(stream), describe(r))
				}
				if checked := l.summed || tt.authenticates && security >= 0x30; r.Checked != checked {
					t.Errorf("%s: checked: %v, want %v", name, r.Checked, checked)
				}
			}
		}
	})
}

// TestLocked: without a key, and with a wrong one, a message is one error that says so.
func TestLocked(t *testing.T) {
	for name, keys := range map[string][]*dlms.Key{
		"no key":     nil,
		"wrong key":  {keyOf(t, otherKey, "")},
		"wrong keys": {keyOf(t, otherKey, ""), keyOf(t, otherKey, simulate.AuthenticationKey), keyOf(t, simulate.AuthenticationKey, otherKey)},
	} {
		each(t, func(t *testing.T, l locked, security byte) {
			stream := l.seal(titleOne, security, 7)
			readings, all := drain(unlocked(stream, keys...))
			if len(readings) != 0 || len(all) != 1 {
				t.Fatalf("%s: %d readings, errors %v", name, len(readings), all)
			}
			e, want := all[0], [8]byte{}
			if l.titled {
				copy(want[:], titleOne)
			}
			var locked *dlms.EncryptedError
			if !errors.As(e, &locked) || locked.Tried != (keys != nil) || locked.Title != want || !e.Intact || e.Bytes != len(stream) {
				t.Errorf("%s: got %v, title %q, sound %v, %d of %d bytes", name, e, locked.Title, e.Intact, e.Bytes, len(stream))
			}
		})
	}
}

// TestWrongAuthenticationKey: it does not fit, though the other half does.
func TestWrongAuthenticationKey(t *testing.T) {
	key := keyOf(t, simulate.EncryptionKey, otherKey)
	each(t, func(t *testing.T, l locked, security byte) {
		readings, all := drain(unlocked(l.seal(titleOne, security, 7), key))
		if security < 0x30 {
			if len(readings) != 1 {
				t.Errorf("without a tag: %d readings, errors %v", len(readings), all)
			}
			return
		}
		var locked *dlms.EncryptedError
		if len(readings) != 0 || len(all) != 1 || !errors.As(all[0], &locked) || !locked.Tried || !locked.AuthKey {
			t.Errorf("%d readings, errors %v", len(readings), all)
		}
	})
}

// TestTagDamaged: once the key has fitted, a wrong tag is damage, and no wrong key. Where a frame says that all bytes are right,
// the meter has another key.
func TestTagDamaged(t *testing.T) {
	for _, l := range lockeds(t) {
		if !l.titled {
			continue // nothing tells meters without a title apart
		}
		apdu := dlms.AppendCiphered(nil, simulate.Key(), []byte(titleOne), 0x30, 8, []byte(l.plain))
		apdu[len(apdu)-1] ^= 1
		damaged := l.frame(apdu)
		framed := strings.HasPrefix(l.name, "HDLC") || strings.HasPrefix(l.name, "M-Bus")
		for name, tt := range map[string]struct {
			before string
			locked bool
		}{
			"first":                      {"", true},
			"behind another":             {l.seal(titleOne, 0x30, 7), framed},
			"behind one of another make": {l.seal(titleTwo, 0x30, 7), true},
		} {
			d := unlocked(tt.before+damaged+l.seal(titleOne, 0x30, 9), simulate.Key())
			readings, all := drain(d)
			want := 1
			if tt.before != "" {
				want++
			}
			var locked *dlms.EncryptedError
			if len(readings) != want || len(all) != 1 || errors.As(all[0], &locked) != tt.locked || !tt.locked && !strings.Contains(all[0].Error(), "damaged") {
				t.Errorf("%s, %s: %d readings, errors %v", l.name, name, len(readings), all)
			}
		}
	}
}

// TestTwoMeters: keys of two meters on one line open what is theirs, in any order.
func TestTwoMeters(t *testing.T) {
	one, two := simulate.Key(), keyOf(t, otherKey, simulate.AuthenticationKey)
	for _, l := range lockeds(t) {
		if !l.titled {
			continue
		}
		stream, counters := "", map[string]uint32{}
		for _, title := range []string{titleOne, titleTwo, titleTwo, titleOne, titleTwo} {
			k := one
			if title == titleTwo {
				k = two
			}
			counters[title]++
			stream += l.frame(dlms.AppendCiphered(nil, k, []byte(title), 0x30, counters[title], []byte(l.plain)))
		}
		if readings, all := drain(unlocked(stream, one, two)); len(readings) != 5 || len(all) != 0 {
			t.Errorf("%s: %d readings, errors %v", l.name, len(readings), all)
		}
	}
}

// TestCounters: a frame counter that does not rise is told, or refused where that is asked for. One of another meter begins
// anew, and so does one that was never above.
func TestCounters(t *testing.T) {
	each(t, func(t *testing.T, l locked, security byte) {
		if !l.titled {
			readings, all := drain(rising(l.seal("", security, 0)+l.seal("", security, 0), simulate.Key()))
			if len(readings) != 2 || len(all) != 0 {
				t.Errorf("%d readings, errors %v: the counter of these meters is always 0", len(readings), all)
			}
			return
		}
		stream := ""
		for _, counter := range []uint32{7, 7, 6, 8, 5, 9} {
			stream += l.seal(titleOne, security, counter)
		}
		stream += l.seal(titleTwo, security, 3) + l.seal(titleTwo, security, 3)
		got := ""
		for d := unlocked(stream, simulate.Key()); ; {
			r, err := d.Next()
			if err != nil {
				break
			}
			got += map[bool]string{true: "R", false: "n"}[r.Repeated]
		}
		// Behind a lower counter that was taken, the next one is above it.
		if want := "nRRnRnnR"; got != want {
			t.Errorf("repeated: got %s, want %s", got, want)
		}
		readings, all := drain(rising(stream, simulate.Key()))
		if len(readings) != 4 || len(all) != 4 {
			t.Errorf("old ones refused: %d readings, errors %v; want 4 and 4", len(readings), all)
		}
		for _, e := range all {
			if !strings.Contains(e.Error(), "frame counter") || !e.Intact {
				t.Errorf("got %v, sound %v", e, e.Intact)
			}
		}
	})
}

// TestLockedInDamage: in a damaged frame a message whose tag nobody judges is nothing.
func TestLockedInDamage(t *testing.T) {
	half := keyOf(t, simulate.EncryptionKey, "")
	for _, l := range lockeds(t)[:3] {
		for _, security := range securities {
			whole := l.seal(titleOne, security, 7)
			for i := range whole {
				damaged := []byte(whole)
				damaged[i] ^= 0x10
				d := unlocked(string(damaged)+l.seal(titleOne, security, 8), half)
				readings, _ := drain(d)
				if len(readings) != 1 || readings[0] != int64(len(whole)) {
					t.Fatalf("%s, security %x, byte %d damaged: readings at %d, want one at %d", l.name, security, i, readings, len(whole))
				}
			}
		}
	}
}

// TestBareInARow: messages with nothing around them are read where they follow each other, on another stream too; behind
// noise only a tag tells them from what a damaged frame held.
func TestBareInARow(t *testing.T) {
	half := keyOf(t, simulate.EncryptionKey, "")
	bare := lockeds(t)[3]
	one := bare.seal(titleOne, 0x20, 7)
	d := unlocked(one+bare.seal(titleOne, 0x20, 8)+"\x00"+bare.seal(titleOne, 0x20, 9)+bare.seal(titleOne, 0x20, 10), half)
	if readings, all := drain(d); len(readings) != 3 || len(all) != 1 {
		t.Errorf("readings at %d, want three; errors %v", readings, all)
	}
	d.Reset(strings.NewReader(one))
	if readings, all := drain(d); len(readings) != 1 {
		t.Errorf("on another stream: %d readings, errors %v", len(readings), all)
	}
	d = unlocked("\x00"+bare.seal(titleOne, 0x30, 7), simulate.Key())
	if readings, all := drain(d); len(readings) != 1 {
		t.Errorf("behind noise, with a tag: %d readings, errors %v", len(readings), all)
	}
}

// TestKeysStaySecret: nothing that is printed holds a key.
func TestKeysStaySecret(t *testing.T) {
	var printed strings.Builder
	for _, l := range lockeds(t) {
		stream := l.seal(titleOne, 0x30, 7) + "\x00" + l.seal(titleOne, 0x30, 7)[1:]
		for _, k := range []*dlms.Key{simulate.Key(), keyOf(t, simulate.EncryptionKey, otherKey), keyOf(t, otherKey, "")} {
			d := rising(stream+stream, k)
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
		for _, form := range []string{strings.ToLower(key), strings.ToLower(string(b)), list[1 : len(list)-1], fmt.Sprintf("% x", b), fmt.Sprintf("%#v", b)[7:]} {
			if strings.Contains(text, form) {
				t.Errorf("a key is printed as %q", form)
			}
		}
	}
	if !bytes.Contains([]byte(text), []byte("does not fit")) {
		t.Error("no error of a wrong key was printed: the test looks at too little")
	}
}
