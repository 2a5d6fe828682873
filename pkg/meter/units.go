package meter

import (
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// exponents are the powers of ten of values that come without scaler and unit: what the make's papers say, since the wire
// does not.
type exponents struct{ energy, current, factor int8 }

// usual is what Landis+Gyr, Iskraemeco and Sagemcom send: Wh, 0.01 A, thousandths.
var usual = exponents{energy: 0, current: -2, factor: -3}

// addUnits gives units to the numbers that came without. Every make sends power in W and energy as exponents say; of voltage
// no two agree, so that its own size tells.
func (d *Decoder) addUnits(f *family) {
	e := &usual
	if f != nil && f.units != nil {
		e = f.units
	}
	records := d.reading.Records
	volts, known, looked := int8(0), false, false
	for i := range records {
		rec := &records[i]
		row := d.bare(i, rec)
		if row == nil {
			continue
		}
		switch unit := row.Measures[0].Base; unit {
		case obis.Volt:
			if !looked {
				volts, known = d.voltExponent(records)
				looked = true
			}
			if rec.Unit, rec.Value.Exp = unit, volts; !known {
				rec.Kind = obis.Empty // a wrong voltage is worse than none
			}
		case obis.Ampere:
			rec.Unit, rec.Value.Exp = unit, e.current
		case obis.WattHour, obis.VarHour:
			rec.Unit, rec.Value.Exp = unit, e.energy
		case obis.None, obis.Count:
			if row.Decimals > 0 {
				rec.Value.Exp = e.factor
			}
		default:
			rec.Unit = unit
		}
	}
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
