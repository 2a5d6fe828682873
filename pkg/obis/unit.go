package obis

// A Unit is a physical unit, numbered as in IEC 62056-6-2, table 4 (the enum after a scaler). It has no prefix: kWh is
// Wh with 3 added to the number's exponent. The zero Unit is none.
type Unit uint8

// The units that meters in Europe send on a customer port.
const (
	None          Unit = 0
	Day           Unit = 4
	Hour          Unit = 5
	Minute        Unit = 6
	Second        Unit = 7
	Degree        Unit = 8
	DegreeCelsius Unit = 9
	CubicMetre    Unit = 13
	// CubicMetreCorrected is m³ corrected to standard temperature and pressure.
	CubicMetreCorrected Unit = 14
	// CubicMetrePerHour is a flow; the corrected one is 16.
	CubicMetrePerHour          Unit = 15
	CubicMetrePerHourCorrected Unit = 16
	Litre                      Unit = 19
	Pascal                     Unit = 23
	Bar                        Unit = 24
	Joule                      Unit = 25
	Watt                       Unit = 27
	VoltAmpere                 Unit = 28
	Var                        Unit = 29
	WattHour                   Unit = 30
	VoltAmpereHour             Unit = 31
	VarHour                    Unit = 32
	Ampere                     Unit = 33
	Volt                       Unit = 35
	Hertz                      Unit = 44
	// PerWattHour, PerVarHour and PerVoltAmpereHour are those of a meter's constant: pulses for each Wh.
	PerWattHour       Unit = 45
	PerVarHour        Unit = 46
	PerVoltAmpereHour Unit = 47
	// VoltSquaredHour and AmpereSquaredHour are those of the losses in transformers and lines.
	VoltSquaredHour   Unit = 48
	AmpereSquaredHour Unit = 49
	Kelvin            Unit = 52
	Percent           Unit = 56
	AmpereHour        Unit = 57
	DecibelMilliwatt  Unit = 70
	// Count is a number of things, a factor or a ratio.
	Count Unit = 255
)

// symbols are in the order of the numbers of the units.
var symbols = [DecibelMilliwatt + 1]string{
	Day: "d", Hour: "h", Minute: "min", Second: "s", Degree: "°", DegreeCelsius: "°C", CubicMetre: "m³", CubicMetreCorrected: "m³",
	CubicMetrePerHour: "m³/h", CubicMetrePerHourCorrected: "m³/h", Litre: "l", Pascal: "Pa", Bar: "bar", Joule: "J", Watt: "W",
	VoltAmpere: "VA", Var: "var", WattHour: "Wh", VoltAmpereHour: "VAh", VarHour: "varh", Ampere: "A", Volt: "V", Hertz: "Hz",
	PerWattHour: "1/Wh", PerVarHour: "1/varh", PerVoltAmpereHour: "1/VAh", VoltSquaredHour: "V²h", AmpereSquaredHour: "A²h",
	Kelvin: "K", Percent: "%", AmpereHour: "Ah", DecibelMilliwatt: "dBm",
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
	if len(b) == 0 || len(b) > 8 {
		return None, 0, false
	}
	var key uint64
	for _, x := range b {
		if x-'A' <= 'Z'-'A' {
			x |= 0x20
		}
		if x <= ' ' {
			return None, 0, false
		}
		key = key<<8 | uint64(x)
	}
	switch key {
	case 'k'<<8 | 'w':
		return Watt, 3, true
	case 'k'<<16 | 'w'<<8 | 'h':
		return WattHour, 3, true
	case 'k'<<24 | 'v'<<16 | 'a'<<8 | 'r':
		return Var, 3, true
	case 'k'<<32 | 'v'<<24 | 'a'<<16 | 'r'<<8 | 'h':
		return VarHour, 3, true
	case 'v':
		return Volt, 0, true
	case 'a':
		return Ampere, 0, true
	case 'w':
		return Watt, 0, true
	case 'w'<<8 | 'h':
		return WattHour, 0, true
	case 'v'<<16 | 'a'<<8 | 'r':
		return Var, 0, true
	case 'v'<<24 | 'a'<<16 | 'r'<<8 | 'h':
		return VarHour, 0, true
	case 'v'<<8 | 'a':
		return VoltAmpere, 0, true
	case 'v'<<16 | 'a'<<8 | 'h':
		return VoltAmpereHour, 0, true
	case 'k'<<16 | 'v'<<8 | 'a':
		return VoltAmpere, 3, true
	case 'k'<<24 | 'v'<<16 | 'a'<<8 | 'h':
		return VoltAmpereHour, 3, true
	case 'm'<<8 | 'w':
		return Watt, 6, true
	case 'm'<<16 | 'w'<<8 | 'h':
		return WattHour, 6, true
	case 'h'<<8 | 'z':
		return Hertz, 0, true
	case 'm'<<8 | '3':
		return CubicMetre, 0, true
	case 'g'<<8 | 'j':
		return Joule, 9, true
	case 'm'<<8 | 'j':
		return Joule, 6, true
	case 's':
		return Second, 0, true
	case '%':
		return Percent, 0, true
	}
	return rareUnit(key)
}

// rareUnit knows the spellings that few meters use. It is apart so that the common ones stay quick to find.
func rareUnit(key uint64) (u Unit, prefix int8, ok bool) {
	switch key {
	case 'm'<<24 | 'v'<<16 | 'a'<<8 | 'r':
		return Var, 6, true
	case 'm'<<32 | 'v'<<24 | 'a'<<16 | 'r'<<8 | 'h':
		return VarHour, 6, true
	case 'm'<<16 | 'v'<<8 | 'a':
		return VoltAmpere, 6, true
	case 'm'<<8 | 'a':
		return Ampere, -3, true // no current of a meter is in megaampere
	case 'm'<<8 | 'v':
		return Volt, -3, true
	case 'k'<<8 | 'v':
		return Volt, 3, true
	case 'k'<<8 | 'a':
		return Ampere, 3, true
	case 'k'<<16 | 'h'<<8 | 'z':
		return Hertz, 3, true
	case 'd'<<24 | 'e'<<16 | 'g'<<8 | 'c', 0xC2<<16 | 0xB0<<8 | 'c', 0xB0<<8 | 'c':
		return DegreeCelsius, 0, true
	case 'k'<<8 | 'j':
		return Joule, 3, true
	case 'j':
		return Joule, 0, true
	case 'm'<<16 | 0xC2<<8 | 0xB3, 'm'<<8 | 0xB3: // m³ in UTF-8, in Latin-1
		return CubicMetre, 0, true
	case 'n'<<16 | 'm'<<8 | '3':
		return CubicMetreCorrected, 0, true
	case 'd'<<16 | 'm'<<8 | '3':
		return CubicMetre, -3, true
	case 'l':
		return Litre, 0, true
	case 'm'<<24 | '3'<<16 | '/'<<8 | 'h':
		return CubicMetrePerHour, 0, true
	case 'd'<<16 | 'e'<<8 | 'g', 0xC2<<8 | 0xB0, 0xB0:
		return Degree, 0, true
	case 'i'<<16 | 'm'<<8 | 'p':
		return Count, 0, true
	case 'm'<<16 | 'i'<<8 | 'n':
		return Minute, 0, true
	case 'h':
		return Hour, 0, true
	}
	return None, 0, false
}
