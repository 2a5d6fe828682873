package meter_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// Captured telegrams are no part of the project. They are found beside it, where somebody has put them.
var (
	sharedFolder    = filepath.Join("..", "..", "..", "shared")
	telegramsFolder = filepath.Join(sharedFolder, "telegrams")
)

// A capture is what the file beside a captured telegram says about it.
type capture struct {
	File, Country, Meter, Framing, Check string
	CRC                                  string            `json:"crc16_arc"`
	Frames                               []json.RawMessage `json:"frames"`
	Expected                             map[string]json.RawMessage
	odd                                  bool
	wire                                 []byte
}

// mustDecode tells if the project promises to read it: Swedish and Finnish P1, and Aidon's lists in one frame.
func (c *capture) mustDecode() bool {
	if c.odd {
		return false
	}
	if strings.Contains(c.Framing, "P1") {
		return (strings.HasPrefix(c.Country, "SE") || strings.HasPrefix(c.Country, "FI")) && c.CRC == "ok"
	}
	return c.Framing == "HDLC" && len(c.Frames) == 1 && strings.Contains(strings.ToLower(c.Meter), "aidon")
}

// damaged tells that the checksum of what begins at a place is known to be wrong. Behind a cut telegram a good one may stand.
func (c *capture) damaged(offset int64) bool {
	bad := strings.HasPrefix(c.CRC, "bad") || strings.HasPrefix(c.Check, "frames ok 0/")
	return bad && offset == int64(bytes.IndexAny(c.wire, "/~"))
}

// TestCaptures decodes every captured telegram and compares each value with what an independent decoder read.
func TestCaptures(t *testing.T) {
	var all, must, decoded, compared, refused int
	for _, c := range captures(t) {
		all++
		good, values := checkCapture(t, c)
		compared += values
		if c.mustDecode() {
			must++
			if good != 1 {
				t.Errorf("%s: %d readings, want 1", c.File, good)
			}
		}
		if good > 0 {
			decoded++
		} else if c.odd {
			refused++
		}
	}
	t.Logf("%d captures: %d decoded, among them all %d that must be; %d of the odd ones refused; %d values compared", all, decoded, must, refused, compared)
	if must == 0 || compared == 0 {
		t.Errorf("%d captures that must be decoded and %d values: the rule that picks them is wrong", must, compared)
	}
}

func captures(t *testing.T) []*capture {
	t.Helper()
	if _, err := os.Stat(telegramsFolder); errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(sharedFolder); err == nil && os.Getenv("CI") == "true" {
			t.Fatalf("%s is there, but no telegrams in it", sharedFolder)
		}
		t.Skipf("no captured telegrams in %s: nothing to compare with", telegramsFolder)
	}
	var out []*capture
	for _, folder := range []string{telegramsFolder, filepath.Join(telegramsFolder, "odd")} {
		files, err := filepath.Glob(filepath.Join(folder, "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if filepath.Base(file) != "index.json" {
				out = append(out, readCapture(t, file))
			}
		}
	}
	return out
}

func readCapture(t *testing.T, file string) *capture {
	t.Helper()
	about, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c := &capture{odd: filepath.Base(filepath.Dir(file)) == "odd"}
	if err := json.Unmarshal(about, c); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	c.wire, err = os.ReadFile(filepath.Join(filepath.Dir(file), filepath.Base(c.File)))
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(c.File, ".hex") {
		c.wire, err = hex.DecodeString(strings.Join(strings.Fields(string(c.wire)), ""))
		if err != nil {
			t.Fatalf("%s: %v", c.File, err)
		}
	}
	return c
}

// checkCapture returns how many readings the capture gives, and how many of their values were compared.
func checkCapture(t *testing.T, c *capture) (good, values int) {
	t.Helper()
	d := meter.NewDecoder(bytes.NewReader(c.wire))
	for {
		r, err := d.Next()
		var damaged *meter.TelegramError
		switch {
		case errors.As(err, &damaged):
			if c.mustDecode() {
				t.Errorf("%s: %v", c.File, err)
			}
			continue
		case err != nil:
			return good, values
		}
		good++
		if c.damaged(r.Offset) {
			t.Errorf("%s: a reading of a telegram whose checksum is wrong", c.File)
		}
		if len(c.Expected) == 0 {
			continue
		}
		seen := map[string]bool{}
		for i := range r.Records {
			key, problem := c.compare(&r.Records[i])
			if problem != "" {
				t.Errorf("%s: %v: %s", c.File, r.Records[i].Code, problem)
			}
			seen[key] = true
			values++
		}
		for key := range c.Expected {
			if c.mustDecode() && !seen[key] {
				t.Errorf("%s: no record of %s", c.File, key)
			}
		}
	}
}

