package quantity

import (
	"slices"
	"strconv"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// rows is the table. Names put the direction first: Domoticz pairs an energy with the power whose name has the longest
// common beginning. Codes: IEC 62056-6-2; import is energy taken from the grid.
var rows = slices.Concat(
	one(Row{Name: "import_power", Title: "Import power", Codes: cde(1, 7, 0), Measures: power, State: Measurement, Kind: Power}),
	one(Row{Name: "export_power", Title: "Export power", Codes: cde(2, 7, 0), Measures: power, State: Measurement, Kind: Power}),
	one(Row{Name: "net_power", Title: "Net power", Codes: cde(16, 7, 0), Measures: power, State: Measurement, Kind: Power}),
	phases(Row{Name: "import_power", Title: "Import power", Measures: power, State: Measurement, Kind: Power}, 21, 7),
	phases(Row{Name: "export_power", Title: "Export power", Measures: power, State: Measurement, Kind: Power}, 22, 7),
	phases(Row{Name: "net_power", Title: "Net power", Measures: power, State: Measurement, Kind: Power}, 36, 7),

	one(Row{Name: "import_reactive_power", Title: "Import reactive power", Codes: cde(3, 7, 0), Measures: reactivePower, State: Measurement, Kind: Power}),
	one(Row{Name: "export_reactive_power", Title: "Export reactive power", Codes: cde(4, 7, 0), Measures: reactivePower, State: Measurement, Kind: Power}),
	phases(Row{Name: "import_reactive_power", Title: "Import reactive power", Measures: reactivePower, State: Measurement, Kind: Power, Quiet: true}, 23, 7),
	phases(Row{Name: "export_reactive_power", Title: "Export reactive power", Measures: reactivePower, State: Measurement, Kind: Power, Quiet: true}, 24, 7),
	quadrants(Row{Name: "reactive_power", Title: "Reactive power", Measures: reactivePower, State: Measurement, Kind: Power, Quiet: true}, 7),

	one(Row{Name: "import_apparent_power", Title: "Import apparent power", Codes: cde(9, 7, 0), Measures: apparentPower, State: Measurement, Kind: Power}),
	one(Row{Name: "export_apparent_power", Title: "Export apparent power", Codes: cde(10, 7, 0), Measures: apparentPower, State: Measurement, Kind: Power}),
	phases(Row{Name: "import_apparent_power", Title: "Import apparent power", Measures: apparentPower, State: Measurement, Kind: Power, Quiet: true}, 29, 7),
	phases(Row{Name: "export_apparent_power", Title: "Export apparent power", Measures: apparentPower, State: Measurement, Kind: Power, Quiet: true}, 30, 7),

	phases(Row{Name: "voltage", Title: "Voltage", Measures: unit(obis.Volt, "V", "voltage"), Decimals: 1, State: Measurement, Kind: Voltage}, 32, 7),
	phases(Row{Name: "current", Title: "Current", Measures: current, Decimals: AsSent, State: Measurement, Kind: Current}, 31, 7),
	one(Row{Name: "current_n", Title: "Current N", Codes: cde(91, 7, 0), Measures: current, Decimals: AsSent, State: Measurement, Kind: Current}),
	// Hungarian meters send 4.556 and the like as a power factor, which is none.
	one(Row{Name: "power_factor", Title: "Power factor", Codes: cde(13, 7, 0), Measures: factor, Decimals: 3, most: obis.Decimal{Coef: 1}, State: Measurement, Kind: Ratio}),
	phases(Row{Name: "power_factor", Title: "Power factor", Measures: factor, Decimals: 3, most: obis.Decimal{Coef: 1}, State: Measurement, Kind: Ratio, Quiet: true}, 33, 7),
	one(Row{Name: "frequency", Title: "Frequency", Codes: cde(14, 7, 0), Measures: unit(obis.Hertz, "Hz", "frequency"), Decimals: 2, State: Measurement, Kind: Ratio}),

	one(Row{Name: "import_energy", Title: "Import energy", Codes: cde(1, 8, 0), Measures: energy, Decimals: 3, State: TotalIncreasing, Kind: Counter}),
	one(Row{Name: "export_energy", Title: "Export energy", Codes: cde(2, 8, 0), Measures: energy, Decimals: 3, State: TotalIncreasing, Kind: Counter}),
	tariffs(Row{Name: "import_energy", Title: "Import energy", Measures: energy, Decimals: 3, State: TotalIncreasing, Kind: Counter}, 1),
	tariffs(Row{Name: "export_energy", Title: "Export energy", Measures: energy, Decimals: 3, State: TotalIncreasing, Kind: Counter}, 2),
	phases(Row{Name: "import_energy", Title: "Import energy", Measures: energy, Decimals: 3, State: TotalIncreasing, Kind: Counter}, 21, 8),
	phases(Row{Name: "export_energy", Title: "Export energy", Measures: energy, Decimals: 3, State: TotalIncreasing, Kind: Counter}, 22, 8),
	one(Row{Name: "import_reactive_energy", Title: "Import reactive energy", Codes: cde(3, 8, 0), Measures: reactiveEnergy, Decimals: 3, State: TotalIncreasing, Kind: Counter}),
	one(Row{Name: "export_reactive_energy", Title: "Export reactive energy", Codes: cde(4, 8, 0), Measures: reactiveEnergy, Decimals: 3, State: TotalIncreasing, Kind: Counter}),
	tariffs(Row{Name: "import_reactive_energy", Title: "Import reactive energy", Measures: reactiveEnergy, Decimals: 3, State: TotalIncreasing, Kind: Counter, Quiet: true}, 3),
	tariffs(Row{Name: "export_reactive_energy", Title: "Export reactive energy", Measures: reactiveEnergy, Decimals: 3, State: TotalIncreasing, Kind: Counter, Quiet: true}, 4),
	quadrants(Row{Name: "reactive_energy", Title: "Reactive energy", Measures: reactiveEnergy, Decimals: 3, State: TotalIncreasing, Kind: Counter, Quiet: true}, 8),
	one(Row{Name: "absolute_energy", Title: "Absolute energy", Codes: cde(15, 8, 0), Measures: energy, Decimals: 3, State: TotalIncreasing, Kind: Counter}),

	// 1.24.0 and 2.24.0 are how Lithuanian meters name the average of the last period.
	one(Row{Name: "import_demand", Title: "Import demand", Codes: [][3]byte{{1, 4, 0}, {1, 24, 0}}, Measures: power, State: Measurement, Kind: Power}),
	one(Row{Name: "export_demand", Title: "Export demand", Codes: [][3]byte{{2, 4, 0}, {2, 24, 0}}, Measures: power, State: Measurement, Kind: Power}),
	one(Row{Name: "month_peak_demand", Title: "Month peak demand", Codes: cde(1, 6, 0), Measures: power, State: Measurement}),

	// Sub-meters share the codes 24.2.1, 24.2.3 and 24.3.0: the device type of their channel (0-n:24.1.0) tells them apart,
	// so they have no code here.
	one(Row{Name: "gas", Title: "Gas", Measures: []Measure{{obis.CubicMetre, "m³", 0, "gas"}, {obis.CubicMetreCorrected, "m³", 0, "gas"}}, Decimals: 3, State: TotalIncreasing, Kind: Counter}),
	one(Row{Name: "water", Title: "Water", Measures: unit(obis.CubicMetre, "m³", "water"), Decimals: 3, State: TotalIncreasing, Kind: Counter}),
	one(Row{Name: "thermal_energy", Title: "Thermal energy", Measures: heat, Decimals: 3, State: TotalIncreasing, Kind: Counter}),
	one(Row{Name: "cooling_energy", Title: "Cooling energy", Measures: heat, Decimals: 3, State: TotalIncreasing, Kind: Counter}),

	// 96.14.1 is that of Kaifa meters in Israel.
	one(Row{Name: "tariff", Title: "Tariff", Codes: cde(96, 14, 0), instead: cde(96, 14, 1), Diagnostic: true}),
	// 96.50.68 is that of Hungarian meters: ON or OFF.
	one(Row{Name: "breaker", Title: "Breaker", Codes: [][3]byte{{96, 3, 10}, {96, 50, 68}}, Diagnostic: true}),
	one(Row{Name: "text_message", Title: "Text message", Codes: cde(96, 13, 0), octets: true, Diagnostic: true}),
	one(Row{Name: "power_failures", Title: "Power failures", Codes: cde(96, 7, 21), Measures: count, State: TotalIncreasing, Diagnostic: true}),
	one(Row{Name: "long_power_failures", Title: "Long power failures", Codes: cde(96, 7, 9), Measures: count, State: TotalIncreasing, Diagnostic: true}),
	phases(Row{Name: "voltage_sags", Title: "Voltage sags", Measures: count, State: TotalIncreasing, Diagnostic: true}, 32, 32),
	phases(Row{Name: "voltage_swells", Title: "Voltage swells", Measures: count, State: TotalIncreasing, Diagnostic: true}, 32, 36),
	one(Row{Name: "fuse_limit", Title: "Fuse limit", Codes: cde(31, 4, 0), Measures: current, Decimals: AsSent, State: Measurement, Diagnostic: true}),
	one(Row{Name: "power_limit", Title: "Power limit", Codes: cde(17, 0, 0), Measures: slices.Concat(power, apparentPower, current), Decimals: AsSent, State: Measurement, Diagnostic: true}),
)

var (
	power          = unit(obis.Watt, "W", "power")
	reactivePower  = unit(obis.Var, "var", "reactive_power")
	apparentPower  = unit(obis.VoltAmpere, "VA", "apparent_power")
	current        = unit(obis.Ampere, "A", "current")
	energy         = []Measure{{obis.WattHour, "kWh", 3, "energy"}}
	reactiveEnergy = []Measure{{obis.VarHour, "kvarh", 3, "reactive_energy"}}
	heat           = []Measure{{obis.Joule, "GJ", 9, "energy"}, {obis.WattHour, "kWh", 3, "energy"}}
	factor         = []Measure{{obis.None, "", 0, "power_factor"}, {obis.Count, "", 0, "power_factor"}}
	count          = []Measure{{obis.None, "", 0, ""}, {obis.Count, "", 0, ""}}
)

func unit(base obis.Unit, symbol, class string) []Measure { return []Measure{{base, symbol, 0, class}} }

func one(r Row) []Row { return []Row{r} }

func cde(c, d, e byte) [][3]byte { return [][3]byte{{c, d, e}} }

// phases makes the rows of L1, L2 and L3: group C of a phase is 20 more than that of the one before.
func phases(r Row, c, d byte) []Row {
	return series(r, "_l", " L", 3, func(i byte) [3]byte { return [3]byte{c + 20*i, d, 0} })
}

// tariffs makes the rows of T1 to T4, group E.
func tariffs(r Row, c byte) []Row {
	return series(r, "_t", " T", 4, func(i byte) [3]byte { return [3]byte{c, 8, i + 1} })
}

// quadrants makes the rows of the reactive quadrants, group C 5 to 8.
func quadrants(r Row, d byte) []Row {
	return series(r, "_q", " Q", 4, func(i byte) [3]byte { return [3]byte{5 + i, d, 0} })
}

func series(r Row, suffix, title string, n int, code func(byte) [3]byte) []Row {
	out := make([]Row, n)
	for i := range out {
		digit := strconv.Itoa(i + 1)
		out[i] = r
		out[i].Name += suffix + digit
		out[i].Title += title + digit
		out[i].Codes = [][3]byte{code(byte(i))}
	}
	return out
}
