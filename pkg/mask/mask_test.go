package mask_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/mask"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// stream returns count telegrams of a simulated meter, the first of them 19 s before a whole hour.
func stream(f simulate.Family, count int) []byte {
	var b []byte
	m := simulate.NewMeter(f, 5, time.Date(2026, 5, 10, 9, 59, 41, 0, time.UTC))
	for range count {
		_, telegram := m.Next()
		b = append(b, telegram...)
	}
	return b
}

func testKey(t testing.TB) *dlms.Key {
	t.Helper()
	b, err := hex.DecodeString(mask.TestKey)
	if err != nil {
		t.Fatal(err)
	}
	k, err := dlms.NewKey(b, b)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// masked masks a stream to its end. It returns the masked telegrams, joined in out and one by one in all. leftOut are the errors for
// telegrams that were left out.
func masked(t testing.TB, r io.Reader, key *dlms.Key) (out []byte, all []mask.Telegram, leftOut []*meter.TelegramError) {
	t.Helper()
	o := meter.Options{AcceptUnverified: true}
	if key != nil {
		o.Keys = []*dlms.Key{key}
	}
	m := mask.New(r, o)
	for {
		next, err := m.Next()
		bad, damaged := errors.AsType[*meter.TelegramError](err)
		switch {
		case errors.Is(err, io.EOF):
			return out, all, leftOut
		case damaged:
			leftOut = append(leftOut, bad)
		case err != nil:
			t.Fatal(err)
		default:
			c := *next
			c.Bytes = bytes.Clone(c.Bytes)
			out, all = append(out, c.Bytes...), append(all, c)
		}
	}
}

// A summary is what masking must not change in a telegram.
type summary struct {
	Protocol         meter.Protocol
	Family, List     string
	Checked          bool
	Security         byte
	Counter          uint32
	Maker            string // of the system title
	Numbers, Records []string
}

// longDigits matches digits that are long enough for a serial number. The names of models have fewer digits in a row.
var longDigits = regexp.MustCompile(`\d{6,}`)

// harmlessTexts are codes (groups C, D and E) of texts whose long digits are not serial numbers: logs, clocks and timestamps.
var harmlessTexts = map[[3]byte]bool{{99, 97, 0}: true, {98, 1, 0}: true, {0, 9, 1}: true, {0, 9, 2}: true, {24, 2, 1}: true}

// decoded returns a summary of each telegram in a stream, and the numbers in the stream that possibly identify a meter.
func decoded(t testing.TB, b []byte, key *dlms.Key) (all []summary, numbers map[string]bool) {
	t.Helper()
	d := meter.NewDecoder(bytes.NewReader(b), meter.Options{Keys: []*dlms.Key{key}, AcceptUnverified: true})
	numbers = map[string]bool{}
	for {
		r, err := d.Next()
		if errors.Is(err, io.EOF) {
			return all, numbers
		}
		if err != nil {
			t.Fatal(err)
		}
		s := summary{
			Protocol: r.Protocol, Family: r.Family, List: r.Meter.List, Checked: r.Checked,
			Security: r.Cipher.Security, Counter: r.Cipher.Counter, Maker: string(r.Cipher.Title[:3]),
		}
		for i := range r.Samples {
			x := &r.Samples[i]
			if x.ID.Row().Numeric() {
				s.Numbers = append(s.Numbers, fmt.Sprintf("%v %v %v %v", x.ID, x.Value, x.UnitIndex, x.Time))
			} else {
				s.Numbers = append(s.Numbers, fmt.Sprintf("%v says something: %v", x.ID, len(x.Text) > 0))
			}
		}
		for i := range r.Records {
			x := &r.Records[i]
			s.Records = append(s.Records, fmt.Sprintf("%v %d", x.Code, x.Kind))
			switch {
			case x.Kind != obis.Text || harmlessTexts[x.Code.CDE()]:
			case x.Code == obis.Code{1, 1, 96, 1, 1, obis.Any}: // a type of Kamstrup
				addNumbers(numbers, x.Text[6:])
			default:
				addNumbers(numbers, x.Text)
			}
			if x.Kind == obis.Number && x.Value.Coef != 0 && x.Code.CDE() == [3]byte{0, 0, 1} {
				numbers[x.Value.String()] = true
			}
		}
		addNumbers(numbers, []byte(r.Meter.Serial))
		if len(r.Meter.Model) > 6 {
			addNumbers(numbers, []byte(r.Meter.Model[6:]))
		}
		all = append(all, s)
	}
}

// addNumbers adds the long digits in a text. The text itself is possibly written in hexadecimal.
func addNumbers(numbers map[string]bool, text []byte) {
	if b, err := hex.DecodeString(string(text)); err == nil && len(b) > 5 && b[0] >= ' ' && b[0] < 0x7F {
		text = b
	}
	for _, n := range longDigits.FindAllString(string(text), -1) {
		if strings.Trim(n, "0") != "" {
			numbers[n] = true
		}
	}
}

// TestEveryFamily tests, with every family, that masking changes no values, manufacturer or kinds of records, and that it removes every
// serial number in every form. Masking a masked telegram must change nothing.
func TestEveryFamily(t *testing.T) {
	withNumber, encrypted := 0, 0
	for _, f := range simulate.Families() {
		in := stream(f, 9)
		want, numbers := decoded(t, in, simulate.Key())
		out, all, left := masked(t, bytes.NewReader(in), simulate.Key())
		if len(all) != 9 || len(left) != 0 {
			t.Errorf("%s: %d telegrams masked, left out: %v", f.Name, len(all), left)
			continue
		}
		got, remaining := decoded(t, out, testKey(t))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -sent +masked:\n%s", f.Name, diff)
		}
		if len(remaining) > 0 {
			t.Errorf("%s: got numbers that identify a meter after masking: %v, want none", f.Name, remaining)
		}
		for n := range numbers {
			if bytes.Contains(out, []byte(n)) || bytes.Contains(bytes.ToLower(out), []byte(hex.EncodeToString([]byte(n)))) {
				t.Errorf("%s: the masked telegrams still contain the number %s", f.Name, n)
			}
		}
		if len(numbers) > 0 {
			withNumber++
		}
		if all[0].Encrypted {
			encrypted++
		}
		if twice, _, _ := masked(t, bytes.NewReader(out), testKey(t)); !bytes.Equal(twice, out) {
			t.Errorf("%s: masking the masked telegrams changes them", f.Name)
		}
	}
	t.Logf("%d families, of which %d send a serial number, %d encrypt", len(simulate.Families()), withNumber, encrypted)
	if withNumber < 10 || encrypted < 5 {
		t.Errorf("%d families with a number and %d that encrypt: want at least 10 and 5", withNumber, encrypted)
	}
}

