package hatest_test

import (
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/discovery/hatest"
)

// TestClasses tests the units and state classes of each device class. Check must accept every combination in a row of the table, and refuse other
// units and state classes. The rows do not have the units that Gladys or Domoticz do not accept, such as Wh and dBm.
func TestClasses(t *testing.T) {
	rows := []struct{ class, units, stateClasses string }{
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
	const allStateClasses = "measurement total total_increasing"
	check := func(class, stateClass, unit string) []error {
		return hatest.Check(topicOf("house", "q"), []byte(sensor("house", "q", class, stateClass, unit, "")))
	}
	for _, row := range rows {
		firstStateClass := strings.Fields(row.stateClasses)[0]
		for _, unit := range strings.Fields(row.units) {
			for _, stateClass := range strings.Fields(row.stateClasses) {
				if errs := check(row.class, stateClass, unit); len(errs) > 0 {
					t.Errorf("%s in %s, %s: got errors %v, want none", row.class, unit, stateClass, errs)
				}
			}
			// A unit in capitals must be refused, unless it is another unit, such as MV.
			if wrong := strings.ToUpper(unit); wrong != unit && !strings.Contains(" "+row.units+" ", " "+wrong+" ") {
				checkRefused(t, row.class+" in "+wrong, check(row.class, firstStateClass, wrong), "does not fit the device class")
			}
		}
		for _, wrong := range []string{"C", "m3", "VAr", "kVArh", "none", "lx", "Wm"} {
			checkRefused(t, row.class+" in "+wrong, check(row.class, firstStateClass, wrong), "does not fit the device class")
		}
		for _, wrong := range strings.Fields(allStateClasses) {
			if !strings.Contains(" "+row.stateClasses+" ", " "+wrong+" ") {
				checkRefused(t, row.class+" "+wrong, check(row.class, wrong, strings.Fields(row.units)[0]), "does not fit the device class")
			}
		}
	}
}
