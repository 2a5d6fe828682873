package quantity

import (
	"bytes"
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A sub-meter on channel n sends its device type as 0-n:24.1.0 and its last value as 0-n:24.2.1, or as 0-n:24.2.3 if the volume is not
// corrected to standard temperature (DSMR P1 5.0.2, 6.12; e-MUCS 1.7). XMX meters of DSMR 2.2 send the value as 0-n:24.2.0. Some heat
// meters send a volume as 0-n:24.2.1 and their energy as 0-n:24.2.5. Which sub-meter is on which channel differs from house to house.
var (
	deviceCode    = [3]byte{24, 1, 0}
	valueCode     = [3]byte{24, 2, 1}
	oldValueCode  = [3]byte{24, 2, 0}
	rawVolumeCode = [3]byte{24, 2, 3}
	heatCode      = [3]byte{24, 2, 5}
)

// A deviceType is a device type of EN 13757-3, zero if the meter sends none. P1 telegrams contain it in decimal: 012 is heat.
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

func (d deviceType) isWarmWater() bool { return d == 0x06 || d == 0x15 }

// readDeviceType reads the type from a text such as "003" or "3", or from a number.
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

// channels is one more than the highest channel that is read. Meters have four.
const channels = 16

// isSubmeter reports whether the code is one of a sub-meter.
func isSubmeter(c obis.Code) bool {
	return c[0] == 0 && c[2] == deviceCode[0] && c[1] > 0 && c[1] < channels && c[5] == obis.Any
}

// isSubmeterValue reports whether the code is that of a sub-meter's value, other than the energy of a heat meter.
func isSubmeterValue(c obis.Code) bool {
	cde := c.CDE()
	return cde == valueCode || cde == rawVolumeCode || cde == oldValueCode
}

// submeters holds what a telegram contains about each channel.
type submeters struct {
	devices   [channels]deviceType
	values    uint16 // a bit for each channel with a value
	heat      uint16 // a bit for each channel with the energy of a heat meter
	coldWater bool   // a channel has a meter of cold water
}

// add collects what the records say about the channels.
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

// quantity returns the quantity of the value in r. Without a device type, the value is gas if it is the only value of a sub-meter in the
// telegram, the channel sends no heat energy, and the volume is not corrected or has a time stamp without a zone, as in DSMR 2.2. Warm
// water is left out if there is also a meter of cold water.
func (s *submeters) quantity(r *obis.Record) (id ID, ok bool) {
	heat := r.Code.CDE() == heatCode
	if !isSubmeter(r.Code) || !isSubmeterValue(r.Code) && !heat {
		return 0, false
	}
	d := s.devices[r.Code[1]]
	if id, ok := d.quantity(); heat {
		return id, ok && (id == ThermalEnergy || id == CoolingEnergy)
	}
	if d == 0 {
		onlyValue := s.values&(s.values-1) == 0
		return Gas, onlyValue && s.heat>>r.Code[1]&1 == 0 && (r.Code.CDE() == rawVolumeCode || !r.Time.IsZero() && !r.Time.Zone)
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
			dst = keepNewest(dst, start, sample)
		}
	}
	return dst
}

// neverSet reports whether a time stamp is older than all meters with a customer port: then the channel has not had a value yet.
func neverSet(t obis.Time) bool { return !t.IsZero() && t.Year < 2005 }

// keepNewest appends a sample to dst. If dst has one of the same quantity from start on, the newer of the two stays: a sub-meter that was
// replaced stays on its channel with its last time stamp. If the stamps are less than a day apart, the first sample stays, so that two
// sub-meters in use do not alternate.
func keepNewest(dst []Sample, start int, s Sample) []Sample {
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

// muchNewer reports whether t is more than a day after than. A time is newer than no time.
func muchNewer(t, than obis.Time) bool {
	if t.IsZero() || than.IsZero() {
		return !t.IsZero()
	}
	return t.Time(time.UTC).Sub(than.Time(time.UTC)) > 24*time.Hour
}
