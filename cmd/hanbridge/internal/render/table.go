package render

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"text/tabwriter"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// newTable writes for people: what was measured by its name, then what no quantity tells.
func newTable(p *cli.Program) printer {
	return printer{
		file: func(name string) error {
			_, err := fmt.Fprintf(p.Out, "%s:\n", safetext.Visible(name))
			return err
		},
		reading: func(r *meter.Reading) error { return writeTable(p.Out, r) },
		damaged: func(e *meter.TelegramError) error {
			_, err := fmt.Fprintf(p.Out, "%s: %s\n", stateOf(e), safetext.Visible(e.Error()))
			return err
		},
	}
}

// stateOf is what became of a telegram that gave no reading.
func stateOf(e *meter.TelegramError) string {
	switch {
	case errors.As(e, new(*dlms.LockedError)):
		return "encrypted"
	case e.Sound, errors.As(e, new(*meter.LayoutError)): // damage makes no whole list
		return "not understood"
	}
	return "damaged"
}

func writeTable(out io.Writer, r *meter.Reading) error {
	var text bytes.Buffer
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s", headline(r))
	for i := range r.Samples {
		s := &r.Samples[i]
		fmt.Fprintf(w, "  %s\t%s %s\n", s.ID, inOneLine(sampleText(s)), s.Measure().Unit)
	}
	for _, rec := range unmapped(r) {
		name, text := recordText(rec)
		fmt.Fprintf(w, "  %s\t%s\n", name, text)
	}
	_ = w.Flush() // into memory
	_, err := safetext.Lines{W: out}.Write(trailingBlanks.ReplaceAll(text.Bytes(), nil))
	return err
}

// trailingBlanks stand where a value has no unit, or a text is empty.
var trailingBlanks = regexp.MustCompile(`(?m) +$`)

func headline(r *meter.Reading) string {
	line := fmt.Sprintf("%s, %d bytes at byte %d", r.Protocol, r.Bytes, r.Offset)
	for _, text := range []string{r.Meter.Make, r.Meter.Model, r.Meter.List, r.Meter.Serial} {
		if text != "" {
			line += ", " + safetext.Visible(text)
		}
	}
	if !r.Time.IsZero() {
		line += ", " + r.Time.String()
	}
	return line + "\n"
}

// unmapped are the records that no quantity tells: without a code that a row of the table has, without a value that suits it, or
// behind another of the same code.
func unmapped(r *meter.Reading) (out []*obis.Record) {
	published := map[quantity.ID]bool{}
	for i := range r.Samples {
		s := &r.Samples[i]
		shown := s.ID.Row().Numeric() || len(s.Text) > 0 // a text that nobody can read is published as none
		published[s.ID] = published[s.ID] || !s.Derived && shown
	}
	for i := range r.Records {
		rec := &r.Records[i]
		id, ok := quantity.Of(rec.Code)
		if ok && rec.Kind == obis.Text && len(rec.Text) == 0 {
			continue
		}
		if ok && published[id] && suits(rec, id.Row()) && !yields(rec, id, r.Records[i+1:]) {
			published[id] = false
			continue
		}
		out = append(out, rec)
	}
	return out
}

// yields tells if a record has a code that stands in for another, and one with the quantity's own code follows.
func yields(rec *obis.Record, id quantity.ID, behind []obis.Record) bool {
	own := func(c obis.Code) bool { return slices.Contains(id.Row().Codes, c.CDE()) }
	return !own(rec.Code) && slices.ContainsFunc(behind, func(r obis.Record) bool {
		other, ok := quantity.Of(r.Code)
		return ok && other == id && own(r.Code) && suits(&r, id.Row())
	})
}

// suits tells if a record has a value in a unit of the row.
func suits(rec *obis.Record, row *quantity.Row) bool {
	if !row.Numeric() {
		return rec.Kind != obis.Empty
	}
	return rec.Kind == obis.Number && slices.ContainsFunc(row.Measures, func(m quantity.Measure) bool { return m.Base == rec.Unit })
}

// recordText is what stands for a record's name, its code or its label, and its value with its unit, whatever kind it is.
func recordText(r *obis.Record) (name, text string) {
	switch name = r.Code.String(); r.Kind {
	case obis.Number:
		return name, r.Value.String() + " " + r.Unit.String()
	case obis.Clock:
		return name, r.Time.String()
	case obis.Line:
		label, text := r.SplitLine()
		return textOf(label), inOneLine(textOf(text))
	default:
		return name, inOneLine(textOf(r.Text))
	}
}

// inOneLine is a text with blanks in place of the ends of its lines and of tabs.
func inOneLine(text string) string { return lineEnds.ReplaceAllString(text, " ") }

var lineEnds = regexp.MustCompile(`[\r\n\t]+`)

// newCSV writes a line for each quantity, as it is published, and for each record that no quantity tells: the telegram's
// number in the input, the meter's clock, name or code, value and unit. A table of values has no place for what is none:
// damage is told on the side.
func newCSV(p *cli.Program) printer {
	w := csv.NewWriter(p.Out)
	_ = w.Write([]string{"telegram", "meter_time", "name", "value", "unit"}) // kept in memory until Flush
	telegrams, file := 0, ""
	return printer{
		file: func(name string) error { file = name + ": "; return nil },
		reading: func(r *meter.Reading) error {
			telegrams++
			for _, row := range csvRows(telegrams, r) {
				for i := range row {
					row[i] = safetext.Visible(row[i])
				}
				if err := w.Write(row); err != nil {
					return err
				}
			}
			w.Flush()
			return w.Error()
		},
		damaged: func(e *meter.TelegramError) error {
			telegrams++
			p.Complain("%stelegram %d is %s: %v", file, telegrams, stateOf(e), e)
			return nil
		},
	}
}

func csvRows(telegram int, r *meter.Reading) (rows [][]string) {
	number, clock := strconv.Itoa(telegram), ""
	if !r.Time.IsZero() {
		clock = r.Time.String()
	}
	for i := range r.Samples {
		s := &r.Samples[i]
		rows = append(rows, []string{number, clock, s.ID.String(), inOneLine(sampleText(s)), s.Measure().Unit})
	}
	for _, rec := range unmapped(r) {
		name, value := recordText(rec)
		if rec.Kind == obis.Number {
			value = rec.Value.String()
		}
		rows = append(rows, []string{number, clock, name, value, rec.Unit.String()})
	}
	return rows
}
