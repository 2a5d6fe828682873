package quantity

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A Sample is the value of one quantity in one telegram, in its published unit.
type Sample struct {
	ID ID
	// UnitIndex is the index of the value's unit in the Units of the row.
	UnitIndex uint8
	// Derived is true for a value that the meter did not send, but that was computed from others of the telegram.
	Derived bool
	// Value is the number in the published unit. It is zero for a text.
	Value obis.Decimal
	// Text is the value of a quantity that is a text, in UTF-8. It is a part of the telegram or of the Converter's buffer, and valid until
	// the next call of AppendSamples: copy it to keep it.
	Text []byte
	// Time is the meter's time stamp of the value. Most values have none.
	Time obis.Time
}

// Unit returns the unit of the value. For a text it is the zero Unit.
func (s *Sample) Unit() Unit {
	row := s.ID.Row()
	if !row.Numeric() {
		return Unit{}
	}
	return row.Units[s.UnitIndex]
}

// Decimals returns the number of decimals with which to publish the value: that of the row, or that of the meter if the row says AsSent.
func (s *Sample) Decimals() int {
	if d := s.ID.Row().Decimals; d != AsSent {
		return int(d)
	}
	return min(max(0, -int(s.Value.Exp)), maxDecimals)
}

// AppendSamples appends the samples of one telegram to dst, and returns the result. The order is: the records in theirs, sub-meters, then
// values derived from them (net power, sums of tariffs). Numbers are multiplied by scale before anything is derived; scale may be nil.
//
// A record is left out if its unit is not one of its quantity, because a number in the wrong unit is worse than none. If a quantity is sent
// twice, the first record counts; one with a fallback code counts only if none with a main code follows. Nothing is allocated if dst has
// room for Count more samples.
func (c *Converter) AppendSamples(dst []Sample, records []obis.Record, scale *Scale) []Sample {
	start := len(dst)
	c.textBuf = c.textBuf[:0]
	var at sampleIndex
	var extra extraTariffs
	hasSubmeters := false
	for i := range records {
		r := &records[i]
		id, ok := c.ByCode(i, r.Code)
		if !ok {
			hasSubmeters = hasSubmeters || isSubmeter(r.Code)
			extra.add(r)
			continue
		}
		if p := at[id]; p != 0 && p != unusable {
			if next := (Sample{ID: id, Time: r.Time}); replacesFallback(id, r.Code, records[:i]) && next.setRecord(r, scale) {
				c.readableText(&next)
				dst[start+int(p)-1] = next
			}
			continue
		}
		n := len(dst)
		dst = append(dst, Sample{ID: id, Time: r.Time})
		if !dst[n].setRecord(r, scale) {
			dst, at[id] = dst[:n], unusable
			continue
		}
		if dst[n].Text != nil {
			c.readableText(&dst[n])
		}
		at[id] = uint8(n + 1 - start)
	}
	if hasSubmeters {
		dst = appendSubmeters(dst, records, scale)
	}
	dst = derive(dst, start, &at, &extra, scale)
	return c.dropMeanCurrent(dst, start, &at, records)
}

// readableText replaces the text of a sample by one that people can read. A number stays as it is.
func (c *Converter) readableText(s *Sample) {
	switch row := &rows[s.ID]; {
	case row.hexText:
		s.Text = c.message(s.Text)
	case !row.Numeric():
		if c.HexText {
			s.Text = bytes.TrimSpace(s.Text) // blanks inside the parentheses
		}
		s.Text = c.textOrHex(s.Text)
	}
}

// replacesFallback reports whether c is one of the main codes of a row, and the records before it had only fallback codes of that row.
func replacesFallback(id ID, c obis.Code, before []obis.Record) bool {
	codes := rows[id].Codes
	return slices.Contains(codes, c.CDE()) && !slices.ContainsFunc(before, func(r obis.Record) bool {
		other, ok := ByCode(r.Code)
		return ok && other == id && slices.Contains(codes, r.Code.CDE())
	})
}

// A sampleIndex holds, for each ID, 1 + the index of its sample. It is 0 if the quantity was not sent, and unusable if it was sent without a
// usable value.
type sampleIndex [256]uint8

const unusable = 255

