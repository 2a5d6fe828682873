package p1_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/pkg/internal/framing/framingtest"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/p1"
)

func TestAppend(t *testing.T) {
	got := string(household(t))
	want := sealed("/ADN9 6534", "",
		"0-0:1.0.0(221101214520W)", "1-0:1.8.0(00006619.795*kWh)", "1-0:3.8.0(00003137.803*kVArh)", "1-0:1.7.0(0000.345*kW)",
		"1-0:4.7.0(0000.132*kvar)", "1-0:32.7.0(230.7*V)", "1-0:31.7.0(-000.6*A)") + "\r\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// lines draws data lines: numbers of every layout, and texts with the marks of the protocol in them.
func lines() *rapid.Generator[p1.Line] {
	return rapid.Custom(func(t *rapid.T) p1.Line {
		var l p1.Line
		copy(l.Code[:], rapid.SliceOfN(rapid.Byte(), 6, 6).Draw(t, "code"))
		if rapid.Bool().Draw(t, "text") {
			l.Text = rapid.StringMatching(`[ -'+-~]{0,40}`).Draw(t, "value")
			return l
		}
		l.Unit = rapid.SampledFrom([]string{"kWh", "kW", "W", "kVArh", "kvarh", "kVAr", "V", "A", "m3", "GJ"}).Draw(t, "unit")
		_, prefix, _ := obis.ParseUnit([]byte(l.Unit))
		l.Digits, l.Decimals = rapid.IntRange(0, 9).Draw(t, "digits"), rapid.IntRange(0, 3).Draw(t, "decimals")
		l.Value = obis.Decimal{Coef: rapid.Int64Range(-1e12, 1e12).Draw(t, "value"), Exp: prefix - int8(l.Decimals)}
		return l
	})
}

// TestRoundTrip: Parse reads what Append writes, and Split finds it, however the bytes arrive.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ident := rapid.StringMatching(`[A-Z]{3}[0-9][ -~]{0,12}`).Draw(t, "ident")
		written := rapid.SliceOfN(lines(), 0, 30).Draw(t, "lines")
		wire := p1.Append(nil, ident, written)
		var got p1.Telegram
		if err := got.Parse(wire); err != nil {
			t.Fatal(err)
		}
		if string(got.Ident) != ident || !got.Checked || len(got.Records) != len(written) {
			t.Fatalf("read %q, checked %v, %d lines; written %q, %d lines", got.Ident, got.Checked, len(got.Records), ident, len(written))
		}
		for i, l := range written {
			r := got.Records[i]
			if r.Code != l.Code {
				t.Fatalf("line %d: read code %v, written %v", i, r.Code, l.Code)
			}
			if l.Unit == "" {
				if string(r.Text) != l.Text {
					t.Fatalf("line %d: read %q, written %q", i, r.Text, l.Text)
				}
				continue
			}
			unit, _, _ := obis.ParseUnit([]byte(l.Unit))
			if r.Kind != obis.Number || r.Value.Cmp(l.Value) != 0 || r.Unit != unit {
				t.Fatalf("line %d: read %v %v, written %v %s", i, r.Value, r.Unit, l.Value, l.Unit)
			}
		}
		twice := string(wire) + string(wire)
		if diff := cmp.Diff([]string{string(wire), string(wire)}, framingtest.Tokens(t, p1.Split, strings.NewReader(twice))); diff != "" {
			t.Fatalf("split, -want +got:\n%s", diff)
		}
	})
}

// TestEveryFlip: no single flipped bit gives another value, or hides that there was a checksum.
func TestEveryFlip(t *testing.T) {
	good := household(t)
	var want, got p1.Telegram
	if err := want.Parse(good); err != nil {
		t.Fatal(err)
	}
	same := 0
	for bit := range 8 * len(good) {
		flipped := bytes.Clone(good)
		flipped[bit/8] ^= 1 << (bit % 8)
		for _, telegram := range append(framingtest.Tokens(t, p1.Split, bytes.NewReader(flipped)), string(flipped)) {
			if got.Parse([]byte(telegram)) != nil {
				continue
			}
			same++
			if diff := cmp.Diff(want.Records, got.Records); diff != "" || !got.Checked {
				t.Fatalf("bit %d of byte %d (%q) flipped, checked %v, -want +got:\n%s", bit%8, bit/8, good[bit/8], got.Checked, diff)
			}
		}
	}
	// The line end behind the checksum is not part of it, and the case of its letters does not matter.
	if same == 0 {
		t.Error("no flip leaves the telegram sound, not even one behind its end")
	}
}
