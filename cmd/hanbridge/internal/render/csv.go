package render

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// csvRows prints CSV: a line for each published value, and a line for each record that is mapped to no quantity. The columns are the number
// of the telegram in the input, the meter's time, the name or the OBIS code, value and unit. A telegram without a reading gives a message on
// standard error, since a line could not describe it.
type csvRows struct {
	telegrams   int
	headPrinted bool
	name        string // "FILE: ", which begins a message; "" if there is one file
	unmapped    []*obis.Record
	prefix      []byte // the first two columns, which all lines of a telegram share
	field       []byte // memory for one field
}

// csvHead is the line of column names.
const csvHead = "telegram,meter_time,name,value,unit\n"

func (c *csvRows) file(dst []byte, name string) []byte {
	c.name = name + ": "
	return dst
}

func (c *csvRows) damaged(dst []byte, e *meter.TelegramError) ([]byte, string) {
	c.telegrams++
	return dst, fmt.Sprintf("%stelegram %d is %s: %v", c.name, c.telegrams, describeError(e), e)
}

func (c *csvRows) reading(dst []byte, r *meter.Reading) []byte {
	if c.telegrams++; !c.headPrinted {
		dst, c.headPrinted = append(dst, csvHead...), true
	}
	c.prefix = append(strconv.AppendInt(c.prefix[:0], int64(c.telegrams), 10), ',')
	if !r.Time.IsZero() {
		c.prefix = r.Time.Append(c.prefix)
	}
	c.prefix = append(c.prefix, ',')
	for i := range r.Samples {
		s := &r.Samples[i]
		dst = append(append(append(dst, c.prefix...), s.ID.String()...), ',')
		dst = c.append(dst, appendSample(c.field[:0], s), ',')
		dst = append(append(dst, s.Unit().Symbol...), '\n')
	}
	c.unmapped = appendUnmapped(c.unmapped[:0], r)
	for _, rec := range c.unmapped {
		dst = c.append(append(dst, c.prefix...), appendName(c.field[:0], rec), ',')
		dst = c.append(dst, appendValue(c.field[:0], rec), ',')
		dst = append(append(dst, rec.Unit.String()...), '\n')
	}
	return dst
}

// append appends a field, quoted as in RFC 4180 if necessary, and the byte that ends it. It keeps the memory of field for the next one.
func (c *csvRows) append(dst, field []byte, end byte) []byte {
	c.field = field
	if bytes.ContainsAny(field, ",\"\r\n") || bytes.HasPrefix(field, []byte{' '}) || string(field) == `\.` { // the same fields as encoding/csv quotes
		return append(append(append(append(dst, '"'), bytes.ReplaceAll(field, []byte(`"`), []byte(`""`))...), '"'), end)
	}
	return append(append(dst, field...), end)
}
