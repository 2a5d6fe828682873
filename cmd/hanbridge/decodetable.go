package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"

	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// tablePrinter writes for people: what was measured by its name, then what no name is known for.
type tablePrinter struct{ w io.Writer }

func newTable(w io.Writer) printer { return tablePrinter{w} }

func (t tablePrinter) reading(r *meter.Reading) error {
	w := tabwriter.NewWriter(t.w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s", headline(r))
	for i := range r.Samples {
		s := &r.Samples[i]
		fmt.Fprintf(w, "  %s\t%s %s\n", s.ID, sampleText(s), s.Measure().Unit)
	}
	for i := range r.Records {
		rec := &r.Records[i]
		if _, named := quantity.Of(rec.Code); !named {
			fmt.Fprintf(w, "  %s\t%s\n", rec.Code, recordText(rec))
		}
	}
	return w.Flush()
}

func headline(r *meter.Reading) string {
	line := fmt.Sprintf("%s, %d bytes at byte %d", r.Protocol, r.Bytes, r.Offset)
	for _, text := range []string{r.Meter.Make, r.Meter.Model, r.Meter.List, r.Meter.Serial} {
		if text != "" {
			line += ", " + text
		}
	}
	if !r.Time.IsZero() {
		line += ", " + r.Time.String()
	}
	return line + "\n"
}

// recordText is a record's value with its unit, whatever kind it is.
func recordText(r *obis.Record) string {
	switch r.Kind {
	case obis.Number:
		return r.Value.String() + " " + r.Unit.String()
	case obis.Clock:
		return r.Time.String()
	default:
		return textOf(r.Text)
	}
}

func (t tablePrinter) damaged(e *meter.TelegramError) error {
	_, err := fmt.Fprintf(t.w, "damaged: %v\n", e)
	return err
}

// csvPrinter writes a line for each record: the telegram's number in the input, code, quantity where one is known, value in
// the base unit and its unit.
type csvPrinter struct {
	*csv.Writer
	telegrams int
}

func newCSV(w io.Writer) printer {
	c := &csvPrinter{Writer: csv.NewWriter(w)}
	_ = c.Write([]string{"telegram", "meter_time", "obis", "quantity", "value", "unit"}) // kept in memory until Flush
	return c
}

func (c *csvPrinter) reading(r *meter.Reading) error {
	c.telegrams++
	clock := ""
	if !r.Time.IsZero() {
		clock = r.Time.String()
	}
	for i := range r.Records {
		rec := &r.Records[i]
		name, value := "", recordText(rec)
		if id, ok := quantity.Of(rec.Code); ok {
			name = id.String()
		}
		if rec.Kind == obis.Number {
			value = rec.Value.String()
		}
		row := []string{strconv.Itoa(c.telegrams), clock, rec.Code.String(), name, value, rec.Unit.String()}
		if err := c.Write(row); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// damaged writes nothing: a table of values has no place for what is none. The exit code tells.
func (c *csvPrinter) damaged(*meter.TelegramError) error { c.telegrams++; return nil }
