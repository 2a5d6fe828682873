package quantity

import (
	"bytes"
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// Sub-meters on channel n send a device type as 0-n:24.1.0 and their last value as 0-n:24.2.1, or 0-n:24.2.3 where it is not
// corrected to standard temperature (DSMR P1 5.0.2, 6.12; e-MUCS 1.7); the XMX meters of DSMR 2.2 say 0-n:24.2.0. Some heat
// meters send a volume there, then flow and temperatures, and their energy as 0-n:24.2.5. What is on a channel differs from house
// to house.
var (
	deviceCode    = [3]byte{24, 1, 0}
	valueCode     = [3]byte{24, 2, 1}
	oldValueCode  = [3]byte{24, 2, 0}
	rawVolumeCode = [3]byte{24, 2, 3}
	heatCode      = [3]byte{24, 2, 5}
)

// device is a device type of EN 13757-3, zero where the meter sends none. P1 telegrams write it in decimal: 012 is heat.
type deviceType uint8

// kind returns the quantity of a device type, false for types that have none here, such as a second electricity meter.
func (d deviceType) quantity() (ID, bool) {
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

// deviceOf reads the type from "003", "3" or a number.
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

// maxChannels is one more than the highest channel: meters have four.
const channels = 16

// onChannel tells if the code is one of a sub-meter.
func isSubmeter(c obis.Code) bool {
	return c[0] == 0 && c[2] == deviceCode[0] && c[1] > 0 && c[1] < channels && c[5] == obis.Any
}

func isSubmeterValue(c obis.Code) bool {
	cde := c.CDE()
	return cde == valueCode || cde == rawVolumeCode || cde == oldValueCode
}

// submeters is what a telegram says about its channels.
type submeters struct {
	devices   [channels]deviceType
	values    uint16 // a bit for each channel with a value
	heat      uint16 // a bit for each channel with what heat meters alone send
	coldWater bool
}

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

// kind returns the quantity of a value. Where there is no type, a meter that is alone on its line is a gas meter if it sends
// what gas meters alone send: a volume that is not corrected, or one stamped without a zone, as in DSMR 2.2; and if it sends no heat
// energy. Warm water is water too, unless there is a meter of cold water.
func (s *submeters) quantity(r *obis.Record) (ID, bool) {
	heat := r.Code.CDE() == heatCode
	if !isSubmeter(r.Code) || !isSubmeterValue(r.Code) && !heat {
		return 0, false
	}
	d := s.devices[r.Code[1]]
	if id, ok := d.quantity(); heat {
		return id, ok && (id == ThermalEnergy || id == CoolingEnergy)
	}
	if d == 0 {
		alone := s.values&(s.values-1) == 0
		return Gas, alone && s.heat>>r.Code[1]&1 == 0 && (r.Code.CDE() == rawVolumeCode || !r.Time.IsZero() && !r.Time.Zone)
	}
	if d.isWarmWater() && s.coldWater {
		return 0, false
	}
	return d.quantity()
}

// appendSubmeters appends one sample for each kind of sub-meter.
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

// neverSet tells that a stamp is older than all meters with a customer port: the channel had no value yet.
func neverSet(t obis.Time) bool { return !t.IsZero() && t.Year < 2005 }

// putNewest appends a sample, or puts it in the place of an older one of its kind: a meter that was replaced stays on its
// channel with its last stamp. Of two stamped within a day the first stays, so that two that live do not take turns.
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

func muchNewer(t, than obis.Time) bool {
	if t.IsZero() || than.IsZero() {
		return !t.IsZero()
	}
	return t.Time(time.UTC).Sub(than.Time(time.UTC)) > 24*time.Hour
}