// compare returns under which key the record is expected, and how it differs.
func (c *capture) compare(r *obis.Record) (key, problem string) {
	text := r.Code.String()
	short, _, _ := strings.Cut(text, "*")
	var want json.RawMessage
	for _, key = range []string{text, fmt.Sprintf("%s*%d", short, r.Code[5]), fmt.Sprintf("%s.%d", short, r.Code[5])} {
		if want = c.Expected[key]; want != nil {
			break
		}
	}
	switch {
	case want == nil:
		return "", "nobody sent this code"
	case want[0] == '[':
		return key, compareText(want, r)
	}
	return key, compareBinary(want, r)
}

// compareText compares with the values of all lines of this code of a P1 telegram, in their order.
func compareText(want json.RawMessage, r *obis.Record) string {
	var items []struct{ Text, Value, Unit string }
	if err := json.Unmarshal(want, &items); err != nil {
		return err.Error()
	}
	var texts []string
	for i, item := range items {
		texts = append(texts, item.Text)
		switch r.Kind {
		case obis.Number:
			number, unit := item.Value, item.Unit
			if unit == "" {
				number = item.Text
			}
			if sameNumber(r, number, unit) && (r.Time.IsZero() || i > 0 && strings.HasPrefix(items[i-1].Text, digits(r.Time))) {
				return ""
			}
		case obis.Clock:
			if strings.HasPrefix(item.Text, digits(r.Time)) || strings.HasPrefix(notDigit.ReplaceAllString(item.Text, ""), "20"+digits(r.Time)) {
				return ""
			}
		default:
			if string(r.Text) == item.Text {
				return ""
			}
		}
	}
	if r.Kind == obis.Text && string(r.Text) == "("+strings.Join(texts, ")(")+")" {
		return ""
	}
	return fmt.Sprintf("got %v %v %v %q, want one of %q", r.Value, r.Unit, r.Time, r.Text, texts)
}

var notDigit = regexp.MustCompile(`[^0-9]`)

// digits is a time as YYMMDDhhmmss.
func digits(t obis.Time) string {
	t.Zone = false
	return notDigit.ReplaceAllString(t.String(), "")[2:]
}

// compareBinary compares with an item of a list.
func compareBinary(want json.RawMessage, r *obis.Record) string {
	var item struct {
		Raw         any
		Value, Unit string
	}
	decoder := json.NewDecoder(bytes.NewReader(want))
	decoder.UseNumber()
	if err := decoder.Decode(&item); err != nil {
		return err.Error()
	}
	same := false
	switch raw := fmt.Sprint(item.Raw); r.Kind {
	case obis.Number:
		if item.Value == "" {
			item.Value = raw
		}
		same = sameNumber(r, item.Value, item.Unit)
	case obis.Clock:
		at := r.Time
		at.Zone = false
		same = strings.HasPrefix(raw, at.String())
	case obis.Text:
		same = string(r.Text) == raw || hex.EncodeToString(r.Text) == raw
	case obis.Empty:
		same = item.Raw == nil
	}
	if same {
		return ""
	}
	return fmt.Sprintf("got %v %v %v %q, want %s", r.Value, r.Unit, r.Time, r.Text, want)
}

// prefixes are the powers of ten of the prefixes that the captures hold.
var prefixes = map[string]int64{"kWh": 1000, "kW": 1000, "kVArh": 1000, "kvarh": 1000, "kVAr": 1000, "kvar": 1000, "kVA": 1000, "GJ": 1e9, "MJ": 1e6, "MWh": 1e6}

// sameNumber compares exact numbers in base units.
func sameNumber(r *obis.Record, number, unit string) bool {
	want, ok := new(big.Rat).SetString(number)
	if !ok {
		return false
	}
	if p, ok := prefixes[unit]; ok {
		want.Mul(want, new(big.Rat).SetInt64(p))
		unit = unit[1:]
	}
	got, ok := new(big.Rat).SetString(r.Value.String())
	unit = strings.Replace(unit, "m3", "m³", 1)
	return ok && got.Cmp(want) == 0 && strings.EqualFold(r.Unit.String(), unit)
}
