package meter_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

var update = flag.Bool("update", false, "write the telegrams and their golden files in testdata again")

// sentAt returns the time of the telegram of a family in testdata: on a sunny day in summer for most families, on a winter evening for two,
// and at the change to summer time for one.
func sentAt(family string) time.Time {
	switch family {
	case "aidon-se", "p1-se-aidon-6560":
		return time.Date(2026, 1, 14, 16, 30, 20, 0, time.UTC)
	case "p1-se-sagemcom":
		return time.Date(2026, 3, 29, 0, 59, 50, 0, time.UTC)
	}
	return time.Date(2026, 6, 14, 11, 0, 10, 0, time.UTC)
}

// TestGolden tests that the telegram of each family in testdata decodes to the golden file in the same folder. Run the test with -update to
// write telegrams and golden files again, and review the changes.
func TestGolden(t *testing.T) {
	for _, f := range simulate.Families() {
		folder := filepath.Join("testdata", f.Name)
		telegramFile, goldenFile := filepath.Join(folder, "telegram.bin"), filepath.Join(folder, "telegram.golden.json")
		if *update {
			s := simulate.NewHousehold(1, sentAt(f.Name), f.Phases).State()
			write(t, telegramFile, f.Append(nil, &s))
		}
		r, err := newDecoder(bytes.NewReader(read(t, telegramFile))).Next()
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
			continue
		}
		got := pretty(t, r)
		if *update {
			write(t, goldenFile, got)
		}
		if diff := cmp.Diff(string(read(t, goldenFile)), string(got)); diff != "" {
			t.Errorf("%s, -golden +got:\n%s", f.Name, diff)
		}
	}
}

// read returns the content of a file in testdata.
func read(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (go test ./pkg/meter -update writes it)", err)
	}
	return b
}

// write writes a file in testdata.
func write(t *testing.T, file string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// pretty returns a reading as indented JSON.
func pretty(t *testing.T, r *meter.Reading) []byte {
	t.Helper()
	type item struct {
		Code  string `json:"obis"`
		Value string `json:"value,omitempty"`
		Unit  string `json:"unit,omitempty"`
		Text  string `json:"text,omitempty"`
		Time  string `json:"time,omitempty"`
	}
	out := struct {
		Protocol meter.Protocol `json:"protocol"`
		Family   string         `json:"family"`
		Bytes    int            `json:"bytes"`
		Checked  bool           `json:"checked"`
		Security string         `json:"security,omitempty"`
		Time     string         `json:"time"`
		Meter    meter.Meter    `json:"meter"`
		Records  []item         `json:"records"`
		Values   [][2]string    `json:"values"`
	}{Protocol: r.Protocol, Family: r.Family, Bytes: r.Bytes, Checked: r.Checked, Meter: r.Meter}
	if r.Cipher != (meter.Cipher{}) {
		out.Security = fmt.Sprintf("%02x", r.Cipher.Security)
	}
	if !r.Time.IsZero() {
		out.Time = r.Time.String()
	}
	for _, rec := range r.Records {
		it := item{Code: rec.Code.String()}
		switch rec.Kind {
		case obis.Number:
			it.Value, it.Unit = rec.Value.String(), rec.Unit.String()
		case obis.Clock:
			it.Time = rec.Time.String()
		case obis.Text, obis.Line:
			it.Text = string(rec.Text)
		case obis.Empty:
		}
		out.Records = append(out.Records, it)
	}
	for _, s := range r.Samples {
		value := string(s.Value.AppendFixed(nil, s.Decimals())) + " " + s.Unit().Symbol
		out.Values = append(out.Values, [2]string{s.ID.String(), value})
	}
	b, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(b, '\n')
}
