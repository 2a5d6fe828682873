package p1_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/p1"
)

// TestAppend tests that Append appends the text and its checksum to dst.
func TestAppend(t *testing.T) {
	text := "/ADN9 6534\r\n\r\n1-0:1.7.0(0000.345*kW)\r\n!"
	got := string(p1.Append([]byte("before"), []byte(text)))
	if want := "before" + text + checksumText(text) + "\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A dataLine is one line of a telegram, and the record that Parse makes of it.
type dataLine struct {
	text string
	want obis.Record
}

// lines returns a generator of data lines: numbers with different digits and units, and texts that contain '/' and '!'.
func lines() *rapid.Generator[dataLine] {
	return rapid.Custom(func(t *rapid.T) dataLine {
		var r obis.Record
		copy(r.Code[:], rapid.SliceOfN(rapid.Byte(), 6, 6).Draw(t, "code"))
		if rapid.Bool().Draw(t, "text") { // all printable characters other than '(', ')' and '*'
			text := rapid.StringMatching(`[ -'+-~]{0,40}`).Draw(t, "value")
			r.Text = []byte(text)
			return dataLine{fmt.Sprintf("%v(%s)", r.Code, text), r}
		}
		unit := rapid.SampledFrom([]string{"kWh", "kW", "W", "kVArh", "kvarh", "kVAr", "V", "A", "m3", "GJ"}).Draw(t, "unit")
		var prefix int8
		r.Unit, prefix, _ = obis.ParseUnit([]byte(unit))
		digits, decimals := rapid.IntRange(1, 9).Draw(t, "digits"), rapid.IntRange(0, 3).Draw(t, "decimals")
		r.Kind, r.Value = obis.Number, obis.Decimal{Coef: rapid.Int64Range(-1e12, 1e12).Draw(t, "value"), Exp: -int8(decimals)}
		number := string(r.Value.AppendFixed(nil, decimals))
		absolute, isNegative := strings.CutPrefix(number, "-")
		number = strings.Repeat("0", max(0, digits-len(absolute))) + absolute
		if isNegative {
			number = "-" + number
		}
		r.Value = r.Value.Shift(prefix)
		return dataLine{fmt.Sprintf("%v(%s*%s)", r.Code, number, unit), r}
	})
}

// TestRoundTrip tests that Parse reads what Append writes, and that Length returns the length of the first of two telegrams.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ident := rapid.StringMatching(`[A-Z]{3}[0-9][ -~]{0,12}`).Draw(t, "ident")
		written := rapid.SliceOfN(lines(), 0, 30).Draw(t, "lines")
		text := "/" + ident + "\r\n\r\n"
		for _, l := range written {
			text += l.text + "\r\n"
		}
		telegram := p1.Append(nil, []byte(text+"!"))
		var got p1.Telegram
		if err := got.Parse(telegram); err != nil {
			t.Fatal(err)
		}
		if string(got.Ident) != ident || !got.Checked || len(got.Records) != len(written) {
			t.Fatalf("got ident %q, Checked %v, %d records; want %q, true, %d records", got.Ident, got.Checked, len(got.Records), ident, len(written))
		}
		for i, l := range written {
			r := got.Records[i]
			sameValue := r.Kind == obis.Number && r.Unit == l.want.Unit && r.Value.Cmp(l.want.Value) == 0
			if l.want.Kind != obis.Number {
				sameValue = string(r.Text) == string(l.want.Text)
			}
			if r.Code != l.want.Code || !sameValue {
				t.Fatalf("line %d %q: got %+v, want %+v", i, l.text, r, l.want)
			}
		}
		if n := p1.Length(append(telegram, telegram...)); n != len(telegram) {
			t.Fatalf("Length of the first of two telegrams = %d, want %d", n, len(telegram))
		}
	})
}

// TestFlippedBits tests that Parse refuses a telegram with one flipped bit, or reads the same records with Checked true.
func TestFlippedBits(t *testing.T) {
	good := swedishTelegram()
	var want, got p1.Telegram
	if err := want.Parse(good); err != nil {
		t.Fatal(err)
	}
	accepted := 0
	for bit := range 8 * len(good) {
		flipped := bytes.Clone(good)
		flipped[bit/8] ^= 1 << (bit % 8)
		// The flipped bit can change a byte to '/'. Then a telegram possibly begins at this '/'.
		telegrams := [][]byte{flipped}
		for i, x := range flipped {
			if n := p1.Length(flipped[i:]); x == '/' && n > 0 {
				telegrams = append(telegrams, flipped[i:i+n])
			}
		}
		for _, telegram := range telegrams {
			if got.Parse(telegram) != nil {
				continue
			}
			accepted++
			if diff := cmp.Diff(want.Records, got.Records); diff != "" || !got.Checked {
				t.Fatalf("bit %d of byte %d (%q) flipped, Checked %v, -want +got:\n%s", bit%8, bit/8, good[bit/8], got.Checked, diff)
			}
		}
	}
	// Parse must accept a flipped bit in the line end after the checksum, and a flipped bit that only changes the case of a letter in the checksum.
	if accepted == 0 {
		t.Error("no telegram with a flipped bit was accepted, want telegrams with the flipped bit after the checksum")
	}
}
