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

// stream returns count telegrams of a simulated meter. The first telegram is sent 19 s before a full hour, so that meters that send a longer list
// every hour send this list too.
func stream(f simulate.Family, count int) []byte {
	var b []byte
	m := simulate.NewMeter(f, 5, time.Date(2026, 5, 10, 9, 59, 41, 0, time.UTC))
	for range count {
		_, telegram := m.Next()
		b = append(b, telegram...)
	}
	return b
}

// testKey returns the key of masked telegrams.
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

// masked masks a stream to its end. out has the bytes of all masked telegrams, and all has the telegrams. errs has the errors for telegrams that
// were not masked. key decrypts the telegrams. It is nil if the telegrams are not encrypted.
func masked(t testing.TB, r io.Reader, key *dlms.Key) (out []byte, all []mask.Telegram, errs []*meter.TelegramError) {
	t.Helper()
	o := meter.Options{AcceptUnverified: true}
	if key != nil {
		o.Keys = []*dlms.Key{key}
	}
	m := mask.New(r, o)
	for {
		next, err := m.Next()
		telegramErr, notMasked := errors.AsType[*meter.TelegramError](err)
		switch {
		case errors.Is(err, io.EOF):
			return out, all, errs
		case notMasked:
			errs = append(errs, telegramErr)
		case err != nil:
			t.Fatal(err)
		default:
			c := *next
			c.Bytes = bytes.Clone(c.Bytes)
			out, all = append(out, c.Bytes...), append(all, c)
		}
	}
}

// A summary has the contents of a telegram that masking must not change.
type summary struct {
	Protocol     meter.Protocol
	Family, List string
	Checked      bool
	Security     byte
	Counter      uint32
	Manufacturer string   // manufacturer code in the system title
	Samples      []string // id, value, unit and time of each sample
	Records      []string // code and kind of each record
}

// longDigits matches a run of digits that is long enough for a serial number. Names of models have shorter runs.
var longDigits = regexp.MustCompile(`\d{6,}`)

// harmlessTexts are codes (groups C, D and E) of texts whose long runs of digits are not serial numbers: logs, clocks and timestamps.
var harmlessTexts = map[[3]byte]bool{{99, 97, 0}: true, {98, 1, 0}: true, {0, 9, 1}: true, {0, 9, 2}: true, {24, 2, 1}: true}

// decoded returns a summary of each telegram in a stream, and the long numbers in the telegrams that possibly identify a meter.
func decoded(t testing.TB, b []byte, key *dlms.Key) (all []summary, serials map[string]bool) {
	t.Helper()
	d := meter.NewDecoder(bytes.NewReader(b), meter.Options{Keys: []*dlms.Key{key}, AcceptUnverified: true})
	serials = map[string]bool{}
	for {
		r, err := d.Next()
		if errors.Is(err, io.EOF) {
			return all, serials
		}
		if err != nil {
			t.Fatal(err)
		}
		s := summary{
			Protocol: r.Protocol, Family: r.Family, List: r.Meter.List, Checked: r.Checked,
			Security: r.Cipher.Security, Counter: r.Cipher.Counter, Manufacturer: string(r.Cipher.Title[:3]),
		}
		for i := range r.Samples {
			x := &r.Samples[i]
			if x.ID.Row().Numeric() {
				s.Samples = append(s.Samples, fmt.Sprintf("%v %v %v %v", x.ID, x.Value, x.UnitIndex, x.Time))
			} else {
				s.Samples = append(s.Samples, fmt.Sprintf("%v is a text, empty: %v", x.ID, len(x.Text) == 0)) // masking can change the text
			}
		}
		for i := range r.Records {
			x := &r.Records[i]
			s.Records = append(s.Records, fmt.Sprintf("%v %d", x.Code, x.Kind))
			switch {
			case x.Kind != obis.Text || harmlessTexts[x.Code.CDE()]:
			case x.Code == obis.Code{1, 1, 96, 1, 1, obis.Any}: // the type of a Kamstrup meter, of which six digits remain
				addSerials(serials, x.Text[6:])
			default:
				addSerials(serials, x.Text)
			}
			if x.Kind == obis.Number && x.Value.Coef != 0 && x.Code.CDE() == [3]byte{0, 0, 1} {
				serials[x.Value.String()] = true
			}
		}
		addSerials(serials, []byte(r.Meter.Serial))
		if len(r.Meter.Model) > 6 {
			addSerials(serials, []byte(r.Meter.Model[6:]))
		}
		all = append(all, s)
	}
}

// addSerials adds the long runs of digits in a text. If the text consists of hexadecimal digits, it is decoded first.
func addSerials(serials map[string]bool, text []byte) {
	if b, err := hex.DecodeString(string(text)); err == nil && len(b) > 5 && b[0] >= ' ' && b[0] < 0x7F {
		text = b
	}
	for _, n := range longDigits.FindAllString(string(text), -1) {
		if strings.Trim(n, "0") != "" { // zeros only: masked
			serials[n] = true
		}
	}
}

