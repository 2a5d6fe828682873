package quantity

import (
	"slices"
	"strconv"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// rows is the table. The codes are from IEC 62056-6-2. In a name, import or export comes first. The reason is Domoticz, which pairs each energy with
// the power that has the longest beginning of the name in common. ids.go has a constant for each row, in the same order.
var rows = slices.Concat(
	single(Row{Name: "import_power", Title: "Import power", Codes: code(1, 7, 0), Units: power, StateClass: Measurement, Kind: Power}),
	single(Row{Name: "export_power", Title: "Export power", Codes: code(2, 7, 0), Units: power, StateClass: Measurement, Kind: Power}),
	single(Row{Name: "net_power", Title: "Net power", Codes: code(16, 7, 0), Units: power, StateClass: Measurement, Kind: Power}),
	phases(Row{Name: "import_power", Title: "Import power", Units: power, StateClass: Measurement, Kind: Power}, 21, 7),
	phases(Row{Name: "export_power", Title: "Export power", Units: power, StateClass: Measurement, Kind: Power}, 22, 7),
	phases(Row{Name: "net_power", Title: "Net power", Units: power, StateClass: Measurement, Kind: Power}, 36, 7),

	single(Row{Name: "import_reactive_power", Title: "Import reactive power", Codes: code(3, 7, 0), Units: reactivePower, StateClass: Measurement, Kind: Power}),
	single(Row{Name: "export_reactive_power", Title: "Export reactive power", Codes: code(4, 7, 0), Units: reactivePower, StateClass: Measurement, Kind: Power}),
	phases(Row{Name: "import_reactive_power", Title: "Import reactive power", Units: reactivePower, StateClass: Measurement, Kind: Power, DisabledByDefault: true}, 23, 7),
	phases(Row{Name: "export_reactive_power", Title: "Export reactive power", Units: reactivePower, StateClass: Measurement, Kind: Power, DisabledByDefault: true}, 24, 7),
	quadrants(Row{Name: "reactive_power", Title: "Reactive power", Units: reactivePower, StateClass: Measurement, Kind: Power, DisabledByDefault: true}, 7),

	single(Row{Name: "import_apparent_power", Title: "Import apparent power", Codes: code(9, 7, 0), Units: apparentPower, StateClass: Measurement, Kind: Power}),
	single(Row{Name: "export_apparent_power", Title: "Export apparent power", Codes: code(10, 7, 0), Units: apparentPower, StateClass: Measurement, Kind: Power}),
	phases(Row{Name: "import_apparent_power", Title: "Import apparent power", Units: apparentPower, StateClass: Measurement, Kind: Power, DisabledByDefault: true}, 29, 7),
	phases(Row{Name: "export_apparent_power", Title: "Export apparent power", Units: apparentPower, StateClass: Measurement, Kind: Power, DisabledByDefault: true}, 30, 7),

	phases(Row{Name: "voltage", Title: "Voltage", Units: unit(obis.Volt, "V", "voltage"), Decimals: 1, StateClass: Measurement, Kind: Voltage}, 32, 7),
	phases(Row{Name: "current", Title: "Current", Units: current, Decimals: AsSent, StateClass: Measurement, Kind: Current}, 31, 7),
	single(Row{Name: "current_n", Title: "Current N", Codes: code(91, 7, 0), Units: current, Decimals: AsSent, StateClass: Measurement, Kind: Current}),
	// Hungarian meters send impossible power factors such as 4.556.
	single(Row{Name: "power_factor", Title: "Power factor", Codes: code(13, 7, 0), Units: factor, Decimals: 3, maxMagnitude: obis.Decimal{Coef: 1}, StateClass: Measurement, Kind: Ratio}),
	phases(Row{Name: "power_factor", Title: "Power factor", Units: factor, Decimals: 3, maxMagnitude: obis.Decimal{Coef: 1}, StateClass: Measurement, Kind: Ratio, DisabledByDefault: true}, 33, 7),
	single(Row{Name: "frequency", Title: "Frequency", Codes: code(14, 7, 0), Units: unit(obis.Hertz, "Hz", "frequency"), Decimals: 2, StateClass: Measurement, Kind: Ratio}),

	single(Row{Name: "import_energy", Title: "Import energy", Codes: code(1, 8, 0), Units: energy, Decimals: 3, StateClass: TotalIncreasing, Kind: Counter}),
	single(Row{Name: "export_energy", Title: "Export energy", Codes: code(2, 8, 0), Units: energy, Decimals: 3, StateClass: TotalIncreasing, Kind: Counter}),
	tariffs(Row{Name: "import_energy", Title: "Import energy", Units: energy, Decimals: 3, StateClass: TotalIncreasing, Kind: Counter}, 1),
	tariffs(Row{Name: "export_energy", Title: "Export energy", Units: energy, Decimals: 3, StateClass: TotalIncreasing, Kind: Counter}, 2),
	phases(Row{Name: "import_energy", Title: "Import energy", Units: energy, Decimals: 3, StateClass: TotalIncreasing, Kind: Counter}, 21, 8),
	phases(Row{Name: "export_energy", Title: "Export energy", Units: energy, Decimals: 3, StateClass: TotalIncreasing, Kind: Counter}, 22, 8),
	single(Row{Name: "import_reactive_energy", Title: "Import reactive energy", Codes: code(3, 8, 0), Units: reactiveEnergy, Decimals: 3, StateClass: TotalIncreasing, Kind: Counter}),
	single(Row{Name: "export_reactive_energy", Title: "Export reactive energy", Codes: code(4, 8, 0), Units: reactiveEnergy, Decimals: 3, StateClass: TotalIncreasing, Kind: Counter}),
	tariffs(Row{Name: "import_reactive_energy", Title: "Import reactive energy", Units: reactiveEnergy, Decimals: 3, StateClass: TotalIncreasing, Kind: Counter, DisabledByDefault: true}, 3),
	tariffs(Row{Name: "export_reactive_energy", Title: "Export reactive energy", Units: reactiveEnergy, Decimals: 3, StateClass: TotalIncreasing, Kind: Counter, DisabledByDefault: true}, 4),
	quadrants(Row{Name: "reactive_energy", Title: "Reactive energy", Units: reactiveEnergy, Decimals: 3, StateClass: TotalIncreasing, Kind: Counter, DisabledByDefault: true}, 8),
	single(Row{Name: "absolute_energy", Title: "Absolute energy", Codes: code(15, 8, 0), Units: energy, Decimals: 3, StateClass: TotalIncreasing, Kind: Counter}),

	// Lithuanian meters send the mean of the last period as 1.24.0 and 2.24.0.
	single(Row{Name: "import_demand", Title: "Import demand", Codes: [][3]byte{{1, 4, 0}, {1, 24, 0}}, Units: power, StateClass: Measurement, Kind: Power}),
	single(Row{Name: "export_demand", Title: "Export demand", Codes: [][3]byte{{2, 4, 0}, {2, 24, 0}}, Units: power, StateClass: Measurement, Kind: Power}),
	single(Row{Name: "month_peak_demand", Title: "Month peak demand", Codes: code(1, 6, 0), Units: power, StateClass: Measurement}),

	// These rows have no code, because all sub-meters send their value with the same codes (24.2.1, 24.2.3). The device type of the channel
	// (0-n:24.1.0) shows the quantity.
	single(Row{Name: "gas", Title: "Gas", Units: []Unit{{obis.CubicMetre, "m³", 0, "gas"}, {obis.CubicMetreCorrected, "m³", 0, "gas"}}, Decimals: 3, StateClass: TotalIncreasing, Kind: Counter}),
	single(Row{Name: "water", Title: "Water", Units: unit(obis.CubicMetre, "m³", "water"), Decimals: 3, StateClass: TotalIncreasing, Kind: Counter}),
	single(Row{Name: "thermal_energy", Title: "Thermal energy", Units: heat, Decimals: 3, StateClass: TotalIncreasing, Kind: Counter}),
	single(Row{Name: "cooling_energy", Title: "Cooling energy", Units: heat, Decimals: 3, StateClass: TotalIncreasing, Kind: Counter}),

	// Kaifa meters in Israel send 96.14.1.
	single(Row{Name: "tariff", Title: "Tariff", Codes: code(96, 14, 0), fallbackCodes: code(96, 14, 1), Diagnostic: true}),
	// Hungarian meters send 96.50.68, as ON or OFF.
	single(Row{Name: "breaker", Title: "Breaker", Codes: [][3]byte{{96, 3, 10}, {96, 50, 68}}, Diagnostic: true}),
	single(Row{Name: "text_message", Title: "Text message", Codes: code(96, 13, 0), isMessage: true, Diagnostic: true}),
	single(Row{Name: "power_failures", Title: "Power failures", Codes: code(96, 7, 21), Units: count, StateClass: TotalIncreasing, Diagnostic: true}),
	single(Row{Name: "long_power_failures", Title: "Long power failures", Codes: code(96, 7, 9), Units: count, StateClass: TotalIncreasing, Diagnostic: true}),
	phases(Row{Name: "voltage_sags", Title: "Voltage sags", Units: count, StateClass: TotalIncreasing, Diagnostic: true}, 32, 32),
	phases(Row{Name: "voltage_swells", Title: "Voltage swells", Units: count, StateClass: TotalIncreasing, Diagnostic: true}, 32, 36),
	single(Row{Name: "fuse_limit", Title: "Fuse limit", Codes: code(31, 4, 0), Units: current, Decimals: AsSent, StateClass: Measurement, Diagnostic: true}),
	single(Row{Name: "power_limit", Title: "Power limit", Codes: code(17, 0, 0), Units: slices.Concat(power, apparentPower, current), Decimals: AsSent, StateClass: Measurement, Diagnostic: true}),
)

var (
	power          = unit(obis.Watt, "W", "power")
	reactivePower  = unit(obis.Var, "var", "reactive_power")
	apparentPower  = unit(obis.VoltAmpere, "VA", "apparent_power")
	current        = unit(obis.Ampere, "A", "current")
	energy         = []Unit{{obis.WattHour, "kWh", 3, "energy"}}
	reactiveEnergy = []Unit{{obis.VarHour, "kvarh", 3, "reactive_energy"}}
	heat           = []Unit{{obis.Joule, "GJ", 9, "energy"}, {obis.WattHour, "kWh", 3, "energy"}}
	factor         = []Unit{{obis.None, "", 0, "power_factor"}, {obis.Count, "", 0, "power_factor"}}
	count          = []Unit{{obis.None, "", 0, ""}, {obis.Count, "", 0, ""}}
)

func unit(base obis.Unit, symbol, class string) []Unit { return []Unit{{base, symbol, 0, class}} }

func single(r Row) []Row { return []Row{r} }

func code(c, d, e byte) [][3]byte { return [][3]byte{{c, d, e}} }

// phases returns the rows of L1, L2 and L3. Group C is c for L1, c+20 for L2 and c+40 for L3.
func phases(r Row, c, d byte) []Row {
	return numbered(r, "_l", " L", 3, func(i byte) [3]byte { return [3]byte{c + 20*i, d, 0} })
}

// tariffs returns the rows of T1 to T4. Group E is the number of the tariff.
func tariffs(r Row, c byte) []Row {
	return numbered(r, "_t", " T", 4, func(i byte) [3]byte { return [3]byte{c, 8, i + 1} })
}

// quadrants returns the rows of Q1 to Q4. Group C is 5 for Q1 to 8 for Q4.
func quadrants(r Row, d byte) []Row {
	return numbered(r, "_q", " Q", 4, func(i byte) [3]byte { return [3]byte{5 + i, d, 0} })
}

// numbered returns n copies of r. The suffix and the number of the copy, from 1 to n, are appended to its name and title. codeAt returns the code of
// the copy with index i, from 0 to n-1.
func numbered(r Row, nameSuffix, titleSuffix string, n int, codeAt func(i byte) [3]byte) []Row {
	out := make([]Row, n)
	for i := range out {
		digit := strconv.Itoa(i + 1)
		out[i] = r
		out[i].Name += nameSuffix + digit
		out[i].Title += titleSuffix + digit
		out[i].Codes = [][3]byte{codeAt(byte(i))}
	}
	return out
}
