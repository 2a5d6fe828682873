package meter

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/p1"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// errDigits: a number in a telegram without a checksum is damaged.
var errDigits = errors.New("p1: a number with characters that are no digits, in a telegram without checksum")

// convertTexts converts a text to a Number if its code is the code of a numeric quantity. Package p1 returns a number without a unit, such as a
// count, as a text. In a telegram without a checksum, another text with such a code is an error, because it is probably a damaged number. A
// number in an unknown unit remains a text, and gives no sample.
func (d *Decoder) convertTexts() error {
	r := &d.reading
	hasEnergies := false // the telegram has energies that are texts
	for i := range r.Records {
		rec := &r.Records[i]
		if rec.Kind != obis.Text {
			continue
		}
		hasEnergies = hasEnergies || rec.Code[3] == energyGroupD
		id, ok := d.converter.ByCode(i, rec.Code)
		if !ok || !id.Row().Numeric() {
			continue
		}
		v, err := obis.ParseDecimal(rec.Text)
		unknownUnit := false
		if err != nil { // package p1 leaves a number with an unknown unit as a text, such as 1.5*GWh
			var digits []byte
			digits, _, unknownUnit = bytes.Cut(rec.Text, []byte("*"))
			v, err = obis.ParseDecimal(bytes.TrimSpace(digits))
		}
		severalValues := bytes.IndexByte(rec.Text, '(') >= 0
		switch {
		case err == nil && unknownUnit: // remains a text
		case err == nil:
			rec.Kind, rec.Value = obis.Number, v
		case !r.Checked && !severalValues && !p1.IsPlaceholder(rec.Text):
			return fmt.Errorf("%w: %v(%s)", errDigits, rec.Code, rec.Text)
		}
	}
	if hasEnergies {
		d.addKilowattHours()
	}
	return nil
}

// energyGroupD is value group D of energies: C.8.E (IEC 62056-6-1).
const energyGroupD = 8

// addKilowattHours gives energies without a unit the unit kWh or kvarh. In readouts of IEC 62056-21 these two units are optional, and meters of
// Hager do not send them. If an energy of the telegram has a unit, the unit of the other energies is not known, and addKilowattHours does nothing.
func (d *Decoder) addKilowattHours() {
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

// energyUnit returns the unit of an active or a reactive energy, of any tariff. ok is false for other codes.
func energyUnit(c obis.Code) (unit obis.Unit, ok bool) {
	const tariffGroup = 4
	c[tariffGroup] = 0
	id, ok := quantity.ByCode(c)
	if !ok || c[3] != energyGroupD {
		return obis.None, false
	}
	return id.Row().Units[0].Base, true
}
