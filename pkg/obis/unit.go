package obis

// A Unit is a physical unit, numbered as in IEC 62056-6-2, table 4 (the unit in a COSEM scaler-unit). A Unit has no prefix: a number in
// kWh is a number in Wh with an exponent that is larger by 3. The zero Unit is None.
type Unit uint8

// The units that have a constant. String knows the symbols of further units.
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
	// Count is a number without a unit: a count, a factor or a ratio.
	Count Unit = 255
)

// symbols are indexed by Unit. Units 45 to 47 are constants of a meter, in pulses per Wh, varh and VAh. Units 48 and 49 are losses of
// transformers and lines.
var symbols = [...]string{
	4: "d", Hour: "h", Minute: "min", Second: "s", Degree: "°", DegreeCelsius: "°C", CubicMetre: "m³", CubicMetreCorrected: "m³",
	CubicMetrePerHour: "m³/h", 16: "m³/h", Litre: "l", 23: "Pa", 24: "bar", Joule: "J", Watt: "W",
	VoltAmpere: "VA", Var: "var", WattHour: "Wh", VoltAmpereHour: "VAh", VarHour: "varh", Ampere: "A", Volt: "V", Hertz: "Hz",
	45: "1/Wh", 46: "1/varh", 47: "1/VAh", 48: "V²h", 49: "A²h", 52: "K", Percent: "%", 57: "Ah", 70: "dBm",
}

// String returns the symbol: "W", "varh", "m³". It returns "" for None, Count and units that customer ports in Europe do not send.
func (u Unit) String() string {
	if int(u) < len(symbols) {
		return symbols[u]
	}
	return ""
}

// ParseUnit reads a unit as ASCII telegrams write it. It returns the unit and the power of ten of its prefix: "kVArh" is VarHour and 3.
// ParseUnit ignores case, because meters write both kVArh and kvarh. So "m" and "M" are milli before A and V, and mega before other
// units. ok is false if b is anything but a unit.
func ParseUnit(b []byte) (u Unit, prefix int8, ok bool) {
	var lower [8]byte
	if len(b) > len(lower) {
		return None, 0, false
	}
	for i, x := range b {
		if x-'A' <= 'Z'-'A' {
			x |= 0x20
		}
		lower[i] = x
	}
	switch string(lower[:len(b)]) {
	case "kw":
		return Watt, 3, true
	case "kwh":
		return WattHour, 3, true
	case "kvar":
		return Var, 3, true
	case "kvarh":
		return VarHour, 3, true
	case "v":
		return Volt, 0, true
	case "a":
		return Ampere, 0, true
	case "w":
		return Watt, 0, true
	case "wh":
		return WattHour, 0, true
	case "var":
		return Var, 0, true
	case "varh":
		return VarHour, 0, true
	case "va":
		return VoltAmpere, 0, true
	case "vah":
		return VoltAmpereHour, 0, true
	case "kva":
		return VoltAmpere, 3, true
	case "kvah":
		return VoltAmpereHour, 3, true
	case "mw":
		return Watt, 6, true
	case "mwh":
		return WattHour, 6, true
	case "hz":
		return Hertz, 0, true
	case "m3", "m³", "m\xB3": // \xB3 is ³ in Latin-1
		return CubicMetre, 0, true
	case "gj":
		return Joule, 9, true
	case "mj":
		return Joule, 6, true
	case "s":
		return Second, 0, true
	case "%":
		return Percent, 0, true
	case "mvar":
		return Var, 6, true
	case "mvarh":
		return VarHour, 6, true
	case "mva":
		return VoltAmpere, 6, true
	case "ma":
		return Ampere, -3, true
	case "mv":
		return Volt, -3, true
	case "kv":
		return Volt, 3, true
	case "ka":
		return Ampere, 3, true
	case "khz":
		return Hertz, 3, true
	case "degc", "°c", "\xB0c": // \xB0 is ° in Latin-1
		return DegreeCelsius, 0, true
	case "kj":
		return Joule, 3, true
	case "j":
		return Joule, 0, true
	case "nm3":
		return CubicMetreCorrected, 0, true
	case "dm3":
		return CubicMetre, -3, true
	case "l":
		return Litre, 0, true
	case "m3/h":
		return CubicMetrePerHour, 0, true
	case "deg", "°", "\xB0":
		return Degree, 0, true
	case "imp":
		return Count, 0, true
	case "min":
		return Minute, 0, true
	case "h":
		return Hour, 0, true
	}
	return None, 0, false
}
