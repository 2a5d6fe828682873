package quantity

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A Sample is one quantity of one telegram, in the unit in which it is published.
type Sample struct {
	ID ID
	// UnitIndex is the index of the unit in the row's Units.
	UnitIndex uint8
	// Derived marks what the meter did not send: it follows from other samples of the telegram.
	Derived bool
	// Value is in the published unit. For a quantity that is text it is zero.
	Value obis.Decimal
	// Text is the value of a quantity that is text. It belongs to the telegram and its Converter: copy it to keep it.
	Text []byte
	// Time is the meter's stamp on the value, zero for most.
	Time obis.Time
}

// Unit returns the sample's unit; the zero Unit for text.
func (s *Sample) Unit() Unit {
	row := s.ID.Row()
	if !row.Numeric() {
		return Unit{}
	}
	return row.Units[s.UnitIndex]
}

// Decimals returns with how many decimals the value is published: the row's, or those that the meter sent.
func (s *Sample) Decimals() int {
	if d := s.ID.Row().Decimals; d != AsSent {
		return int(d)
	}
	return min(max(0, -int(s.Value.Exp)), maxDecimals)
}

// AppendSamples appends the quantities that the records of one telegram hold, in their order, then those of the sub-meters,
// and then what follows from them (net power, sums of tariffs). What is sent is multiplied by scale, which may be nil. A
// record whose unit does not suit its row is left out: a number in the wrong unit is worse than none. Of a code sent twice
// the first counts, but for a code that stands in for another. Nothing is allocated when dst has room for every row.
func (f *Converter) AppendSamples(dst []Sample, records []obis.Record, scale *Scale) []Sample {
	start := len(dst)
	f.textBuf = f.textBuf[:0]
	var at sampleIndex
	var more extraTariffs
	others := false
	for i := range records {
		r := &records[i]
		id, ok := f.ByCode(i, r.Code)
		if !ok {
			others = others || isSubmeter(r.Code)
			more.add(r)
			continue
		}
		if p := at[id]; p != 0 && p != unusable {
			if next := (Sample{ID: id, Time: r.Time}); replacesFallback(id, r.Code, records[:i]) && next.setRecord(r, scale) {
				f.readableText(&next)
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
			f.readableText(&dst[n])
		}
		at[id] = uint8(n + 1 - start)
	}
	if others {
		dst = appendSubmeters(dst, records, scale)
	}
	dst = derive(dst, start, &at, &more, scale)
	return f.dropMeanCurrent(dst, start, &at, records)
}

// spell makes of the text of a sample what people read; a number stays.
func (f *Converter) readableText(s *Sample) {
	switch row := &rows[s.ID]; {
	case row.hexText:
		s.Text = f.message(s.Text)
	case !row.Numeric():
		if f.HexText {
			s.Text = bytes.TrimSpace(s.Text) // blanks in a bracket
		}
		s.Text = f.textOrHex(s.Text)
	}
}

// prefers tells if a record has the code of a row, and those before had one that stands in for it.
func replacesFallback(id ID, c obis.Code, before []obis.Record) bool {
	codes := rows[id].Codes
	return slices.Contains(codes, c.CDE()) && !slices.ContainsFunc(before, func(r obis.Record) bool {
		other, ok := ByCode(r.Code)
		return ok && other == id && slices.Contains(codes, r.Code.CDE())
	})
}

// positions holds 1 + the index of its sample for each row: 0 for none, unusable for one that was sent without a value.
type sampleIndex [256]uint8

const unusable = 255

// fill sets the value of a sample that has its ID; false where the record has none that suits the row.
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

// set scales a value and gives it the prefix of its unit; false where it is more than can be.
func (s *Sample) setNumber(v obis.Decimal, m *Unit, most obis.Decimal, scale *Scale) bool {
	ok := true
	if scale != nil {
		v, ok = scale.apply(s.ID, v)
	}
	if most.Coef != 0 {
		ok = ok && v.Cmp(most) <= 0 && v.Cmp(most.Neg()) >= 0
	}
	s.Value = v.Shift(-m.Prefix)
	return ok
}

// textOf returns the text of a record, without zeros that fill it up. Binary meters send tariff and breaker as small numbers.
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

// figures are the texts of small numbers, so that these need no memory.
var decimalDigits = []byte("0123456789")

// A Converter makes samples of the records of one meter. It remembers which quantity stands at which place of a telegram, since a meter
// sends the same list again and again: without that, decoding takes 6 to 9 % longer (BenchmarkDecode of pkg/meter). The zero
// Converter is ready. It is not safe for concurrent use.
type Converter struct {
	// HexText tells that the records are those of an ASCII telegram, where a text for people comes as hexadecimal digits.
	HexText bool
	// MeanCurrents tells that the meter sends the mean currents of a period where others send the limits of their fuses.
	MeanCurrents bool

	cache      [cachedRecords]cachedID
	messageBuf []byte // the text of a message
	lineBuf    []byte // a message in hexadecimal without the ends of its lines
	textBuf    []byte // texts that nobody can read, in hexadecimal, and such that were
}

// places is how many records of a telegram are remembered; the few behind them are looked up each time.
const cachedRecords = 96

type cachedID struct {
	code obis.Code
	id   ID
	ok   bool
}

// ByCode returns what the function ByCode does for the code of record i.
func (f *Converter) ByCode(i int, c obis.Code) (ID, bool) {
	if uint(i) >= cachedRecords {
		return ByCode(c)
	}
	p := &f.cache[i]
	if p.code != c {
		p.code = c
		p.id, p.ok = ByCode(c)
	}
	return p.id, p.ok
}

// A Scale holds a factor for each ID, by which what the meter sends is multiplied before anything is derived from it: the
// ratio of the transformers that the meter leaves out. A zero factor is 1. A nil Scale changes nothing.
type Scale [256]obis.Decimal

// apply returns v multiplied by the factor of id; ok is false when the product does not fit.
func (s *Scale) apply(id ID, v obis.Decimal) (scaled obis.Decimal, ok bool) {
	if s[id].Coef == 0 {
		return v, true
	}
	return v.Mul(s[id])
}

// ParseFactor reads a factor of a Scale: a decimal number above 0.
func ParseFactor(text string) (obis.Decimal, error) {
	factor, err := obis.ParseDecimal([]byte(text))
	if err != nil || factor.Sign() <= 0 {
		return obis.Decimal{}, fmt.Errorf("%q is not a factor: write a decimal number above 0 with a point, such as 0.1, 10 or 60", text)
	}
	return factor, nil
}
