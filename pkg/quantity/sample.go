package quantity

import "github.com/hanbridge/hanbridge/pkg/obis"

// A Sample is one quantity of one telegram, in the unit in which it is published.
type Sample struct {
	ID ID
	// As is the index of the unit in the row's Measures.
	As uint8
	// Value is in the published unit. For a quantity that is text it is zero.
	Value obis.Decimal
	// Text is the value of a quantity that is text. It belongs to the telegram: copy it to keep it.
	Text []byte
	// Time is the meter's stamp on the value, zero for most.
	Time obis.Time
}

// Measure returns the sample's unit; the zero Measure for text.
func (s *Sample) Measure() Measure {
	row := s.ID.Row()
	if !row.Numeric() {
		return Measure{}
	}
	return row.Measures[s.As]
}

// Decimals returns with how many decimals the value is published: the row's, or those that the meter sent.
func (s *Sample) Decimals() int {
	if d := s.ID.Row().Decimals; d != AsSent {
		return int(d)
	}
	return min(max(0, -int(s.Value.Exp)), MaxDecimals)
}

// AppendSamples appends the quantities that the records of one telegram hold, in their order, and then what follows
// from them (net power, sums of tariffs). A record whose unit does not suit its row is left out: a number in the wrong
// unit is worse than none. Of a code sent twice the first counts. Nothing is allocated when dst has room for every row.
func AppendSamples(dst []Sample, records []obis.Record) []Sample {
	start := len(dst)
	var at positions
	for i := range records {
		r := &records[i]
		id, ok := Of(r.Code)
		if !ok || at[id] != 0 && at[id] != unusable {
			continue
		}
		s, ok := sampleOf(id, r)
		if !ok {
			at[id] = unusable
			continue
		}
		dst = append(dst, s)
		at[id] = uint8(len(dst) - start)
	}
	return derive(dst, start, &at)
}

// positions holds for each row 1 + the index of its sample: 0 for one that was not sent, unusable for one that was sent
// without a value.
type positions [256]uint8

const unusable = 255

func sampleOf(id ID, r *obis.Record) (Sample, bool) {
	row := &rows[id]
	if !row.Numeric() {
		return Sample{ID: id, Text: r.Text, Time: r.Time}, r.Kind == obis.Text
	}
	if r.Kind != obis.Number {
		return Sample{}, false
	}
	for i := range row.Measures {
		if m := &row.Measures[i]; m.Base == r.Unit {
			return Sample{ID: id, As: uint8(i), Value: r.Value.Shift(-m.Prefix), Time: r.Time}, true
		}
	}
	return Sample{}, false
}
