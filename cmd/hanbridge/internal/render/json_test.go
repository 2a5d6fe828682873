package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// The types from which encoding/json makes the expected output. Values is raw JSON, because its members have the order of the samples.
type (
	wantReading struct {
		OK        bool            `json:"ok"`
		File      string          `json:"file,omitempty"`
		Protocol  meter.Protocol  `json:"protocol"`
		Family    string          `json:"family"`
		Bytes     int             `json:"bytes"`
		Offset    int64           `json:"offset"`
		MeterTime string          `json:"meter_time,omitempty"`
		Meter     wantMeter       `json:"meter"`
		Records   []wantRecord    `json:"records"`
		Values    json.RawMessage `json:"values"`
	}
	wantMeter struct {
		Make   string `json:"make"`
		Serial string `json:"serial"`
		Model  string `json:"model"`
		List   string `json:"list"`
	}
	wantRecord struct {
		OBIS  string  `json:"obis,omitempty"`
		Label string  `json:"label,omitempty"`
		Value *string `json:"value,omitempty"`
		Unit  *string `json:"unit,omitempty"`
		Text  *string `json:"text,omitempty"`
		Time  string  `json:"time,omitempty"`
	}
	wantRejected struct {
		OK       bool           `json:"ok"`
		File     string         `json:"file,omitempty"`
		Protocol meter.Protocol `json:"protocol"`
		Bytes    int            `json:"bytes"`
		Offset   int64          `json:"offset"`
		Error    string         `json:"error"`
	}
)

// encoded returns the line of JSON that encoding/json writes for v. Characters that can control a terminal are escaped.
func encoded(t *rapid.T, v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(safetext.JSONWriter{W: &b})
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// wantLine returns the line that encoding/json writes for a reading.
func wantLine(t *rapid.T, file string, r *meter.Reading) string {
	want := wantReading{
		OK: true, File: file, Protocol: r.Protocol, Family: r.Family, Bytes: r.Bytes, Offset: r.Offset,
		Meter:   wantMeter{r.Meter.Make, r.Meter.Serial, r.Meter.Model, r.Meter.List},
		Records: make([]wantRecord, len(r.Records)), Values: json.RawMessage("{"),
	}
	if !r.Time.IsZero() {
		want.MeterTime = r.Time.String()
	}
	for i := range r.Records {
		want.Records[i] = wantRecordOf(&r.Records[i])
	}
	for i := range r.Samples {
		s := &r.Samples[i]
		text := textOf(s.Text)
		if s.ID.Row().Numeric() {
			text = string(s.Value.AppendFixed(nil, s.Decimals()))
		}
		if i > 0 {
			want.Values = append(want.Values, ',')
		}
		member := encoded(t, map[string]string{s.ID.String(): text})
		want.Values = append(want.Values, member[1:len(member)-len("}\n")]...) // without the braces
	}
	want.Values = append(want.Values, '}')
	return encoded(t, want)
}

// wantRecordOf returns what encoding/json encodes for a record.
func wantRecordOf(r *obis.Record) (want wantRecord) {
	text := textOf(r.Text)
	if r.Kind == obis.Line {
		label, rest := r.SplitLine()
		text = textOf(rest)
		return wantRecord{Label: textOf(label), Text: &text}
	}
	want.OBIS = r.Code.String()
	if !r.Time.IsZero() {
		want.Time = r.Time.String()
	}
	value, unit := r.Value.String(), r.Unit.String()
	switch r.Kind {
	case obis.Number:
		want.Value, want.Unit = &value, &unit
	case obis.Text, obis.Empty, obis.Line: // a Line was returned above
		want.Text = &text
	case obis.Clock: // its value is want.Time
	}
	return want
}

// specialText generates texts with special characters of JSON, HTML and terminals, and with bytes that are not UTF-8.
func specialText() *rapid.Generator[string] {
	return rapid.OneOf(rapid.String(), rapid.StringMatching(`[ -~\x00-\x1f\x7f-\x9f\\"<>&\x{2028}é]*`),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
}

// drawReading draws a reading with random contents.
func drawReading(t *rapid.T) *meter.Reading {
	text := func(name string) string { return specialText().Draw(t, name) }
	r := &meter.Reading{
		Protocol: meter.Protocol(text("protocol")), Family: text("family"),
		Bytes: rapid.Int().Draw(t, "bytes"), Offset: rapid.Int64().Draw(t, "offset"), Time: drawTime(t),
		Meter: meter.Meter{Make: text("make"), Model: text("model"), Serial: text("serial"), List: text("list")},
	}
	decimal := rapid.Custom(func(t *rapid.T) obis.Decimal {
		return obis.Decimal{Coef: rapid.Int64().Draw(t, "coef"), Exp: rapid.Int8Range(-6, 3).Draw(t, "exp")}
	})
	for range rapid.IntRange(0, 3).Draw(t, "records") {
		r.Records = append(r.Records, obis.Record{
			Code: obis.Code{1, 0, rapid.Byte().Draw(t, "C"), 7, 0, rapid.Byte().Draw(t, "F")},
			Kind: rapid.SampledFrom([]obis.Kind{obis.Number, obis.Text, obis.Empty, obis.Line, obis.Clock}).Draw(t, "kind"),
			Unit: rapid.SampledFrom([]obis.Unit{obis.None, obis.Watt}).Draw(t, "unit"), Value: decimal.Draw(t, "value"), Time: drawTime(t),
			// The text of a Line can be a label with a value.
			Text: []byte(rapid.OneOf(specialText(), rapid.Just("Label (1)"), rapid.Just("()")).Draw(t, "text")),
		})
	}
	for _, name := range rapid.SliceOfN(rapid.SampledFrom([]string{"import_power", "text_message", "gas"}), 0, 3).Draw(t, "samples") {
		id, ok := quantity.ByName(name)
		if !ok {
			t.Fatalf("no quantity %s", name)
		}
		r.Samples = append(r.Samples, quantity.Sample{ID: id, Value: decimal.Draw(t, "sample"), Text: []byte(text("sample's text"))})
	}
	return r
}

// drawTime draws a meter's time or the zero time.
func drawTime(t *rapid.T) (at obis.Time) {
	if rapid.Bool().Draw(t, "has a time") {
		at.Year, at.Month, at.Day = 2026, 1, 31
	}
	return at
}

// TestReadingAsEncodingJSON tests that a reading is printed byte for byte as encoding/json prints it, with the same order of members.
func TestReadingAsEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		file, r := specialText().Draw(t, "file"), drawReading(t)
		j := &jsonLines{}
		got := string(j.reading(j.file(nil, file), r))
		if want := wantLine(t, file, r); got != want {
			t.Fatalf("printed reading:\ngot  %q\nwant %q", got, want)
		}
	})
}

// TestRejectedAsEncodingJSON tests that a telegram without a reading is printed byte for byte as encoding/json prints it.
func TestRejectedAsEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		file, reason := specialText().Draw(t, "file"), specialText().Draw(t, "reason")
		e := &meter.TelegramError{Protocol: "p1", Bytes: rapid.Int().Draw(t, "bytes"), Offset: rapid.Int64().Draw(t, "offset"), Err: errors.New(reason)}
		j := &jsonLines{}
		got, message := j.rejected(j.file(nil, file), e)
		want := encoded(t, wantRejected{File: file, Protocol: "p1", Bytes: e.Bytes, Offset: e.Offset, Error: reason})
		if string(got) != want || message != "" {
			t.Fatalf("printed telegram:\ngot  %q and message %q\nwant %q and no message", got, message, want)
		}
	})
}
