package simulate_test

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// expectedSamples returns the samples that a state must give, by the names of quantities, in their units.
func expectedSamples(f simulate.Family, s *simulate.State) map[string]obis.Decimal {
	v := map[string]obis.Decimal{}
	shared := s.Multiply(f.Households)
	s = &shared
	power := func(kind, phase string, net int64) {
		v["import_"+kind+phase] = obis.Decimal{Coef: max(net, 0) * 1000 / f.Ratio, Exp: -3}
		v["export_"+kind+phase] = obis.Decimal{Coef: max(-net, 0) * 1000 / f.Ratio, Exp: -3}
		v["net_"+kind+phase] = obis.Decimal{Coef: net * 1000 / f.Ratio, Exp: -3}
	}
	watts, vars := s.Net()
	power("power", "", watts)
	power("reactive_power", "", vars)
	addApparentPower(v, "", watts, vars)
	signedCurrents := strings.HasPrefix(f.Name, "aidon") || strings.HasPrefix(f.Name, "landisgyr-no") || f.Name == "p1-fi-aidon"
	for i := range 3 {
		phase := "_l" + strconv.Itoa(i+1)
		power("power", phase, s.Power[i])
		power("reactive_power", phase, s.ReactivePower[i])
		addApparentPower(v, phase, s.Power[i], s.ReactivePower[i])
		v["voltage"+phase] = obis.Decimal{Coef: s.Voltage[i], Exp: -1}
		mA := s.Current[i]
		if mA < 0 && !signedCurrents {
			mA = -mA
		}
		v["current"+phase] = obis.Decimal{Coef: mA * 1000 / f.Ratio, Exp: -6}
		addCounters(v, phase, s.PhaseEnergies[i], 1)
		v["voltage_sags"+phase], v["voltage_swells"+phase] = decimal(s.Sags[i], 0), decimal(s.Swells[i], 0)
	}
	e := s.Energies
	if hourly := f.Country == "NO" || f.Name == "kamstrup-se"; hourly {
		e = s.HourEnergies
	}
	addCounters(v, "", e, f.Ratio)
	addTariffs(v, f, s)
	addOtherRegisters(v, s)
	if f.Country == "LT" { // these meters send the demand of the last quarter of an hour
		v["import_demand"], v["export_demand"] = decimal(s.LastQuarterPower[0], 0), decimal(s.LastQuarterPower[1], 0)
	}
	if strings.HasPrefix(f.Name, "p1-nl-") && f.Interval > time.Second { // before DSMR 5, gas is read once an hour
		v["gas"] = decimal(s.HourGas, -3)
	}
	return v
}

func decimal(coef int64, exp int8) obis.Decimal { return obis.Decimal{Coef: coef, Exp: exp} }

// addCounters adds the four energies of e, divided by ratio, with a suffix to their names. It converts Ws to units of 10^-7 kWh: 1 Ws is 25/9
// of such a unit.
func addCounters(v map[string]obis.Decimal, suffix string, e simulate.Energies, ratio int64) {
	for name, ws := range map[string]int64{
		"import_energy": e.Import, "export_energy": e.Export,
		"import_reactive_energy": e.ImportReactive, "export_reactive_energy": e.ExportReactive,
	} {
		v[name+suffix] = decimal(ws*25/9/ratio, -7)
	}
}

func addTariffs(v map[string]obis.Decimal, f simulate.Family, s *simulate.State) {
	tariff1, tariff2 := s.TariffEnergies[0], s.TariffEnergies[1]
	if f.Country == "BE" { // only in Belgium, tariff 1 is the day tariff
		tariff1, tariff2 = tariff2, tariff1
	}
	addCounters(v, "_t1", tariff1, 1)
	addCounters(v, "_t2", tariff2, 1)
	addCounters(v, "_t3", simulate.Energies{}, 1)
	addCounters(v, "_t4", simulate.Energies{}, 1)
}

// addApparentPower adds the power factor and the apparent powers of a phase, or of the sum.
func addApparentPower(v map[string]obis.Decimal, phase string, watts, vars int64) {
	va := int64(math.Sqrt(float64(watts*watts + vars*vars)))
	imported, exported := va, int64(0)
	if watts < 0 {
		imported, exported = 0, va
	}
	v["import_apparent_power"+phase], v["export_apparent_power"+phase] = decimal(imported, 0), decimal(exported, 0)
	v["power_factor"+phase] = decimal(1000, -3)
	if va > 0 {
		v["power_factor"+phase] = decimal(max(watts, -watts)*1000/va, -3)
	}
}

func addOtherRegisters(v map[string]obis.Decimal, s *simulate.State) {
	watts, vars := s.Net()
	for i, ws := range s.QuadrantEnergies {
		name := "_q" + strconv.Itoa(i+1)
		v["reactive_energy"+name] = decimal(ws*25/9, -7)
		v["reactive_power"+name] = decimal(0, 0)
		importsReactive, importsActive := i < 2, i == 0 || i == 3 // quadrants I and II, quadrants I and IV
		if (vars >= 0) == importsReactive && (watts >= 0) == importsActive {
			v["reactive_power"+name] = decimal(max(vars, -vars), 0)
		}
	}
	v["absolute_energy"] = decimal((s.Energies.Import+s.Energies.Export)*25/9, -7)
	v["frequency"] = decimal(s.Frequency, -2)
	v["import_demand"], v["export_demand"] = decimal(s.QuarterEnergy[0]/900, 0), decimal(s.QuarterEnergy[1]/900, 0)
	v["month_peak_demand"] = decimal(s.Peaks[0].Watts, 0)
	v["gas"], v["water"], v["thermal_energy"] = decimal(s.Gas, -3), decimal(s.Water, -3), decimal(s.Heat, -3)
	v["power_failures"], v["long_power_failures"] = decimal(s.Failures, 0), decimal(s.LongFailures, 0)
}
