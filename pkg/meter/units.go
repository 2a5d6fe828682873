package meter

import (
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// exponents are the powers of ten of values that a make sends without a scaler, as its documents say. Currents may have several
// exponents, which are in rising order.
type exponents struct {
	energy, powerFactor int8
	currents            []int8
}

var (
	// usualExponents are those of Iskraemeco and Sagemcom: Wh, thousandths, 0.01 A.
	usualExponents = exponents{energy: 0, powerFactor: -3, currents: []int8{-2}}
	// unknownExponents are for meters whose make is not known: currents may have the exponent of any make.
	unknownExponents = exponents{energy: 0, powerFactor: -3, currents: []int8{-3, -2, 0}}
)

// exponentsOf returns the exponents of a make. f may be nil.
func exponentsOf(f *family) *exponents {
	switch {
	case f == nil:
		return &unknownExponents
	case f.exponents == nil:
		return &usualExponents
	}
	return f.exponents
}

// expectedExponent returns the exponent of currents that a meter's type stands for, or, if byLayout is true, its list without codes.
func (f *family) expectedExponent(r *Reading, byLayout bool) expectation {
	e := exponentsOf(f)
	switch {
	case len(e.currents) == 1:
		return expectation{e.currents[0], true}
	case byLayout:
		return expectation{-2, true} // the exponent of every layout but Kaifa's, which the case above covers
	case f != nil && f.expect != nil:
		return f.expect(r)
	}
	return expectation{}
}

// addUnits gives units to the numbers that were sent without a unit. All makes send power in W, and energy with the exponent of the make. The
// exponent of voltages and frequencies follows from their size, and the exponent of currents from the power. byLayout is true if
// the list had no codes.
func (d *Decoder) addUnits(f *family, byLayout bool) {
	u := unitAdder{exponents: exponentsOf(f)}
	records := d.reading.Records
	for i := range records {
		if row := d.rowWithoutUnit(i, &records[i]); row != nil {
			u.add(i, &records[i], row)
		}
	}
	voltExp := u.scaleVoltages(records)
	if u.currents.count == 0 {
		return
	}
	d.scaling.follow(&d.reading)
	products := u.measured.voltAmps(voltExp)
	exp, ok := d.scaling.Exponent, d.scaling.confirmed(&u.measured, &products)
	if !ok {
		exp, ok = d.scaling.exponent(&u.measured, &products, u.exponents.currents, f.expectedExponent(&d.reading, byLayout))
	}
	if ok || u.currents.highest == 0 { // without an exponent, currents stay without a unit: a wrong current is worse than none
		u.currents.scale(records, obis.Ampere, exp)
	}
}

// unitAdder gives units to the numbers of one telegram. It collects voltages and currents, because their exponents are known only after all
// records were added.
type unitAdder struct {
	exponents          *exponents
	measured           measurements
	voltages, currents sameExponent
}

// add gives record i its unit if the unit and exponent are known, and otherwise collects it. row is the quantity of the record.
func (u *unitAdder) add(i int, rec *obis.Record, row *quantity.Row) {
	switch unit := row.Units[0].Base; unit {
	case obis.Volt:
		u.voltages.add(i, rec.Value.Coef)
		u.measured.add(rec.Code, rec.Value.Coef)
	case obis.Ampere:
		u.currents.add(i, rec.Value.Coef)
		u.measured.add(rec.Code, rec.Value.Coef)
	case obis.WattHour, obis.VarHour:
		rec.Unit, rec.Value.Exp = unit, u.exponents.energy
	case obis.None, obis.Count:
		if row.Decimals > 0 {
			u.scalePowerFactor(rec)
		}
	case obis.Hertz:
		exp, known := exponentBySize(rec.Value.Coef, 40, 70)
		if rec.Unit, rec.Value.Exp = unit, exp; !known {
			rec.Kind = obis.Empty
		}
	default:
		u.measured.add(rec.Code, rec.Value.Coef)
		rec.Unit = unit
	}
}

// sameExponent are the numbers of a telegram that share an exponent.
type sameExponent struct {
	indexes [8]uint16 // of their records: three phases and a neutral, each sent twice at most
	count   int
	highest int64
}

// add adds record i. If there are too many, a record stays without a unit.
func (s *sameExponent) add(i int, value int64) {
	if s.count == len(s.indexes) {
		return
	}
	s.indexes[s.count] = uint16(i)
	s.count++
	s.highest = max(s.highest, value, -value)
}

// scale sets unit and exponent of the records.
func (s *sameExponent) scale(records []obis.Record, unit obis.Unit, exp int8) {
	for _, i := range s.indexes[:s.count] {
		records[i].Unit, records[i].Value.Exp = unit, exp
	}
}

// scalePowerFactor sets the exponent of a power factor. If the power factor is then larger than 1, the record becomes empty, because the
// meter uses another exponent.
func (u *unitAdder) scalePowerFactor(rec *obis.Record) {
	rec.Value.Exp = u.exponents.powerFactor
	if one := powerOfTen(-rec.Value.Exp); rec.Value.Coef > one || rec.Value.Coef < -one {
		rec.Kind = obis.Empty
	}
}

// scaleVoltages sets the exponent of all voltages of the telegram, and returns it. The exponent is the one that brings the highest
// voltage between 90 and 500 V, as in all grids. Meters send V, tenths, hundredths (Kamstrup on Bornholm) or thousandths. A phase
// without voltage has 0. If no exponent fits, the records of the voltages become empty.
func (u *unitAdder) scaleVoltages(records []obis.Record) (exp int8) {
	const minVolts, maxVolts = 90, 500
	v := &u.voltages
	if v.highest > 0 {
		known := false
		if exp, known = exponentBySize(v.highest, minVolts, maxVolts); !known {
			for _, i := range v.indexes[:v.count] {
				records[i].Kind = obis.Empty // a wrong voltage is worse than none
			}
			u.measured.volts = [4]int64{}
		}
	}
	v.scale(records, obis.Volt, exp)
	return exp
}

// rowWithoutUnit returns the quantity of record i if it is a number without a unit, else nil. It returns nil for limits of currents
// too: no document says in which unit they are sent.
func (d *Decoder) rowWithoutUnit(i int, rec *obis.Record) *quantity.Row {
	if rec.Kind != obis.Number || rec.Unit != obis.None {
		return nil
	}
	id, ok := d.converter.ByCode(i, rec.Code)
	if !ok || !id.Row().Numeric() || id.Row().Units[0].Base == obis.Ampere && id.Row().Diagnostic {
		return nil
	}
	return id.Row()
}

// exponentBySize returns the exponent, from 0 to -3, that brings value between lowest and highest. highest must be less than ten
// times lowest, so that one exponent fits at most. known is false if none fits.
func exponentBySize(value, lowest, highest int64) (exp int8, known bool) {
	for unit := int64(1); unit <= 1000; unit *= 10 {
		if value >= lowest*unit && value <= highest*unit {
			return exp, true
		}
		exp--
	}
	return 0, false
}
