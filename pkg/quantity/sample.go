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
	// Derived is true if the meter did not send the value. It was then computed from other values of the telegram.
	Derived bool
	// Value is the number in the published unit. It is zero for a text.
	Value obis.Decimal
	// Text is the value of a quantity that is a text, in UTF-8. It refers to memory of the telegram or of the Converter. It is valid until
	// the next call of AppendSamples.
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

// Decimals returns the number of decimals with which to publish the value. It is Row.Decimals, or, if that is AsSent, the number of
// decimals that the meter sent, at most 3.
func (s *Sample) Decimals() int {
	if d := s.ID.Row().Decimals; d != AsSent {
		return int(d)
	}
	return min(max(0, -int(s.Value.Exp)), maxDecimals)
}

// AppendSamples appends the samples of one telegram to dst, and returns the result. The samples of the meter come first, in the order of
// the records. Next are the samples of sub-meters, and last the derived values (net power, sums of tariffs). Numbers are multiplied by
// scale before other values are derived from them. A nil scale changes nothing.
//
// A record whose unit is not in Row.Units gives no sample, because a number in the wrong unit is worse than none. If several records are of the
// same quantity, only the first usable record gives a sample. But a record with a main code (Row.Codes) replaces an earlier record with a fallback
// code of the row.
// AppendSamples allocates nothing if dst has room for Count more samples.
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
		if p := at[id]; p != 0 && p != unusable { // an earlier record gave a sample of this quantity
			replacement := Sample{ID: id, Time: r.Time}
			if replacesFallback(id, r.Code, records[:i]) && replacement.setRecord(r, scale) {
				c.readableText(&replacement)
				dst[start+int(p)-1] = replacement
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

// readableText makes the text of a sample readable. It does nothing if the sample is a number.
func (c *Converter) readableText(s *Sample) {
	switch row := &rows[s.ID]; {
	case row.isMessage:
		s.Text = c.message(s.Text)
	case !row.Numeric():
		if c.HexText {
			s.Text = bytes.TrimSpace(s.Text) // some ASCII telegrams have blanks inside the parentheses
		}
		s.Text = c.textOrHex(s.Text)
	}
}

// replacesFallback reports whether c is one of the main codes of the row of id, and the earlier records have only fallback codes of that row.
func replacesFallback(id ID, c obis.Code, earlier []obis.Record) bool {
	codes := rows[id].Codes
	return slices.Contains(codes, c.CDE()) && !slices.ContainsFunc(earlier, func(r obis.Record) bool {
		other, ok := ByCode(r.Code)
		return ok && other == id && slices.Contains(codes, r.Code.CDE())
	})
}

// A sampleIndex has an entry for each ID: 1 + the index of its sample. The entry is 0 if the meter did not send the quantity, and unusable
// if the meter sent the quantity without a value that fits its row.
type sampleIndex [256]uint8

const unusable = 255

// setRecord sets the value of a sample from a record. s.ID must be set. setRecord returns false if the record has no value that fits the
// row of s.ID.
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
		if unit := &row.Units[i]; unit.Base == r.Unit {
			s.UnitIndex, s.Value = uint8(i), r.Value.Shift(-unit.Prefix)
			if scale == nil && row.maxMagnitude.Coef == 0 {
				return true
			}
			return s.setNumber(r.Value, unit, row.maxMagnitude, scale)
		}
	}
	return false
}

// setNumber sets the value to v, multiplied by scale and converted to unit. It returns false if the magnitude is larger than limit. A limit
// of 0 means no limit.
func (s *Sample) setNumber(v obis.Decimal, unit *Unit, limit obis.Decimal, scale *Scale) bool {
	ok := true
	if scale != nil {
		v, ok = scale.apply(s.ID, v)
	}
	if limit.Coef != 0 {
		ok = ok && v.Cmp(limit) <= 0 && v.Cmp(limit.Neg()) >= 0
	}
	s.Value = v.Shift(-unit.Prefix)
	return ok
}

// textOf returns the text of a record. It removes zero bytes at the end, except from a text that begins with a control character or a space,
// because such a text is possibly a binary value. A number from 0 to 9 becomes a digit, because meters with binary telegrams send tariff and
// breaker as numbers. ok is false for other numbers and for records without a text.
func textOf(r *obis.Record) (text []byte, ok bool) {
	v := r.Value
	if r.Kind == obis.Number && v.Exp == 0 && v.Coef >= 0 && v.Coef < int64(len(decimalDigits)) {
		return decimalDigits[v.Coef : v.Coef+1], true
	}
	text = r.Text
	if len(text) > 0 && text[0] > ' ' {
		text = bytes.TrimRight(text, "\x00")
	}
	return text, r.Kind == obis.Text
}

// decimalDigits are the texts of the numbers 0 to 9, so that they need no allocation.
var decimalDigits = []byte("0123456789")

// A Converter turns the records of one meter into samples. It caches the quantity of each record, because a meter sends the same codes in each
// telegram. Without the cache, decoding takes 6 to 9 % longer (BenchmarkDecode of pkg/meter). The zero Converter is ready to use. A Converter is
// not safe for concurrent use.
type Converter struct {
	// HexText is true if the records are those of an ASCII telegram. ASCII telegrams contain messages as hexadecimal digits.
	HexText bool
	// MeanCurrents is true if this meter sends a mean current with code 31.4.0, and not the limit of the fuse.
	MeanCurrents bool

	cache      [cachedRecords]cachedID
	messageBuf []byte // text of a message
	lineBuf    []byte // hexadecimal digits of a message, without line ends
	textBuf    []byte // other texts that were converted to or from hexadecimal
}

// cachedRecords is the number of records whose ID the Converter caches. It looks up the IDs of further records in each telegram.
const cachedRecords = 96

// A cachedID is the result of ByCode for a code.
type cachedID struct {
	code obis.Code
	id   ID
	ok   bool
}

// ByCode returns the same values as the function ByCode. i is the index of the record in its telegram. The method is faster than the function if
// record i of the previous telegram had the same code.
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

// A Scale has a factor for each ID. A number that the meter sends is multiplied by its factor before other values are derived from the
// number. A Scale is for meters that are connected to current or voltage transformers and do not apply the ratio of the transformers. A
// zero factor means 1. A nil *Scale changes nothing.
type Scale [256]obis.Decimal

// apply returns v multiplied by the factor of id. ok is false if the product overflows.
func (s *Scale) apply(id ID, v obis.Decimal) (scaled obis.Decimal, ok bool) {
	if s[id].Coef == 0 {
		return v, true
	}
	return v.Mul(s[id])
}

// ParseFactor reads a factor of a Scale: a decimal number above 0, with a point. The text of the error tells the user what to write.
func ParseFactor(text string) (obis.Decimal, error) {
	factor, err := obis.ParseDecimal([]byte(text))
	if err != nil || factor.Sign() <= 0 {
		return obis.Decimal{}, fmt.Errorf("%q is not a factor: write a decimal number above 0 with a point, such as 0.1, 10 or 60", text)
	}
	return factor, nil
}
