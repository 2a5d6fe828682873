package render

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// csvRows prints a line for each quantity, as it is published, and for each record that no quantity tells: the telegram's number in the
// input, the meter's clock, name or code, value and unit. A table of values has no place for what is none: of damage it complains.
type csvRows struct {
	telegrams int
	begun     bool
	name      string // of the file, before a complaint
	unmapped  []*obis.Record
	first     []byte // columns of all lines of a telegram
	field     []byte
}

const csvHead = "telegram,meter_time,name,value,unit\n"

func (c *csvRows) file(dst []byte, name string) []byte {
	c.name = name + ": "
	return dst
}

func (c *csvRows) damaged(dst []byte, e *meter.TelegramError) ([]byte, string) {
	c.telegrams++
	return dst, fmt.Sprintf("%stelegram %d is %s: %v", c.name, c.telegrams, stateOf(e), e)
}

func (c *csvRows) reading(dst []byte, r *meter.Reading) []byte {
	if c.telegrams++; !c.begun {
		dst, c.begun = append(dst, csvHead...), true
	}
	c.first = append(strconv.AppendInt(c.first[:0], int64(c.telegrams), 10), ',')
	if !r.Time.IsZero() {
		c.first = r.Time.Append(c.first)
	}
	c.first = append(c.first, ',')
	for i := range r.Samples {
		s := &r.Samples[i]
		dst = append(append(append(dst, c.first...), s.ID.String()...), ',')
		dst = c.append(dst, appendSample(c.field[:0], s), ',')
		dst = append(append(dst, s.Measure().Unit...), '\n')
	}
	c.unmapped = appendUnmapped(c.unmapped[:0], r)
	for _, rec := range c.unmapped {
		dst = c.append(append(dst, c.first...), appendName(c.field[:0], rec), ',')
		dst = c.append(dst, appendValue(c.field[:0], rec), ',')
		dst = append(append(dst, rec.Unit.String()...), '\n')
	}
	return dst
}

// append appends a field (RFC 4180) and what ends it. The field is kept, for its memory.
func (c *csvRows) append(dst, field []byte, end byte) []byte {
	c.field = field
	if bytes.ContainsAny(field, ",\"\r\n") || bytes.HasPrefix(field, []byte{' '}) || string(field) == `\.` { // as encoding/csv
		return append(append(append(append(dst, '"'), bytes.ReplaceAll(field, []byte(`"`), []byte(`""`))...), '"'), end)
	}
	return append(append(dst, field...), end)
}
