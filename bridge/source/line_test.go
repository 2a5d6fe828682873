package source_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/bridge/source"
)

// TestParseLine tests that ParseLine reads good settings, and that its error for a bad setting shows how to write a setting.
func TestParseLine(t *testing.T) {
	good := map[string]source.Line{
		"115200 8N1":  {Baud: 115200, DataBits: 8, Parity: 'N', StopBits: 1},
		"2400 8E1":    {Baud: 2400, DataBits: 8, Parity: 'E', StopBits: 1},
		"2400 8e1":    {Baud: 2400, DataBits: 8, Parity: 'E', StopBits: 1},
		"300 7E1":     {Baud: 300, DataBits: 7, Parity: 'E', StopBits: 1},
		"9600 5O2":    {Baud: 9600, DataBits: 5, Parity: 'O', StopBits: 2},
		"3000000 8N1": {Baud: 3000000, DataBits: 8, Parity: 'N', StopBits: 1},
	}
	for text, want := range good {
		if got, err := source.ParseLine(text); err != nil || got != want {
			t.Errorf("%q: got %v, error %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "auto", "2400", "8N1", "2400 8N", "2400 8X1", "2400 9N1", "2400 4N1", "2400 8N3", "2400 8N1 ", " 2400 8N1",
		"2400  8N1", "-2400 8N1", "0 8N1", "02400 8N1", "115.2k 8N1", "2400,8N1", "99999999999999999999 8N1", "2400 8N1\n",
	} {
		_, err := source.ParseLine(text)
		if err == nil || !strings.Contains(err.Error(), `"2400 8E1"`) {
			t.Errorf("%q: got error %v, want an error that shows how to write a setting", text, err)
		}
	}
}

// TestLineRoundTrip tests that ParseLine reads the text of each setting.
func TestLineRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := source.Line{
			Baud:     rapid.IntRange(50, 4_000_000).Draw(t, "baud"),
			DataBits: rapid.IntRange(5, 8).Draw(t, "data bits"),
			Parity:   rapid.SampledFrom([]byte("NEO")).Draw(t, "parity"),
			StopBits: rapid.IntRange(1, 2).Draw(t, "stop bits"),
		}
		if got, err := source.ParseLine(want.String()); err != nil || got != want {
			t.Fatalf("ParseLine(%q): got %v, error %v, want the same setting", want, got, err)
		}
	})
}

func TestUsualLinesCanBeParsed(t *testing.T) {
	for _, l := range source.UsualLines {
		if got, err := source.ParseLine(l.String()); err != nil || got != l {
			t.Errorf("ParseLine(%q): got %v, error %v, want the same setting", l, got, err)
		}
	}
}