// setRecord sets the value of a sample, whose ID is set, from a record. It returns false if the record has no value that fits the row.
func (s *Sample) setRecord(r *obis.Record, scale *Scale) bool {
	row := &rows[s.ID]
	if !row.Numeric() {
		text, ok := textOf(r)
		s.Text = text
		return ok
	}
	if r.Kind != obis.Number {
		return false
	}
	for i := range row.Units {
		if m := &row.Units[i]; m.Base == r.Unit {
			s.UnitIndex, s.Value = uint8(i), r.Value.Shift(-m.Prefix)
			return scale == nil && row.maxMagnitude.Coef == 0 || s.setNumber(r.Value, m, row.maxMagnitude, scale)
		}
	}
	return false
}

// setNumber sets the value from v, multiplied by scale, in unit m. It returns false if the magnitude is larger than limit.
func (s *Sample) setNumber(v obis.Decimal, m *Unit, limit obis.Decimal, scale *Scale) bool {
	ok := true
	if scale != nil {
		v, ok = scale.apply(s.ID, v)
	}
	if limit.Coef != 0 {
		ok = ok && v.Cmp(limit) <= 0 && v.Cmp(limit.Neg()) >= 0
	}
	s.Value = v.Shift(-m.Prefix)
	return ok
}

// textOf returns the text of a record, without zero bytes at its end. A small number becomes its digit, because meters with binary
// telegrams send tariff and breaker as numbers.
func textOf(r *obis.Record) ([]byte, bool) {
	v := r.Value
	if r.Kind == obis.Number && v.Exp == 0 && v.Coef >= 0 && v.Coef < int64(len(decimalDigits)) {
		return decimalDigits[v.Coef : v.Coef+1], true
	}
	text := r.Text
	if len(text) > 0 && text[0] > ' ' {
		text = bytes.TrimRight(text, "\x00")
	}
	return text, r.Kind == obis.Text
}

// decimalDigits are the texts of the numbers 0 to 9, so that they need no allocation.
var decimalDigits = []byte("0123456789")

// A Converter makes samples of the records of one meter. It remembers which quantity each record of a telegram is, because a meter sends
// the same list again and again; without that, decoding takes 6 to 9 % longer (BenchmarkDecode of pkg/meter). The zero Converter is ready
// to use. It is not safe for concurrent use.
type Converter struct {
	// HexText is set if the records are those of an ASCII telegram, which contains texts for people as hexadecimal digits.
	HexText bool
	// MeanCurrents is set if 31.4.0 is a mean current in this meter, and not the limit of the fuse.
	MeanCurrents bool

	cache      [cachedRecords]cachedID
	messageBuf []byte // text of a message
	lineBuf    []byte // hexadecimal digits of a message, without line ends
	textBuf    []byte // other texts that were converted to or from hexadecimal
}

// cachedRecords is the number of records whose ID is remembered. Any further records are looked up each time.
const cachedRecords = 96

// A cachedID is the result of ByCode for a code.
type cachedID struct {
	code obis.Code
	id   ID
	ok   bool
}

// ByCode does what the function ByCode does. It is faster if record i of the telegram before had the same code.
func (c *Converter) ByCode(i int, code obis.Code) (ID, bool) {
	if uint(i) >= cachedRecords {
		return ByCode(code)
	}
	p := &c.cache[i]
	if p.code != code {
		p.code = code
		p.id, p.ok = ByCode(code)
	}
	return p.id, p.ok
}

// A Scale holds a factor for each ID. Numbers that the meter sends are multiplied by it before anything is derived from them. It is for
// meters behind current or voltage transformers that do not apply the ratio themselves. A zero factor means 1. A nil *Scale changes nothing.
type Scale [256]obis.Decimal

// apply returns v multiplied by the factor of id. ok is false if the product overflows.
func (s *Scale) apply(id ID, v obis.Decimal) (scaled obis.Decimal, ok bool) {
	if s[id].Coef == 0 {
		return v, true
	}
	return v.Mul(s[id])
}

// ParseFactor reads a factor of a Scale: a decimal number above 0, with a point. The message of its error is for the person who wrote it.
func ParseFactor(text string) (obis.Decimal, error) {
	factor, err := obis.ParseDecimal([]byte(text))
	if err != nil || factor.Sign() <= 0 {
		return obis.Decimal{}, fmt.Errorf("%q is not a factor: write a decimal number above 0 with a point, such as 0.1, 10 or 60", text)
	}
	return factor, nil
}
