package meter

import (
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// exponents are the powers of ten of values without scaler, as the make's papers say. Currents have one of several, which rise.
type exponents struct {
	energy, factor int8
	currents       []int8
}

var (
	// usual is what Iskraemeco and Sagemcom send: Wh, thousandths, 0.01 A.
	usual = exponents{energy: 0, factor: -3, currents: []int8{-2}}
	// unknown is for makes that nobody has named: currents may be those of any make.
	unknown = exponents{energy: 0, factor: -3, currents: []int8{-3, -2, 0}}
)

// exponents returns those of a make, which may be nil.
func (f *family) exponents() *exponents {
	switch {
	case f == nil:
		return &unknown
	case f.units == nil:
		return &usual
	}
	return f.units
}

// expected returns the exponent that a meter says its currents have, by its type or, where listed, by its list without codes.
func (f *family) expected(r *Reading, listed bool) expectation {
	e := f.exponents()
	switch {
	case len(e.currents) == 1:
		return expectation{e.currents[0], true}
	case listed:
		return expectation{-2, true} // every layout: Kaifa, whose lists are in mA, has no other
	case f != nil && f.expect != nil:
		return f.expect(r)
	}
	return expectation{}
}

// addUnits gives units to the numbers that came without. Every make sends power in W and energy as exponents say; of voltage
// and frequency no two agree, so that their own size tells; what currents are worth, the power tells. listed tells that the list
// had no codes of its own.
func (d *Decoder) addUnits(f *family, listed bool) {
	b := bareNumbers{exponents: f.exponents()}
	records := d.reading.Records
	for i := range records {
		if row := d.bare(i, &records[i]); row != nil {
			b.add(i, &records[i], row)
		}
	}
	volts := b.scaleVoltages(records)
	if b.currents.count == 0 {
		return
	}
	d.scaling.meet(&d.reading)
	flow := b.load.flow(volts)
	exp, ok := d.scaling.Exponent, d.scaling.confirmed(&b.load, &flow)
	if !ok {
		exp, ok = d.scaling.current(&b.load, &flow, b.exponents.currents, f.expected(&d.reading, listed))
	}
	if ok || b.currents.highest == 0 { // else as sent, without a unit: a wrong current is worse than none
		b.currents.scale(records, obis.Ampere, exp)
	}
}

// bareNumbers gives units to the numbers of one telegram, all but voltages and currents, which it collects with what tells of these.
type bareNumbers struct {
	exponents          *exponents
	load               load
	voltages, currents alike
}

// add takes record i, whose row is given.
func (b *bareNumbers) add(i int, rec *obis.Record, row *quantity.Row) {
	switch unit := row.Measures[0].Base; unit {
	case obis.Volt:
		b.voltages.add(i, rec.Value.Coef)
		b.load.add(rec.Code, rec.Value.Coef)
	case obis.Ampere:
		b.currents.add(i, rec.Value.Coef)
		b.load.add(rec.Code, rec.Value.Coef)
	case obis.WattHour, obis.VarHour:
		rec.Unit, rec.Value.Exp = unit, b.exponents.energy
	case obis.None, obis.Count:
		if row.Decimals > 0 {
			b.factor(rec)
		}
	case obis.Hertz:
		exp, known := magnitude(rec.Value.Coef, 40, 70)
		if rec.Unit, rec.Value.Exp = unit, exp; !known {
			rec.Kind = obis.Empty
		}
	default:
		b.load.add(rec.Code, rec.Value.Coef)
		rec.Unit = unit
	}
}

// alike are the numbers of a telegram that share an exponent: where they are in the records.
type alike struct {
	at      [8]uint16 // three phases, a neutral, and as many sent twice
	count   int
	highest int64
}

// add notes a number. What is more than there can be stays as sent, without a unit.
func (a *alike) add(i int, value int64) {
	if a.count == len(a.at) {
		return
	}
	a.at[a.count] = uint16(i)
	a.count++
	a.highest = max(a.highest, value, -value)
}

func (a *alike) scale(records []obis.Record, unit obis.Unit, exp int8) {
	for _, i := range a.at[:a.count] {
		records[i].Unit, records[i].Value.Exp = unit, exp
	}
}

// factor scales a power factor. One above 1 has other digits than the papers of the make say, and so is none.
func (b *bareNumbers) factor(rec *obis.Record) {
	rec.Value.Exp = b.exponents.factor
	if one := power10(-rec.Value.Exp); rec.Value.Coef > one || rec.Value.Coef < -one {
		rec.Kind = obis.Empty
	}
}

// scaleVoltages finds the exponent that makes the highest voltage of the telegram that of a grid: 90 to 500 V between two
// conductors. Meters send V, tenths, hundredths (Kamstrup on Bornholm) or thousandths. All phases share it: one that has
// failed is 0. It returns the exponent; where there is none, the voltages are left out, and nothing is known of them.
func (b *bareNumbers) scaleVoltages(records []obis.Record) (exp int8) {
	const least, most = 90, 500
	v := &b.voltages
	if v.highest > 0 {
		known := false
		if exp, known = magnitude(v.highest, least, most); !known {
			for _, i := range v.at[:v.count] {
				records[i].Kind = obis.Empty // a wrong voltage is worse than none
			}
			b.load.volts = [4]int64{}
		}
	}
	v.scale(records, obis.Volt, exp)
	return exp
}

// bare returns the row of record i where it is a number without a unit, else nil. No paper says in what limits of current are sent.
func (d *Decoder) bare(i int, rec *obis.Record) *quantity.Row {
	if rec.Kind != obis.Number || rec.Unit != obis.None {
		return nil
	}
	id, ok := d.finder.Of(i, rec.Code)
	if !ok || !id.Row().Numeric() || id.Row().Measures[0].Base == obis.Ampere && id.Row().Diagnostic {
		return nil
	}
	return id.Row()
}

// magnitude finds the exponent, of 0 to -3, that brings a number between least and most, of which most is less than ten times
// least: it tells what a number is worth that does not vary much.
func magnitude(value, least, most int64) (exp int8, known bool) {
	for unit := int64(1); unit <= 1000; unit *= 10 {
		if value >= least*unit && value <= most*unit {
			return exp, true
		}
		exp--
	}
	return 0, false
}
