package hatest_test

import (
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/discovery/hatest"
)

// TestClasses tests Home Assistant's table of device classes, units and state classes: every listed combination is valid, and units and
// state classes of other rows are refused.
func TestClasses(t *testing.T) {
	rows := []struct{ class, units, states string }{
		{"power", "W kW MW GW TW", "measurement"},
		{"apparent_power", "VA kVA", "measurement"},
		{"reactive_power", "var kvar", "measurement"},
		{"energy", "kWh MWh GWh TWh MJ GJ kcal Mcal Gcal", "total total_increasing"},
		{"reactive_energy", "kvarh", "total total_increasing"},
		{"voltage", "μV mV V kV MV", "measurement"},
		{"current", "μA mA A", "measurement"},
		{"power_factor", "%", "measurement"},
		{"frequency", "mHz Hz kHz MHz GHz", "measurement"},
		{"gas", "L m³ ft³ CCF MCF", "total total_increasing"},
		{"water", "L m³ ft³ gal CCF MCF", "total total_increasing"},
		{"duration", "μs ms s min h d", "measurement total total_increasing"},
		{"signal_strength", "dB", "measurement"},
		{"monetary", "SEK EUR", "total"},
		{"volume_flow_rate", "m³/h L/min", "measurement"},
	}
	const states = "measurement total total_increasing"
	check := func(class, state, unit string) []error {
		return hatest.Check(topicOf("house", "q"), []byte(sensor("house", "q", class, state, unit, "")))
	}
	for _, row := range rows {
		state := strings.Fields(row.states)[0]
		for _, unit := range strings.Fields(row.units) {
			for _, state := range strings.Fields(row.states) {
				if errs := check(row.class, state, unit); len(errs) > 0 {
					t.Errorf("refused: %v", errs)
				}
			}
			if wrong := strings.ToUpper(unit); wrong != unit && !strings.Contains(" "+row.units+" ", " "+wrong+" ") && unit != "mV" {
				checkRefused(t, row.class+" in "+wrong, check(row.class, state, wrong), "does not fit the device class")
			}
		}
		for _, wrong := range []string{"C", "m3", "VAr", "kVArh", "none", "lx", "Wm"} {
			checkRefused(t, row.class+" in "+wrong, check(row.class, state, wrong), "does not fit the device class")
		}
		for _, wrong := range strings.Fields(states) {
			if !strings.Contains(" "+row.states+" ", " "+wrong+" ") {
				checkRefused(t, row.class+" "+wrong, check(row.class, wrong, strings.Fields(row.units)[0]), "does not fit the device class")
			}
		}
	}
}
