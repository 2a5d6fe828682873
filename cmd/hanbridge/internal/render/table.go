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

// table prints for people: the values by the names of their quantities, then the records that are mapped to no quantity.
type table struct {
	unmapped []*obis.Record
	// text holds the names and values of all rows of one telegram. cells holds the end of each name and value in text.
	text   []byte
	cells  []int
	blanks []byte // the padding between name and value
}

func (t *table) file(dst []byte, name string) []byte {
	return append(append(dst, safetext.Escape(name)...), ":\n"...)
}

func (t *table) damaged(dst []byte, e *meter.TelegramError) ([]byte, string) {
	return fmt.Appendf(dst, "%s: %s\n", describeError(e), safetext.Escape(e.Error())), ""
}

// describeError says in one or two words why a telegram gave no reading.
func describeError(e *meter.TelegramError) string {
	switch {
	case errors.As(e, new(*dlms.EncryptedError)):
		return "encrypted"
	case e.Intact, errors.As(e, new(*meter.LayoutError)): // a damaged telegram would not hold a whole list
		return "not understood"
	}
	return "damaged"
}

func (t *table) reading(dst []byte, r *meter.Reading) []byte {
	t.text, t.cells = t.text[:0], t.cells[:0]
	for i := range r.Samples {
		s := &r.Samples[i]
		t.cell(append(t.text, s.ID.String()...))
		t.cell(append(append(appendSample(t.text, s), ' '), s.Unit().Symbol...))
	}
	t.unmapped = appendUnmapped(t.unmapped[:0], r)
	for _, rec := range t.unmapped {
		t.cell(appendName(t.text, rec))
		b := appendValue(t.text, rec)
		if rec.Kind == obis.Number {
			b = append(append(b, ' '), rec.Unit.String()...)
		}
		t.cell(b)
	}
	return t.layOut(headline(dst, r))
}

// cell makes text, to which a name or a value was appended, the new t.text.
func (t *table) cell(text []byte) { t.text, t.cells = text, append(t.cells, len(text)) }

// layOut appends the rows with the values aligned.
func (t *table) layOut(dst []byte) []byte {
	width, start := 0, 0
	for i, end := range t.cells {
		if i%2 == 0 {
			width = max(width, utf8.RuneCount(t.text[start:end]))
		}
		start = end
	}
	for len(t.blanks) < width+2 {
		t.blanks = append(t.blanks, ' ')
	}
	start = 0
	for i := 0; i < len(t.cells); i += 2 {
		name, value := t.text[start:t.cells[i]], t.text[t.cells[i]:t.cells[i+1]]
		dst = append(append(dst, "  "...), name...)
		dst = append(dst, t.blanks[:width-utf8.RuneCount(name)+2]...)
		dst = append(bytes.TrimRight(append(dst, value...), " "), '\n')
		start = t.cells[i+1]
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
