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
// count, as a text. If a text with the code of a numeric quantity is not a number, and the telegram has no checksum, the error is errDigits,
// because the text is probably a damaged number. Placeholders and texts with several values are not errors. A number in an unknown unit remains a
// text, and gives no sample.
func (d *Decoder) convertTexts() error {
	r := &d.reading
	hasEnergies := false // an energy is a text, so it has no unit that package p1 knows
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
		if err != nil { // the text is possibly a number with blanks around it, or with a unit that package p1 does not know, such as 1.5*GWh
			var digits []byte
			digits, _, unknownUnit = bytes.Cut(rec.Text, []byte("*"))
			v, err = obis.ParseDecimal(bytes.TrimSpace(digits))
		}
		severalValues := bytes.IndexByte(rec.Text, '(') >= 0 // package p1 keeps several values in their parentheses
		switch {
		case err == nil && unknownUnit: // remains a text
		case err == nil:
			rec.Kind, rec.Value = obis.Number, v
		case !r.Checked && !severalValues && !p1.IsPlaceholder(rec.Text):
			return fmt.Errorf("%w: %v(%s)", errDigits, rec.Code, rec.Text)
		}
	}
	if hasEnergies {
		d.setMissingEnergyUnits()
	}
	return nil
}

// energyGroupD is value group D of energies: C.8.E (IEC 62056-6-1).
const energyGroupD = 8

// setMissingEnergyUnits gives energies without a unit the unit kWh or kvarh. In readouts of IEC 62056-21 these two units are optional, and meters of
// Hager do not send them. If an energy of the telegram has a unit, the meter does send units, so a missing unit does not mean kWh. Then
// setMissingEnergyUnits changes nothing.
func (d *Decoder) setMissingEnergyUnits() {
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

// energyUnit returns the unit without a prefix, Wh or varh, of an active or a reactive energy of any tariff. ok is false for other codes.
func energyUnit(c obis.Code) (unit obis.Unit, ok bool) {
	const groupE = 4
	c[groupE] = 0
	id, ok := quantity.ByCode(c)
	if !ok || c[3] != energyGroupD {
		return obis.None, false
	}
	return id.Row().Units[0].Base, true
}
