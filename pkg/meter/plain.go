package meter

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/p1"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// errDigits is for a number in a telegram that nothing vouches for.
var errDigits = errors.New("p1: a number with characters that are no digits, in a telegram without checksum")

// plainNumbers makes Numbers of the texts whose code has a row of numbers: counters are sent without a unit. In a telegram that
// nothing vouches for, one that is no number is damage; one in a unit that is not known is left out.
func (d *Decoder) plainNumbers() error {
	r := &d.reading
	energies := false
	for i := range r.Records {
		rec := &r.Records[i]
		if rec.Kind != obis.Text {
			continue
		}
		energies = energies || rec.Code[3] == energyRegister
		id, ok := d.finder.Of(i, rec.Code)
		if !ok || !id.Row().Numeric() {
			continue
		}
		v, err := obis.ParseDecimal(rec.Text)
		foreign := false
		if err != nil {
			var digits []byte
			digits, _, foreign = bytes.Cut(rec.Text, []byte("*"))
			v, err = obis.ParseDecimal(bytes.TrimSpace(digits))
		}
		switch {
		case err == nil && foreign:
		case err == nil:
			rec.Kind, rec.Value = obis.Number, v
		case !r.Checked && bytes.IndexByte(rec.Text, '(') < 0 && !p1.IsPlaceholder(rec.Text):
			return fmt.Errorf("%w: %v(%s)", errDigits, rec.Code, rec.Text)
		}
	}
	if energies {
		d.kilowattHours()
	}
	return nil
}

// energyRegister is group D of what is counted: C.8.E.
const energyRegister = 8

// kilowattHours gives its unit to energies that came without. Readouts of IEC 62056-21 may leave it out where it is kWh or
// kvarh, as meters of Hager do; powers and voltages without one stay out. A readout of that kind is a telegram none of whose
// energies has a unit: where one has, as in all P1 telegrams, one without is not understood.
func (d *Decoder) kilowattHours() {
	const kilo = 3
	records := d.reading.Records
	for i := range records {
		if _, ok := energyUnit(records[i].Code); ok && records[i].Unit != obis.None {
			return
		}
	}
	for i := range records {
		rec := &records[i]
		unit, ok := energyUnit(rec.Code)
		if !ok {
			continue
		}
		if v, err := obis.ParseDecimal(bytes.TrimSpace(rec.Text)); err == nil {
			rec.Kind, rec.Value, rec.Unit = obis.Number, v.Shift(kilo), unit
		}
	}
}

// energyUnit returns the unit of an active or a reactive energy, of any tariff; ok is false for other codes.
func energyUnit(c obis.Code) (unit obis.Unit, ok bool) {
	c[4] = 0
	id, ok := quantity.Of(c)
	if !ok || c[3] != energyRegister {
		return obis.None, false
	}
	return id.Row().Measures[0].Base, true
}
