package render

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// csvRows is the printer of CSV. It prints a line for each published value, then a line for each record without a published value. The columns
// are the number of the telegram, the meter's time, the name or the OBIS code, the value and the unit. Telegrams are counted over all files. A
// telegram without a reading has no line, but a message on standard error.
type csvRows struct {
	telegrams     int // number of telegrams so far
	headerPrinted bool
	messagePrefix string         // "FILE: "; "" if there is only one file
	unmapped      []*obis.Record // the records of a telegram without a published value
	firstColumns  []byte         // the first two columns, which all lines of a telegram share
	field         []byte         // memory for one field
}

// csvHeader is the line of column names.
const csvHeader = "telegram,meter_time,name,value,unit\n"

func (c *csvRows) file(dst []byte, name string) []byte {
	c.messagePrefix = name + ": "
	return dst
}

func (c *csvRows) rejected(dst []byte, e *meter.TelegramError) ([]byte, string) {
	c.telegrams++
	return dst, fmt.Sprintf("%stelegram %d is %s: %v", c.messagePrefix, c.telegrams, describeError(e), e)
}

func (c *csvRows) reading(dst []byte, r *meter.Reading) []byte {
	if c.telegrams++; !c.headerPrinted {
		dst, c.headerPrinted = append(dst, csvHeader...), true
	}
	c.firstColumns = append(strconv.AppendInt(c.firstColumns[:0], int64(c.telegrams), 10), ',')
	if !r.Time.IsZero() {
		c.firstColumns = r.Time.Append(c.firstColumns)
	}
	c.firstColumns = append(c.firstColumns, ',')
	for i := range r.Samples {
		s := &r.Samples[i]
		dst = append(append(append(dst, c.firstColumns...), s.ID.String()...), ',')
		dst = c.appendField(dst, appendSample(c.field[:0], s), ',')
		dst = append(append(dst, s.Unit().Symbol...), '\n')
	}
	c.unmapped = appendUnmapped(c.unmapped[:0], r)
	for _, rec := range c.unmapped {
		dst = c.appendField(append(dst, c.firstColumns...), appendName(c.field[:0], rec), ',')
		dst = c.appendField(dst, appendValue(c.field[:0], rec), ',')
		dst = append(append(dst, rec.Unit.String()...), '\n')
	}
	return dst
}

// appendField appends a field and the byte that ends the field. It quotes the field as in RFC 4180 if necessary. The memory of field is reused
// for the next field.
func (c *csvRows) appendField(dst, field []byte, end byte) []byte {
	c.field = field
	// encoding/csv quotes the same fields.
	needsQuotes := bytes.ContainsAny(field, ",\"\r\n") || bytes.HasPrefix(field, []byte{' '}) || string(field) == `\.`
	if needsQuotes {
		return append(append(append(append(dst, '"'), bytes.ReplaceAll(field, []byte(`"`), []byte(`""`))...), '"'), end)
	}
	return append(append(dst, field...), end)
}
