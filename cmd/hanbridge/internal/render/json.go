package render

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// jsonLines is the printer of JSON. It prints one object on one line for each telegram, in the same form as encoding/json.
type jsonLines struct {
	name string // name of the file; "" if there is only one file
}

func (j *jsonLines) file(dst []byte, name string) []byte {
	j.name = name
	return dst
}

// appendMember appends a comma and a member of an object. The value of the member is a string.
func appendMember(dst []byte, name, value string) []byte {
	dst = append(append(append(dst, `,"`...), name...), `":`...)
	return appendString(dst, value)
}

// appendOptional appends the same as appendMember, or nothing if the value is empty.
func appendOptional(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	return appendMember(dst, name, value)
}

func (j *jsonLines) reading(dst []byte, r *meter.Reading) []byte {
	dst = appendOptional(append(dst, `{"ok":true`...), "file", j.name)
	dst = appendMember(dst, "protocol", string(r.Protocol))
	dst = appendMember(dst, "family", r.Family)
	dst = appendPosition(dst, r.Bytes, r.Offset)
	if !r.Time.IsZero() {
		dst = append(r.Time.Append(append(dst, `,"meter_time":"`...)), '"')
	}
	m := &r.Meter
	dst = appendString(append(dst, `,"meter":{"make":`...), m.Make)
	dst = appendMember(appendMember(appendMember(dst, "serial", m.Serial), "model", m.Model), "list", m.List)
	dst = append(dst, `},"records":[`...)
	for i := range r.Records {
		dst = append(appendRecord(dst, &r.Records[i]), ',')
	}
	dst = append(trimComma(dst), `],"values":{`...)
	for i := range r.Samples {
		s := &r.Samples[i]
		dst = append(append(append(dst, '"'), s.ID.String()...), `":`...)
		if s.ID.Row().Numeric() {
			dst = append(s.Value.AppendFixed(append(dst, '"'), s.Decimals()), `",`...)
		} else {
			dst = append(appendString(dst, textOf(s.Text)), ',')
		}
	}
	return append(trimComma(dst), "}}\n"...)
}

func (j *jsonLines) rejected(dst []byte, e *meter.TelegramError) ([]byte, string) {
	dst = appendOptional(append(dst, `{"ok":false`...), "file", j.name)
	dst = appendPosition(appendMember(dst, "protocol", string(e.Protocol)), e.Bytes, e.Offset)
	return append(appendMember(dst, "error", e.Err.Error()), "}\n"...), ""
}

// appendPosition appends the length of a telegram and its offset in the input, both in bytes.
func appendPosition(dst []byte, length int, offset int64) []byte {
	dst = strconv.AppendInt(append(dst, `,"bytes":`...), int64(length), 10)
	return strconv.AppendInt(append(dst, `,"offset":`...), offset, 10)
}

// trimComma removes a comma at the end.
func trimComma(b []byte) []byte { return bytes.TrimSuffix(b, []byte{','}) }

// appendRecord appends the JSON object of a record. The object has the OBIS code, and the value with its unit, or the text. It has the time
// if the record has a time. For a line without an OBIS code, the object has only the text, and the label if there is one.
func appendRecord(dst []byte, r *obis.Record) []byte {
	if r.Kind == obis.Line {
		label, text := r.SplitLine()
		dst = append(dst, '{')
		if len(label) > 0 {
			dst = append(appendString(append(dst, `"label":`...), textOf(label)), ',')
		}
		return append(appendString(append(dst, `"text":`...), textOf(text)), '}')
	}
	dst = append(r.Code.Append(append(dst, `{"obis":"`...)), '"')
	switch r.Kind {
	case obis.Number:
		dst = append(r.Value.Append(append(dst, `,"value":"`...)), `","unit":"`...)
		dst = append(append(dst, r.Unit.String()...), '"')
	case obis.Text, obis.Empty, obis.Line: // a Line was appended above
		dst = appendMember(dst, "text", textOf(r.Text))
	case obis.Clock: // its value is the time, which is appended below
	}
	if !r.Time.IsZero() {
		dst = append(r.Time.Append(append(dst, `,"time":"`...)), '"')
	}
	return append(dst, '}')
}

// appendString appends s as a JSON string. It escapes characters that can control a terminal.
func appendString(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return appendEscaped(dst, s)
		}
	}
	return append(append(append(dst, '"'), s...), '"')
}

// appendEscaped appends s as a JSON string that needs escapes.
func appendEscaped(dst []byte, s string) []byte {
	var text bytes.Buffer
	e := json.NewEncoder(safetext.JSONWriter{W: &text})
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // encoding a string into memory cannot fail
	return append(dst, bytes.TrimSuffix(text.Bytes(), []byte{'\n'})...)
}
