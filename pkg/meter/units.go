package meter

import (
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// exponents are the powers of ten of values that come without scaler and unit: what the make's papers say, since the wire
// does not. Currents have one of several, which rise.
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

// expected returns the exponent that a meter says its currents have, by its type or, where listed, by the list without codes in
// which they are.
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
// no two agree, so that its own size tells; what currents are worth, the power tells. listed tells that the list had no codes
// of its own.
func (d *Decoder) addUnits(f *family, listed bool) {
	b := bareNumbers{d: d, exponents: f.exponents()}
	records := d.reading.Records
	for i := range records {
		if row := d.bare(i, &records[i]); row != nil {
			b.add(i, row)
		}
	}
	if b.currents == 0 {
		return
	}
	d.scaling.meet(&d.reading)
	exp, ok := d.scaling.current(&b.load, b.exponents.currents, b.volts, f.expected(&d.reading, listed))
	if !ok && b.flows {
		return // as sent, without a unit: a wrong current is worse than none
	}
	for i := range records {
		if row := d.bare(i, &records[i]); row != nil && row.Measures[0].Base == obis.Ampere {
			records[i].Unit, records[i].Value.Exp = obis.Ampere, exp
		}
	}
}

// bareNumbers gives units to the numbers of one telegram, all but its currents, and collects what tells of these.
type bareNumbers struct {
	d         *Decoder
	exponents *exponents
	load      load
	volts     int8 // the exponent of the voltages
	known     bool // it is
	looked    bool // it was asked for
	currents  int
	flows     bool // one of the currents is not 0
}

// add takes record i, whose row is given.
func (b *bareNumbers) add(i int, row *quantity.Row) {
	rec := &b.d.reading.Records[i]
	switch unit := row.Measures[0].Base; unit {
	case obis.Volt:
		b.voltage(rec)
	case obis.Ampere:
		b.load.add(rec.Code, rec.Value.Coef)
		b.currents++
		b.flows = b.flows || rec.Value.Coef != 0
	case obis.WattHour, obis.VarHour:
		rec.Unit, rec.Value.Exp = unit, b.exponents.energy
	case obis.None, obis.Count:
		if row.Decimals > 0 {
			rec.Value.Exp = b.exponents.factor
		}
	default:
		b.load.add(rec.Code, rec.Value.Coef)
		rec.Unit = unit
	}
}

func (b *bareNumbers) voltage(rec *obis.Record) {
	if !b.looked {
		b.volts, b.known = b.d.voltExponent(b.d.reading.Records)
		b.looked = true
	}
	if !b.known {
		rec.Kind = obis.Empty // a wrong voltage is worse than none
		return
	}
	b.load.add(rec.Code, rec.Value.Coef)
	rec.Unit, rec.Value.Exp = obis.Volt, b.volts
}

// bare returns the row of record i where it is a number that came without a unit, else nil. Limits of current are left
// as they are: no paper says in what these are sent.
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

// voltExponent finds the exponent that makes the highest voltage of the telegram that of a grid: 90 to 500 V between two
// conductors. Meters send V, tenths, hundredths (Kamstrup on Bornholm) or thousandths. All phases share it: one that has
// failed is 0.
func (d *Decoder) voltExponent(records []obis.Record) (exp int8, known bool) {
	const least, most = 90, 500
	var highest int64
	for i := range records {
		if row := d.bare(i, &records[i]); row != nil && row.Measures[0].Base == obis.Volt {
			highest = max(highest, records[i].Value.Coef)
		}
	}
	if highest == 0 {
		return 0, true
	}
	for unit := int64(1); unit <= 1000; unit *= 10 {
		if highest >= least*unit && highest <= most*unit {
			return exp, true
		}
		exp--
	}
	return 0, false
}