// TestChunksAndNoise tests that the sizes of reads do not matter, and that bytes around telegrams are dropped.
func TestChunksAndNoise(t *testing.T) {
	for _, f := range simulate.Families() {
		in := stream(f, 3)
		want, _, _ := masked(t, bytes.NewReader(in), simulate.Key())
		if got, _, _ := masked(t, iotest.OneByteReader(bytes.NewReader(in)), simulate.Key()); !bytes.Equal(got, want) {
			t.Errorf("%s: read byte by byte, the masked telegrams differ", f.Name)
		}
		noisy := append([]byte("7359992812345678 \x00\xF8\r\n"), in...)
		if got, _, _ := masked(t, bytes.NewReader(append(noisy, "\r\n7359992812345678"...)), simulate.Key()); !bytes.Equal(got, want) {
			t.Errorf("%s: with noise around the telegrams, the masked telegrams differ", f.Name)
		}
	}
}

// TestOffsets tests that a masked telegram has the offset and length of the unmasked one.
func TestOffsets(t *testing.T) {
	f, _ := simulate.Named("aidon-no3")
	one := stream(f, 1)
	_, all, _ := masked(t, strings.NewReader("noise"+string(one)+"noise"+string(one)), nil)
	for i, got := range all {
		want := int64(len("noise") + i*(len(one)+len("noise")))
		if got.Offset != want || got.Length != len(one) || len(got.Bytes) != len(one) || got.Encrypted {
			t.Errorf("telegram %d: at %d, %d bytes of %d, encrypted %v; want %d and %d", i, got.Offset, len(got.Bytes), got.Length, got.Encrypted, want, len(one))
		}
	}
	if len(all) != 2 {
		t.Errorf("%d telegrams, want 2", len(all))
	}
}

