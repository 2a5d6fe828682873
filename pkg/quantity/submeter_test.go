package quantity_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// text returns a record with a text as its value.
func text(t *testing.T, code, sent string) obis.Record {
	t.Helper()
	c, err := obis.ParseCode(code)
	if err != nil {
		t.Fatal(err)
	}
	return obis.Record{Code: c, Kind: obis.Text, Text: []byte(sent)}
}

// stamped returns a record with a number and a time stamp, as sub-meters send their values.
func stamped(t *testing.T, code, value string, u obis.Unit, prefix int8, at obis.Time) obis.Record {
	t.Helper()
	r := number(t, code, value, u, prefix)
	r.Time = at
	return r
}

// published returns each sample as text, by the name of its quantity: the number with its decimals, a space, and the unit. For a quantity that is a
// text, it returns "0 ".
func published(samples []quantity.Sample) map[string]string {
	out := map[string]string{}
	for _, s := range samples {
		out[s.ID.String()] = string(s.Value.AppendFixed(nil, s.Decimals())) + " " + s.Unit().Symbol
	}
	return out
}

// TestSubmeters tests that the value of a sub-meter becomes a sample of the quantity that the device type of its channel (24.1.0) shows. If a gas
// meter was replaced, only the value of the new gas meter must give a sample.
func TestSubmeters(t *testing.T) {
	const m3, joule, wh = obis.CubicMetre, obis.Joule, obis.WattHour
	now := obis.Time{Year: 2022, Month: 11, Day: 2, Hour: 21, Zone: true, Offset: 60}
	hourEarlier, dayEarlier, summer, year2000, withoutZone := now, now, now, now, now
	hourEarlier.Hour = 20
	dayEarlier.Day, dayEarlier.Hour = 1, 20 // 25 hours earlier, because a meter is replaced only after more than 24 hours
	summer.Month, summer.Offset = 7, 120
	year2000.Year = 2000
	withoutZone.Zone, withoutZone.Offset = false, 0
	for _, tt := range []struct {
		name    string
		records []obis.Record
		want    map[string]string
	}{
		{"gas", []obis.Record{text(t, "0-1:24.1.0", "003"), stamped(t, "0-1:24.2.1", "00304.089", m3, 0, now)}, map[string]string{"gas": "304.089 m³"}},
		{"gas without temperature correction, device type after the value", []obis.Record{stamped(t, "0-4:24.2.3", "00304.089", m3, 0, now), text(t, "0-4:24.1.0", "3")}, map[string]string{"gas": "304.089 m³"}},
		{"gas of an XMX meter", []obis.Record{text(t, "0-1:24.1.0", "3"), stamped(t, "0-1:24.2.0", "00304.089", m3, 0, withoutZone)}, map[string]string{"gas": "304.089 m³"}},
		{"valve position and no value", []obis.Record{text(t, "0-1:24.1.0", "3"), number(t, "0-1:24.4.0", "1", obis.None, 0)}, map[string]string{}},
		{"gas with a device type that is a number", []obis.Record{number(t, "0-1:24.1.0", "3", obis.None, 0), number(t, "0-1:24.2.1", "1", obis.CubicMetreCorrected, 0)}, map[string]string{"gas": "1.000 m³"}},
		{"gas, water, heat and cold", []obis.Record{
			text(t, "0-1:24.1.0", "003"), stamped(t, "0-1:24.2.1", "1", m3, 0, now),
			text(t, "0-2:24.1.0", "007"), stamped(t, "0-2:24.2.1", "2", m3, 0, now),
			text(t, "0-3:24.1.0", "012"), stamped(t, "0-3:24.2.1", "3.5", joule, 9, now),
			text(t, "0-4:24.1.0", "010"), stamped(t, "0-4:24.2.1", "4", wh, 3, now),
		}, map[string]string{"gas": "1.000 m³", "water": "2.000 m³", "thermal_energy": "3.500 GJ", "cooling_energy": "4.000 kWh"}},
		{"electricity meter as sub-meter", []obis.Record{text(t, "0-1:24.1.0", "002"), stamped(t, "0-1:24.2.1", "1", wh, 3, now)}, map[string]string{}},
		{"gas in another unit", []obis.Record{text(t, "0-1:24.1.0", "003"), stamped(t, "0-1:24.2.1", "1", wh, 3, now)}, map[string]string{}},
		{"gas without a unit", []obis.Record{text(t, "0-1:24.1.0", "003"), number(t, "0-1:24.2.1", "1", obis.None, 0)}, map[string]string{}},
		{"gas with a text in place of a number", []obis.Record{text(t, "0-1:24.1.0", "003"), text(t, "0-1:24.2.1", "(632525252525S)(00000.000)")}, map[string]string{}},
		{"gas meter that was never read, time stamp of the year 2000", []obis.Record{text(t, "0-1:24.1.0", "003"), stamped(t, "0-1:24.2.1", "0", m3, 0, year2000)}, map[string]string{}},
		{"gas of a past period", []obis.Record{text(t, "0-1:24.1.0", "003"), stamped(t, "0-1:24.2.1*1", "1", m3, 0, now)}, map[string]string{}},
		{"gas meter replaced", []obis.Record{
			text(t, "0-1:24.1.0", "003"), stamped(t, "0-1:24.2.1", "9000", m3, 0, summer),
			text(t, "0-2:24.1.0", "003"), stamped(t, "0-2:24.2.1", "1", m3, 0, now),
		}, map[string]string{"gas": "1.000 m³"}},
		{"gas meter replaced, old meter sent after the new one", []obis.Record{
			text(t, "0-1:24.1.0", "003"), stamped(t, "0-1:24.2.1", "1", m3, 0, now),
			text(t, "0-2:24.1.0", "003"), stamped(t, "0-2:24.2.1", "9000", m3, 0, summer),
		}, map[string]string{"gas": "1.000 m³"}},
		{"gas meter replaced, last value of the old meter 25 hours ago", []obis.Record{
			text(t, "0-1:24.1.0", "003"), stamped(t, "0-1:24.2.1", "9000", m3, 0, dayEarlier),
			text(t, "0-2:24.1.0", "003"), stamped(t, "0-2:24.2.1", "1", m3, 0, now),
		}, map[string]string{"gas": "1.000 m³"}},
		{"two gas meters in use: the first is used", []obis.Record{
			text(t, "0-1:24.1.0", "003"), stamped(t, "0-1:24.2.1", "1", m3, 0, hourEarlier),
			text(t, "0-2:24.1.0", "003"), stamped(t, "0-2:24.2.1", "2", m3, 0, now),
		}, map[string]string{"gas": "1.000 m³"}},
		{"three gas meters, only one with a time stamp", []obis.Record{
			text(t, "0-1:24.1.0", "003"), number(t, "0-1:24.2.1", "1", m3, 0),
			text(t, "0-2:24.1.0", "003"), stamped(t, "0-2:24.2.1", "2", m3, 0, summer),
			text(t, "0-3:24.1.0", "003"), number(t, "0-3:24.2.1", "3", m3, 0),
		}, map[string]string{"gas": "2.000 m³"}},
		{"warm and cold water: cold water is used", []obis.Record{
			text(t, "0-1:24.1.0", "006"), stamped(t, "0-1:24.2.1", "1", m3, 0, now),
			text(t, "0-2:24.1.0", "007"), stamped(t, "0-2:24.2.1", "2", m3, 0, summer),
		}, map[string]string{"water": "2.000 m³"}},
		{"warm water only", []obis.Record{text(t, "0-1:24.1.0", "006"), stamped(t, "0-1:24.2.1", "1", m3, 0, now)}, map[string]string{"water": "1.000 m³"}},
		{"no device type, gas without temperature correction", []obis.Record{stamped(t, "0-1:24.2.3", "1", m3, 0, now)}, map[string]string{"gas": "1.000 m³"}},
		{"empty device type, gas of DSMR 2.2", []obis.Record{text(t, "0-1:24.1.0", ""), stamped(t, "0-1:24.2.1", "1", m3, 0, withoutZone)}, map[string]string{"gas": "1.000 m³"}},
		{"no device type, volume of an unknown medium", []obis.Record{stamped(t, "0-1:24.2.1", "1", m3, 0, now)}, map[string]string{}},
		{"no device type, no time stamp", []obis.Record{number(t, "0-1:24.2.1", "1", m3, 0)}, map[string]string{}},
		{"no device type, two sub-meters", []obis.Record{stamped(t, "0-1:24.2.3", "1", m3, 0, now), stamped(t, "0-2:24.2.3", "1", m3, 0, now)}, map[string]string{}},
		{"device type of another channel", []obis.Record{text(t, "0-2:24.1.0", "003"), stamped(t, "0-1:24.2.1", "1", m3, 0, now)}, map[string]string{}},
		{"channel 0, which has no sub-meter", []obis.Record{text(t, "0-0:24.1.0", "003"), stamped(t, "0-0:24.2.1", "1", m3, 0, now)}, map[string]string{}},
		{"channel above the highest", []obis.Record{text(t, "0-200:24.1.0", "003"), stamped(t, "0-200:24.2.1", "1", m3, 0, now)}, map[string]string{}},
		{"device type with decimals", []obis.Record{text(t, "0-1:24.1.0", "3.0"), stamped(t, "0-1:24.2.1", "1", m3, 0, now)}, map[string]string{}},
		{"device type above 255", []obis.Record{text(t, "0-1:24.1.0", "259"), stamped(t, "0-1:24.2.1", "1", m3, 0, now)}, map[string]string{}},
		{"negative device type", []obis.Record{text(t, "0-1:24.1.0", "-253"), stamped(t, "0-1:24.2.1", "1", m3, 0, now)}, map[string]string{}},
		{"unknown device type", []obis.Record{text(t, "0-1:24.1.0", "099"), stamped(t, "0-1:24.2.1", "1", m3, 0, now)}, map[string]string{}},
	} {
		dst := make([]quantity.Sample, 0, quantity.Count())
		got := new(quantity.Converter).AppendSamples(dst, tt.records, nil)
		if diff := cmp.Diff(tt.want, published(got)); diff != "" {
			t.Errorf("%s, -want +got:\n%s", tt.name, diff)
		}
		if n := testing.AllocsPerRun(10, func() { new(quantity.Converter).AppendSamples(dst, tt.records, nil) }); n != 0 {
			t.Errorf("%s: got %v allocations, want 0", tt.name, n)
		}
	}
	got := new(quantity.Converter).AppendSamples(nil, []obis.Record{text(t, "0-1:24.1.0", "003"), stamped(t, "0-1:24.2.1", "1", m3, 0, now)}, nil)
	if len(got) != 1 || got[0].Time != now {
		t.Errorf("got %v, want one sample with the time stamp of its value", got)
	}
}