// TestEveryFamily tests, with every family, that masking removes every serial number, and that the masked telegram has the same summary as the
// telegram. Masking a masked telegram must not change it.
func TestEveryFamily(t *testing.T) {
	withSerial, encrypted := 0, 0
	for _, f := range simulate.Families() {
		in := stream(f, 9)
		want, serials := decoded(t, in, simulate.Key())
		out, all, errs := masked(t, bytes.NewReader(in), simulate.Key())
		if len(all) != 9 || len(errs) != 0 {
			t.Errorf("%s: got %d masked telegrams and errors %v, want 9 telegrams", f.Name, len(all), errs)
			continue
		}
		got, remaining := decoded(t, out, testKey(t))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -sent +masked:\n%s", f.Name, diff)
		}
		if len(remaining) > 0 {
			t.Errorf("%s: the masked telegrams have the serial numbers %v, want none", f.Name, remaining)
		}
		for n := range serials {
			if bytes.Contains(out, []byte(n)) || bytes.Contains(bytes.ToLower(out), []byte(hex.EncodeToString([]byte(n)))) {
				t.Errorf("%s: the bytes of the masked telegrams contain the serial number %s", f.Name, n)
			}
		}
		if len(serials) > 0 {
			withSerial++
		}
		if all[0].Encrypted {
			encrypted++
		}
		if twice, _, _ := masked(t, bytes.NewReader(out), testKey(t)); !bytes.Equal(twice, out) {
			t.Errorf("%s: masking the masked telegrams changes them", f.Name)
		}
	}
	t.Logf("%d families: %d send a serial number, %d encrypt", len(simulate.Families()), withSerial, encrypted)
	if withSerial < 10 || encrypted < 5 {
		t.Errorf("got %d families with a serial number and %d that encrypt, want at least 10 and 5", withSerial, encrypted)
	}
}

// TestChunksAndNoise tests that masked telegrams do not depend on the sizes of reads, or on noise before and after the telegrams.
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

// TestOffsets tests that a mask.Telegram has the offset and length of the unmasked telegram.
func TestOffsets(t *testing.T) {
	f, _ := simulate.Named("aidon-no3")
	telegram := stream(f, 1)
	_, all, _ := masked(t, strings.NewReader("noise"+string(telegram)+"noise"+string(telegram)), nil)
	for i, got := range all {
		want := int64(len("noise") + i*(len(telegram)+len("noise")))
		if got.Offset != want || got.Length != len(telegram) || len(got.Bytes) != len(telegram) || got.Encrypted {
			t.Errorf("telegram %d: got offset %d, length %d, %d masked bytes, encrypted %v; want offset %d, length %d",
				i, got.Offset, got.Length, len(got.Bytes), got.Encrypted, want, len(telegram))
		}
	}
	if len(all) != 2 {
		t.Errorf("got %d telegrams, want 2", len(all))
	}
}

// TestNotMasked tests that Next returns an error for a damaged telegram and for a telegram that no key decrypts.
func TestNotMasked(t *testing.T) {
	f, _ := simulate.Named("aidon-no3")
	intact := stream(f, 1)
	damaged := bytes.Clone(intact)
	damaged[50] ^= 1
	out, all, errs := masked(t, bytes.NewReader(append(damaged, intact...)), nil)
	if len(all) != 1 || len(errs) != 1 || errs[0].Intact || len(out) != len(intact) {
		t.Errorf("a damaged and an intact telegram: got %d telegrams of %d bytes and errors %v, want one telegram and one error", len(all), len(out), errs)
	}
	for _, f := range simulate.Families() {
		if f.Cipher == 0 {
			continue
		}
		for _, key := range []*dlms.Key{nil, testKey(t)} {
			out, _, errs := masked(t, bytes.NewReader(stream(f, 2)), key)
			if len(out) != 0 || len(errs) == 0 {
				t.Errorf("%s without the key of the meter: got %d masked bytes and %d errors, want only errors", f.Name, len(out), len(errs))
				continue
			}
			if _, ok := errors.AsType[*dlms.EncryptedError](errs[0]); !ok || !errs[0].Intact {
				t.Errorf("%s without the key of the meter: got %v, want a *dlms.EncryptedError", f.Name, errs[0])
			}
		}
	}
}

// TestSystemTitle tests that a masked system title is the manufacturer code and zeros.
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

// TestUnmaskable tests that Next returns ErrUnmaskable if masking would change the values of a telegram. Here the power equals the serial
// number 1234567, so that masking the serial number would clear the power too.
func TestUnmaskable(t *testing.T) {
	message := func(power int64) []byte {
		b := dlms.AppendStructure(dlms.AppendNotification(nil, 0), 5)
		b = dlms.AppendVisibleString(b, "Kamstrup_V0001")
		b = dlms.AppendNumber(dlms.AppendLogicalName(b, obis.Code{1, 1, 0, 0, 1, 255}), dlms.Uint32, 1234567)
		return dlms.AppendNumber(dlms.AppendLogicalName(b, obis.Code{1, 1, 1, 7, 0, 255}), dlms.Uint32, power)
	}
	serial := []byte{0x12, 0xD6, 0x87} // 1234567 as a binary number
	out, all, errs := masked(t, bytes.NewReader(message(1234)), nil)
	if len(all) != 1 || len(errs) != 0 || bytes.Contains(out, serial) {
		t.Errorf("power 1234: got %d telegrams, %x, and errors %v; want one without the serial number", len(all), out, errs)
	}
	out, _, errs = masked(t, bytes.NewReader(message(1234567)), nil)
	if len(out) != 0 || len(errs) != 1 || !errors.Is(errs[0], mask.ErrUnmaskable) {
		t.Errorf("power equal to the serial number: got %x and errors %v, want %v", out, errs, mask.ErrUnmaskable)
	}
}

// FuzzMasker tests that a Masker never panics, and that every masked telegram decodes.
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
