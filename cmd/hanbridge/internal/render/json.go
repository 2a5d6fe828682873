package render

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"unicode"
	"unicode/utf8"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// The objects of `decode --format json`.
type (
	jsonReading struct {
		OK bool `json:"ok"`
		// File is left out where there is but one.
		File      string         `json:"file,omitempty"`
		Protocol  meter.Protocol `json:"protocol"`
		Family    string         `json:"family"`
		Bytes     int            `json:"bytes"`
		Offset    int64          `json:"offset"`
		MeterTime string         `json:"meter_time,omitempty"`
		Meter     jsonMeter      `json:"meter"`
		Records   []jsonRecord   `json:"records"`
		Values    jsonValues     `json:"values"`
	}
	jsonMeter struct {
		Make   string `json:"make"`
		Serial string `json:"serial"`
		Model  string `json:"model"`
		List   string `json:"list"`
	}
	// jsonRecord has value and unit, or text, or time; a stamped value has time too. A line without a code has its label, where it
	// has one, and its text.
	jsonRecord struct {
		OBIS  string  `json:"obis,omitempty"`
		Label string  `json:"label,omitempty"`
		Value *string `json:"value,omitempty"`
		Unit  *string `json:"unit,omitempty"`
		Text  *string `json:"text,omitempty"`
		Time  string  `json:"time,omitempty"`
	}
	jsonDamaged struct {
		OK       bool           `json:"ok"`
		File     string         `json:"file,omitempty"`
		Protocol meter.Protocol `json:"protocol"`
		Bytes    int            `json:"bytes"`
		Offset   int64          `json:"offset"`
		Error    string         `json:"error"`
	}
)

// jsonValues is an object in the order of the samples.
type jsonValues []quantity.Sample

func (v jsonValues) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i := range v {
		text, err := json.Marshal(sampleText(&v[i]))
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), v[i].ID.String()...), `":`...)
		b = append(b, text...)
	}
	return append(b, '}'), nil
}

// sampleText is a quantity as it is published.
func sampleText(s *quantity.Sample) string {
	if !s.ID.Row().Numeric() {
		return textOf(s.Text)
	}
	return string(s.Value.AppendFixed(nil, s.Decimals()))
}

// newJSON writes an object a line.
func newJSON(p *cli.Program) printer {
	e := json.NewEncoder(safetext.JSON{W: p.Out})
	e.SetEscapeHTML(false)
	file := ""
	return printer{
		file: func(name string) error { file = name; return nil },
		reading: func(r *meter.Reading) error {
			o := readingOf(r)
			o.File = file
			return e.Encode(o)
		},
		damaged: func(t *meter.TelegramError) error {
			return e.Encode(jsonDamaged{File: file, Protocol: t.Protocol, Bytes: t.Bytes, Offset: t.Offset, Error: t.Err.Error()})
		},
	}
}

func readingOf(r *meter.Reading) jsonReading {
	o := jsonReading{
		OK: true, Protocol: r.Protocol, Family: r.Family, Bytes: r.Bytes, Offset: r.Offset,
		Meter:   jsonMeter{Make: r.Meter.Make, Serial: r.Meter.Serial, Model: r.Meter.Model, List: r.Meter.List},
		Records: make([]jsonRecord, len(r.Records)), Values: r.Samples,
	}
	if !r.Time.IsZero() {
		o.MeterTime = r.Time.String()
	}
	for i := range r.Records {
		o.Records[i] = recordOf(&r.Records[i])
	}
	return o
}

func recordOf(r *obis.Record) jsonRecord {
	if r.Kind == obis.Line {
		label, line := r.SplitLine()
		text := textOf(line)
		return jsonRecord{Label: textOf(label), Text: &text}
	}
	o := jsonRecord{OBIS: r.Code.String()}
	if !r.Time.IsZero() {
		o.Time = r.Time.String()
	}
	switch r.Kind {
	case obis.Number:
		value, unit := r.Value.String(), r.Unit.String()
		o.Value, o.Unit = &value, &unit
	case obis.Text, obis.Empty, obis.Line:
		text := textOf(r.Text)
		o.Text = &text
	case obis.Clock: // it is its time
	}
	return o
}

// textOf returns the text that a meter sent, which may have several lines; bytes that are no text in hexadecimal.
func textOf(b []byte) string {
	if utf8.Valid(b) && !bytes.ContainsFunc(b, func(r rune) bool { return !unicode.IsPrint(r) && r != '\r' && r != '\n' && r != '\t' }) {
		return string(b)
	}
	return hex.EncodeToString(b)
}
