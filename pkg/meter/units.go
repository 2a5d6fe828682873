package meter

import (
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// exponents are the powers of ten of values that the meters of a manufacturer send without a scaler. They are from documents of the manufacturer.
type exponents struct {
	energy, powerFactor int8
	currents            []int8 // the possible exponents of currents, in rising order; one or several
}

var (
	// usualExponents are for manufacturers such as Iskraemeco and Sagemcom: Wh, thousandths, 0.01 A.
	usualExponents = exponents{energy: 0, powerFactor: -3, currents: []int8{-2}}
	// unknownExponents are for meters whose manufacturer is not known. Their currents can have the exponent of any manufacturer.
	unknownExponents = exponents{energy: 0, powerFactor: -3, currents: []int8{-3, -2, 0}}
)

// exponentsOf returns the exponents of family f. f is nil if the family is not known.
func exponentsOf(f *family) *exponents {
	switch {
	case f == nil:
		return &unknownExponents
	case f.exponents == nil:
		return &usualExponents
	}
	return f.exponents
}

// expectedExponent returns the exponent of currents for a meter of family f. If the family uses several exponents, the exponent depends on the type
// of the meter. If byLayout is true, the meter sent a list without codes.
func (f *family) expectedExponent(r *Reading, byLayout bool) expectation {
	e := exponentsOf(f)
	switch {
	case len(e.currents) == 1:
		return expectation{e.currents[0], true}
	case byLayout:
		return expectation{-2, true} // all lists without codes have this exponent, except those of Kaifa, which is in the case above
	case f != nil && f.expect != nil:
		return f.expect(r)
	}
	return expectation{}
}

// addUnits adds units and exponents to the numbers that were sent without a unit. All makes send power in W. The exponents of energies and power
// factors depend on the make. The exponents of voltages and frequencies are found from their size, and the exponent of currents from the power.
// byLayout is true if the meter sent a list without codes.
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
	d.scaling.setMeter(&d.reading)
	products := u.measured.voltAmps(voltExp)
	exp, ok := d.scaling.Exponent, d.scaling.confirmed(&u.measured, &products)
	if !ok {
		exp, ok = d.scaling.exponent(&u.measured, &products, u.exponents.currents, f.expectedExponent(&d.reading, byLayout))
	}
	if ok || u.currents.highest == 0 { // currents of 0 are right with any exponent
		u.currents.scale(records, obis.Ampere, exp)
	}
	// Without a unit, the currents give no samples, because a wrong current is worse than none.
}

// unitAdder adds units to the numbers of one telegram. It collects voltages and currents, because their exponents are known only after all
// records were added.
type unitAdder struct {
	exponents          *exponents
	measured           measurements
	voltages, currents recordGroup
}

// add adds unit and exponent to rec, which is record i of the telegram. If rec is a voltage or a current, add collects rec instead. row is the
// quantity of the record.
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
		if row.Decimals > 0 { // a power factor; counts have no decimals
			u.scalePowerFactor(rec)
		}
	case obis.Hertz:
		const minHertz, maxHertz = 40, 70 // grids have 50 or 60 Hz
		exp, known := exponentBySize(rec.Value.Coef, minHertz, maxHertz)
		rec.Unit, rec.Value.Exp = unit, exp
		if !known {
			rec.Kind = obis.Empty
		}
	default: // a power
		u.measured.add(rec.Code, rec.Value.Coef)
		rec.Unit = unit
	}
}

// recordGroup is a group of records with the same unit and exponent: all voltages or all currents of a telegram.
type recordGroup struct {
	indexes [8]uint16 // indexes of the records: three phases and a neutral, each sent at most twice
	count   int       // number of indexes
	highest int64     // highest magnitude of a value, as sent
}

// add adds record i. It does nothing if the group is full. The record then has no unit.
func (g *recordGroup) add(i int, value int64) {
	if g.count == len(g.indexes) {
		return
	}
	g.indexes[g.count] = uint16(i)
	g.count++
	g.highest = max(g.highest, value, -value)
}

// scale sets unit and exponent of the records.
func (g *recordGroup) scale(records []obis.Record, unit obis.Unit, exp int8) {
	for _, i := range g.indexes[:g.count] {
		records[i].Unit, records[i].Value.Exp = unit, exp
	}
}

// scalePowerFactor sets the exponent of a power factor. If the magnitude of the result is larger than 1, the exponent was wrong, and the record
// becomes Empty.
func (u *unitAdder) scalePowerFactor(rec *obis.Record) {
	rec.Value.Exp = u.exponents.powerFactor
	if one := powerOfTen(-rec.Value.Exp); rec.Value.Coef > one || rec.Value.Coef < -one {
		rec.Kind = obis.Empty
	}
}

// scaleVoltages sets the exponent of all voltages of the telegram, and returns it. With this exponent, the highest voltage is between 90 and 500 V,
// as in all grids. The other voltages can be lower, because a phase can be without voltage. Meters send V, tenths, hundredths (Kamstrup on
// Bornholm) or thousandths of a V. If no exponent fits, the records of the voltages become Empty.
func (u *unitAdder) scaleVoltages(records []obis.Record) (exp int8) {
	const minVolts, maxVolts = 90, 500
	v := &u.voltages
	if v.highest > 0 {
		known := false
		if exp, known = exponentBySize(v.highest, minVolts, maxVolts); !known {
			for _, i := range v.indexes[:v.count] {
				records[i].Kind = obis.Empty // a wrong voltage is worse than none
			}
			u.measured.volts = [4]int64{} // measurements.voltAmps then uses 230 V
		}
	}
	v.scale(records, obis.Volt, exp)
	return exp
}

// rowWithoutUnit returns the quantity of record i if the record is a number without a unit. Otherwise it returns nil. It also returns nil for
// limits of currents, because no document says in which unit meters send them.
func (d *Decoder) rowWithoutUnit(i int, rec *obis.Record) *quantity.Row {
	if rec.Kind != obis.Number || rec.Unit != obis.None {
		return nil
	}
	id, ok := d.converter.ByCode(i, rec.Code)
	if !ok || !id.Row().Numeric() {
		return nil
	}
	row := id.Row()
	isCurrentLimit := row.Diagnostic && row.Units[0].Base == obis.Ampere
	if isCurrentLimit {
		return nil
	}
	return row
}

// exponentBySize returns the exponent, from 0 to -3, with which value is between lowest and highest. highest must be less than ten times
// lowest, so that at most one exponent fits. known is false if none fits.
func exponentBySize(value, lowest, highest int64) (exp int8, known bool) {
	for unit := int64(1); unit <= 1000; unit *= 10 {
		if value >= lowest*unit && value <= highest*unit {
			return exp, true
		}
		exp--
	}
	return 0, false
}
