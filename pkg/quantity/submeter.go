package quantity

import (
	"bytes"
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// Codes of a sub-meter on channel n, 0-n:C.D.E (DSMR P1 5.0.2, 6.12; e-MUCS 1.7): groups C, D and E. A sub-meter can be on any channel.
var (
	deviceCode    = [3]byte{24, 1, 0} // the device type
	valueCode     = [3]byte{24, 2, 1} // the last value; some heat meters send a volume here
	oldValueCode  = [3]byte{24, 2, 0} // the last value of XMX meters of DSMR 2.2
	rawVolumeCode = [3]byte{24, 2, 3} // a volume that is not corrected to standard temperature
	heatCode      = [3]byte{24, 2, 5} // the energy of heat meters that send a volume as 24.2.1
)

// A deviceType is a device type of EN 13757-3. It is zero if the meter sends none. P1 telegrams contain the device type in decimal: 012 is 0x0C.
type deviceType uint8

// quantity returns the quantity of a device type. ok is false for types without a row, such as a second electricity meter.
func (d deviceType) quantity() (id ID, ok bool) {
	switch d {
	case 0x03:
		return Gas, true
	case 0x07, 0x16: // water, cold water
		return Water, true
	case 0x06, 0x15: // warm water, hot water
		return Water, true
	case 0x04, 0x0C, 0x0D: // heat at the outlet, at the inlet, heat and cooling
		return ThermalEnergy, true
	case 0x0A, 0x0B: // cooling at the outlet, at the inlet
		return CoolingEnergy, true
	}
	return 0, false
}

// isWarmWater reports whether d is a meter of warm or hot water.
func (d deviceType) isWarmWater() bool { return d == 0x06 || d == 0x15 }

// readDeviceType reads the type from a text such as "003" or "3", or from a number. It returns 0 if the value is no whole number from 0 to 255.
func readDeviceType(r *obis.Record) deviceType {
	v := r.Value
	if r.Kind == obis.Text {
		v, _ = obis.ParseDecimal(bytes.TrimSpace(r.Text))
	}
	if v.Exp != 0 || v.Coef < 0 || v.Coef > 255 {
		return 0
	}
	return deviceType(v.Coef)
}

// channels is one more than 15, the highest channel that is read. Meters use only channels 1 to 4. submeters.values has a bit for each channel up to 15.
const channels = 16

// isSubmeter reports whether c is a code of a sub-meter.
func isSubmeter(c obis.Code) bool {
	return c[0] == 0 && c[2] == deviceCode[0] && c[1] > 0 && c[1] < channels && c[5] == obis.Any
}

// isSubmeterValue reports whether c is the code of a sub-meter's value. c must be a code of a sub-meter. heatCode does not count as a value here.
func isSubmeterValue(c obis.Code) bool {
	cde := c.CDE()
	return cde == valueCode || cde == rawVolumeCode || cde == oldValueCode
}

// submeters describes the channels of one telegram.
type submeters struct {
	devices   [channels]deviceType
	values    uint16 // a bit for each channel with a value: see isSubmeterValue
	heat      uint16 // a bit for each channel with the energy of a heat meter: see heatCode
	coldWater bool   // a channel has a device type of cold water
}

// add sets s from the records of a telegram.
func (s *submeters) add(records []obis.Record) {
	for i := range records {
		r := &records[i]
		switch {
		case !isSubmeter(r.Code):
		case isSubmeterValue(r.Code):
			s.values |= 1 << r.Code[1]
		case r.Code.CDE() == heatCode:
			s.heat |= 1 << r.Code[1]
		case r.Code.CDE() == deviceCode:
			d := readDeviceType(r)
			s.devices[r.Code[1]] = d
			id, ok := d.quantity()
			s.coldWater = s.coldWater || ok && id == Water && !d.isWarmWater()
		}
	}
}

// quantity returns the quantity of the value in r: the quantity of the channel's device type. If the channel has no device type, the value is
// gas under three conditions: the telegram has no other value of a sub-meter; the channel sends no heat energy; the volume is not corrected
// to standard temperature, or has a time stamp without a zone, as in DSMR 2.2. ok is false if r is not a value of a sub-meter, or if its quantity
// is not known. ok is also false for warm water if the telegram has a device type of cold water.
func (s *submeters) quantity(r *obis.Record) (id ID, ok bool) {
	channel, isHeat := r.Code[1], r.Code.CDE() == heatCode
	if !isSubmeter(r.Code) || !isSubmeterValue(r.Code) && !isHeat {
		return 0, false
	}
	d := s.devices[channel]
	if isHeat {
		id, ok := d.quantity()
		return id, ok && (id == ThermalEnergy || id == CoolingEnergy)
	}
	if d == 0 {
		isOnlyValue := s.values&(s.values-1) == 0 // at most one bit is set
		sendsHeat := s.heat>>channel&1 != 0
		stampWithoutZone := !r.Time.IsZero() && !r.Time.Zone
		return Gas, isOnlyValue && !sendsHeat && (r.Code.CDE() == rawVolumeCode || stampWithoutZone)
	}
	if d.isWarmWater() && s.coldWater {
		return 0, false
	}
	return d.quantity()
}

// appendSubmeters appends one sample for each quantity that sub-meters send.
func appendSubmeters(dst []Sample, records []obis.Record, scale *Scale) []Sample {
	var s submeters
	s.add(records)
	start := len(dst)
	for i := range records {
		r := &records[i]
		id, ok := s.quantity(r)
		if !ok || neverSet(r.Time) {
			continue
		}
		sample := Sample{ID: id, Time: r.Time}
		if sample.setRecord(r, scale) {
			dst = addOrReplace(dst, start, sample)
		}
	}
	return dst
}

// neverSet reports whether a time stamp is older than any meter with a customer port. Meters send such a time stamp before they have read the
// sub-meter for the first time.
func neverSet(t obis.Time) bool { return !t.IsZero() && t.Year < 2005 }

// addOrReplace appends a sample to dst. If dst[start:] already has a sample of the same quantity, s replaces that sample if s is more than a day
// newer, and is dropped otherwise. So a new sub-meter replaces a removed sub-meter, whose last value the meter goes on to send with its old time
// stamp. If two sub-meters are in use, dst keeps the sample of the first sub-meter, because their time stamps are less than a day apart.
func addOrReplace(dst []Sample, start int, s Sample) []Sample {
	for i := start; i < len(dst); i++ {
		if dst[i].ID != s.ID {
			continue
		}
		if muchNewer(s.Time, dst[i].Time) {
			dst[i] = s
		}
		return dst
	}
	return append(dst, s)
}

// muchNewer reports whether t is more than a day after other. The zero Time is never much newer. Any other time is much newer
// than the zero Time.
func muchNewer(t, other obis.Time) bool {
	if t.IsZero() || other.IsZero() {
		return !t.IsZero()
	}
	return t.Time(time.UTC).Sub(other.Time(time.UTC)) > 24*time.Hour
}
