package obis

// A Unit is a physical unit, numbered as in IEC 62056-6-2, table 4 (the enum after a scaler). It has no prefix: kWh is
// Wh with 3 added to the number's exponent. The zero Unit is none.
type Unit uint8

// The units that this program knows by name. All that meters in Europe send on a customer port have a symbol.
const (
	None          Unit = 0
	Hour          Unit = 5
	Minute        Unit = 6
	Second        Unit = 7
	Degree        Unit = 8
	DegreeCelsius Unit = 9
	CubicMetre    Unit = 13
	// CubicMetreCorrected is m³ corrected to standard temperature and pressure.
	CubicMetreCorrected Unit = 14
	CubicMetrePerHour   Unit = 15
	Litre               Unit = 19
	Joule               Unit = 25
	Watt                Unit = 27
	VoltAmpere          Unit = 28
	Var                 Unit = 29
	WattHour            Unit = 30
	VoltAmpereHour      Unit = 31
	VarHour             Unit = 32
	Ampere              Unit = 33
	Volt                Unit = 35
	Hertz               Unit = 44
	Percent             Unit = 56
	// Count is a number of things, a factor or a ratio.
	Count Unit = 255
)

// symbols are in the order of the numbers of the units. 45 to 47 are those of a meter's constant, pulses for each Wh; 48 and 49 those of
// the losses in transformers and lines.
var symbols = [...]string{
	4: "d", Hour: "h", Minute: "min", Second: "s", Degree: "°", DegreeCelsius: "°C", CubicMetre: "m³", CubicMetreCorrected: "m³",
	CubicMetrePerHour: "m³/h", 16: "m³/h", Litre: "l", 23: "Pa", 24: "bar", Joule: "J", Watt: "W",
	VoltAmpere: "VA", Var: "var", WattHour: "Wh", VoltAmpereHour: "VAh", VarHour: "varh", Ampere: "A", Volt: "V", Hertz: "Hz",
	45: "1/Wh", 46: "1/varh", 47: "1/VAh", 48: "V²h", 49: "A²h", 52: "K", Percent: "%", 57: "Ah", 70: "dBm",
}

// String returns the symbol: "W", "varh", "m³". None, Count and units not listed here have none and give "".
func (u Unit) String() string {
	if int(u) < len(symbols) {
		return symbols[u]
	}
	return ""
}

// ParseUnit reads a unit as P1 telegrams write it and returns the power of ten of its prefix: "kVArh" is VarHour, 3.
// Case does not matter: meters write kVArh and kvarh.
func ParseUnit(b []byte) (u Unit, prefix int8, ok bool) {
	const longest = 7
	if len(b) > longest {
		return None, 0, false
	}
	s, ok := spellings[packed(b)]
	return s.unit, s.prefix, ok
}

// packed returns up to 7 characters, in small letters, as a number, which a map finds faster than a text.
func packed[T string | []byte](text T) uint64 {
	key := uint64(1)
	for i := range len(text) {
		x := text[i]
		if x-'A' <= 'Z'-'A' {
			x |= 0x20
		}
		key = key<<8 | uint64(x)
	}
	return key
}

type spelling struct {
	unit   Unit
	prefix int8
}

// spellings are how P1 telegrams write units.
var spellings = func() map[uint64]spelling {
	m := map[uint64]spelling{}
	for text, s := range map[string]spelling{
		"w": {Watt, 0}, "kw": {Watt, 3}, "mw": {Watt, 6}, "wh": {WattHour, 0}, "kwh": {WattHour, 3}, "mwh": {WattHour, 6},
		"var": {Var, 0}, "kvar": {Var, 3}, "mvar": {Var, 6}, "varh": {VarHour, 0}, "kvarh": {VarHour, 3}, "mvarh": {VarHour, 6},
		"va": {VoltAmpere, 0}, "kva": {VoltAmpere, 3}, "mva": {VoltAmpere, 6}, "vah": {VoltAmpereHour, 0}, "kvah": {VoltAmpereHour, 3},
		"a": {Ampere, 0}, "ma": {Ampere, -3}, "ka": {Ampere, 3}, "v": {Volt, 0}, "mv": {Volt, -3}, "kv": {Volt, 3},
		"hz": {Hertz, 0}, "khz": {Hertz, 3}, "j": {Joule, 0}, "kj": {Joule, 3}, "mj": {Joule, 6}, "gj": {Joule, 9},
		"m3": {CubicMetre, 0}, "m³": {CubicMetre, 0}, "m\xB3": {CubicMetre, 0}, "dm3": {CubicMetre, -3},
		"nm3": {CubicMetreCorrected, 0}, "m3/h": {CubicMetrePerHour, 0}, "l": {Litre, 0},
		"degc": {DegreeCelsius, 0}, "°c": {DegreeCelsius, 0}, "\xB0c": {DegreeCelsius, 0},
		"deg": {Degree, 0}, "°": {Degree, 0}, "\xB0": {Degree, 0},
		"s": {Second, 0}, "min": {Minute, 0}, "h": {Hour, 0}, "%": {Percent, 0}, "imp": {Count, 0},
	} {
		m[packed(text)] = s
	}
	return m
}()
