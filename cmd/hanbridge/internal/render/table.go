package render

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// table is the printer of text for people. It prints the published values with the names of their quantities, then the records without a
// published value.
type table struct {
	unmapped []*obis.Record // the records of a telegram without a published value
	text     []byte         // the names and values of all rows of one telegram: name, value, name, value …
	cellEnds []int          // where each name and each value ends in text
	blanks   []byte         // memory for the spaces between a name and its value
}

func (t *table) file(dst []byte, name string) []byte {
	return append(append(dst, safetext.Escape(name)...), ":\n"...)
}

func (t *table) rejected(dst []byte, e *meter.TelegramError) ([]byte, string) {
	return fmt.Appendf(dst, "%s: %s\n", describeError(e), safetext.Escape(e.Error())), ""
}

// describeError says in one or two words why a telegram gave no reading.
func describeError(e *meter.TelegramError) string {
	switch {
	case errors.As(e, new(*dlms.EncryptedError)):
		return "encrypted"
	case e.Intact, errors.As(e, new(*meter.LayoutError)): // a telegram with a LayoutError is intact: its list was read to the end
		return "not understood"
	}
	return "damaged"
}

func (t *table) reading(dst []byte, r *meter.Reading) []byte {
	t.text, t.cellEnds = t.text[:0], t.cellEnds[:0]
	for i := range r.Samples {
		s := &r.Samples[i]
		t.setText(append(t.text, s.ID.String()...))
		t.setText(append(append(appendSample(t.text, s), ' '), s.Unit().Symbol...))
	}
	t.unmapped = appendUnmapped(t.unmapped[:0], r)
	for _, rec := range t.unmapped {
		t.setText(appendName(t.text, rec))
		b := appendValue(t.text, rec)
		if rec.Kind == obis.Number {
			b = append(append(b, ' '), rec.Unit.String()...)
		}
		t.setText(b)
	}
	return t.layOut(headline(dst, r))
}

// setText sets t.text to text, to which the caller has appended one name or one value, and stores where the name or value ends.
func (t *table) setText(text []byte) { t.text, t.cellEnds = text, append(t.cellEnds, len(text)) }

// layOut appends the rows. The values begin in the same column.
func (t *table) layOut(dst []byte) []byte {
	width, start := 0, 0
	for i, end := range t.cellEnds {
		if i%2 == 0 { // a name
			width = max(width, utf8.RuneCount(t.text[start:end]))
		}
		start = end
	}
	for len(t.blanks) < width+2 {
		t.blanks = append(t.blanks, ' ')
	}
	start = 0
	for i := 0; i < len(t.cellEnds); i += 2 {
		name, value := t.text[start:t.cellEnds[i]], t.text[t.cellEnds[i]:t.cellEnds[i+1]]
		dst = append(append(dst, "  "...), name...)
		dst = append(dst, t.blanks[:width-utf8.RuneCount(name)+2]...)
		dst = append(bytes.TrimRight(append(dst, value...), " "), '\n')
		start = t.cellEnds[i+1]
	}
	return dst
}

// headline appends the first line about a telegram: protocol, length, offset, meter and time.
func headline(dst []byte, r *meter.Reading) []byte {
	dst = strconv.AppendInt(append(append(dst, r.Protocol...), ", "...), int64(r.Bytes), 10)
	dst = strconv.AppendInt(append(dst, " bytes at byte "...), r.Offset, 10)
	for _, text := range [...]string{r.Meter.Make, r.Meter.Model, r.Meter.List, r.Meter.Serial} {
		if text != "" {
			dst = append(append(dst, ", "...), safetext.Escape(text)...)
		}
	}
	if !r.Time.IsZero() {
		dst = r.Time.Append(append(dst, ", "...))
	}
	return append(dst, '\n')
}