// TestLeftOut tests that damaged telegrams and telegrams that no key decrypts are left out, and Next returns an error for each.
func TestLeftOut(t *testing.T) {
	f, _ := simulate.Named("aidon-no3")
	good := stream(f, 1)
	bad := bytes.Clone(good)
	bad[50] ^= 1
	out, all, left := masked(t, bytes.NewReader(append(bad, good...)), nil)
	if len(all) != 1 || len(left) != 1 || left[0].Intact || len(out) != len(good) {
		t.Errorf("damaged: %d masked, left out %v, %d bytes", len(all), left, len(out))
	}
	for _, f := range simulate.Families() {
		if f.Cipher == 0 {
			continue
		}
		for _, key := range []*dlms.Key{nil, testKey(t)} {
			out, _, left := masked(t, bytes.NewReader(stream(f, 2)), key)
			if len(out) != 0 || len(left) == 0 {
				t.Errorf("%s: %d bytes are written without the key", f.Name, len(out))
				continue
			}
			if _, ok := errors.AsType[*dlms.EncryptedError](left[0]); !ok || !left[0].Intact {
				t.Errorf("%s: got %v, want a *dlms.EncryptedError", f.Name, left[0])
			}
		}
	}
}

// TestSystemTitle tests that a masked system title has the letters of the manufacturer, and zeros after them.
func TestSystemTitle(t *testing.T) {
	for _, f := range simulate.Families() {
		if f.Cipher == 0 {
			continue
		}
		in := stream(f, 1)
		d := meter.NewDecoder(bytes.NewReader(in), meter.Options{Keys: []*dlms.Key{simulate.Key()}, AcceptUnverified: true})
		r, err := d.Next()
		if err != nil {
			t.Fatal(err)
		}
		want := r.Cipher
		clear(want.Title[3:])
		out, all, _ := masked(t, bytes.NewReader(in), simulate.Key())
		d = meter.NewDecoder(bytes.NewReader(out), meter.Options{Keys: []*dlms.Key{testKey(t)}, AcceptUnverified: true})
		if r, err = d.Next(); err != nil || r.Cipher != want || !all[0].Encrypted {
			t.Errorf("%s: got %+v, %v, want %+v", f.Name, r.Cipher, err, want)
		}
	}
}

// TestUnmaskable tests that a telegram is left out if masking would change its values. Here the power equals the serial number, so that
// masking the serial number would clear the power too.
func TestUnmaskable(t *testing.T) {
	body := func(power int64) []byte {
		b := dlms.AppendStructure(dlms.AppendNotification(nil, 0), 5)
		b = dlms.AppendVisibleString(b, "Kamstrup_V0001")
		b = dlms.AppendNumber(dlms.AppendLogicalName(b, obis.Code{1, 1, 0, 0, 1, 255}), dlms.Uint32, 1234567)
		return dlms.AppendNumber(dlms.AppendLogicalName(b, obis.Code{1, 1, 1, 7, 0, 255}), dlms.Uint32, power)
	}
	out, all, left := masked(t, bytes.NewReader(body(1234)), nil)
	if len(all) != 1 || len(left) != 0 || bytes.Contains(out, []byte{0x12, 0xD6, 0x87}) {
		t.Errorf("another power: %d masked, left out %v, %x", len(all), left, out)
	}
	out, _, left = masked(t, bytes.NewReader(body(1234567)), nil)
	if len(out) != 0 || len(left) != 1 || !errors.Is(left[0], mask.ErrUnmaskable) {
		t.Errorf("the same power: wrote %x, left out %v, want %v", out, left, mask.ErrUnmaskable)
	}
}

// FuzzMasker tests that nothing panics, and every masked telegram decodes.
func FuzzMasker(f *testing.F) {
	for _, name := range []string{"aidon-no3", "p1-nl-5", "kaifa-at", "p1-lu", "p1-pl", "kamstrup-no"} {
		if family, ok := simulate.Named(name); ok {
			f.Add(stream(family, 2))
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		_, all, _ := masked(t, bytes.NewReader(in), simulate.Key())
		for _, got := range all {
			d := meter.NewDecoder(bytes.NewReader(got.Bytes), meter.Options{Keys: []*dlms.Key{testKey(t)}, AcceptUnverified: true})
			if _, err := d.Next(); err != nil {
				t.Fatalf("%q: %v", got.Bytes, err)
			}
		}
	})
}
