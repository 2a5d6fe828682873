package render

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// appendUnmapped appends the records of a reading that gave no published value. The code of such a record belongs to no quantity, or its unit
// is not a unit of the quantity, or another record gave the value of the quantity.
func appendUnmapped(dst []*obis.Record, r *meter.Reading) []*obis.Record {
	var published [256]bool // by quantity.ID: a value is published, and its record was not yet found
	for i := range r.Samples {
		s := &r.Samples[i]
		hasContent := s.ID.Row().Numeric() || len(s.Text) > 0 // an unreadable text is published as an empty text
		published[s.ID] = published[s.ID] || !s.Derived && hasContent
	}
	for i := range r.Records {
		rec := &r.Records[i]
		id, ok := quantity.ByCode(rec.Code)
		if ok && rec.Kind == obis.Text && len(rec.Text) == 0 {
			continue // an empty text shows nothing
		}
		if ok && published[id] && hasUnitOf(rec, id.Row()) && !isSuperseded(rec, id, r.Records[i+1:]) {
			published[id] = false
			continue
		}
		dst = append(dst, rec)
	}
	return dst
}

// isSuperseded reports whether the value of a quantity is from a later record. This is so if rec has a fallback code, which is not in
// quantity.Row.Codes, and a record in following has a code in quantity.Row.Codes and a unit of the quantity.
func isSuperseded(rec *obis.Record, id quantity.ID, following []obis.Record) bool {
	isMainCode := func(c obis.Code) bool { return slices.Contains(id.Row().Codes, c.CDE()) }
	if isMainCode(rec.Code) {
		return false
	}
	for i := range following {
		if other, ok := quantity.ByCode(following[i].Code); ok && other == id && isMainCode(following[i].Code) && hasUnitOf(&following[i], id.Row()) {
			return true
		}
	}
	return false
}

// hasUnitOf reports whether a record has a value in a unit of the quantity. For a quantity that is a text, it reports whether the
// record is not empty.
func hasUnitOf(rec *obis.Record, row *quantity.Row) bool {
	if !row.Numeric() {
		return rec.Kind != obis.Empty
	}
	return rec.Kind == obis.Number && slices.ContainsFunc(row.Units, func(u quantity.Unit) bool { return u.Base == rec.Unit })
}

// appendSample appends a value as it is published. A text is on one line.
func appendSample(dst []byte, s *quantity.Sample) []byte {
	if s.ID.Row().Numeric() {
		return s.Value.AppendFixed(dst, s.Decimals())
	}
	return appendText(dst, s.Text)
}

// appendName appends the OBIS code of a record, or the label of a line without a code.
func appendName(dst []byte, r *obis.Record) []byte {
	if r.Kind == obis.Line {
		label, _ := r.SplitLine()
		return appendText(dst, label)
	}
	return r.Code.Append(dst)
}

// appendValue appends the value of a record without its unit.
func appendValue(dst []byte, r *obis.Record) []byte {
	switch r.Kind {
	case obis.Number:
		return r.Value.Append(dst)
	case obis.Clock:
		return r.Time.Append(dst)
	case obis.Line:
		_, text := r.SplitLine()
		return appendText(dst, text)
	default:
		return appendText(dst, r.Text)
	}
}

// appendText appends a text on one line. Line ends and tabs become a space.
func appendText(dst, b []byte) []byte {
	if isPlain(b) {
		return append(dst, b...)
	}
	isBreak := func(r rune) bool { return strings.ContainsRune("\r\n\t", r) }
	return append(dst, strings.Join(strings.FieldsFunc(textOf(b), isBreak), " ")...)
}

// isPlain reports whether a text is printable ASCII.
func isPlain(b []byte) bool {
	return !bytes.ContainsFunc(b, func(r rune) bool { return r < ' ' || r > '~' })
}

// textOf returns b as a string if b is printable text of one or more lines. Otherwise it returns b as hexadecimal digits.
func textOf(b []byte) string {
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) && r != '\r' && r != '\n' && r != '\t' }
	if isPlain(b) || utf8.Valid(b) && !bytes.ContainsFunc(b, unprintable) {
		return string(b)
	}
	return hex.EncodeToString(b)
}
