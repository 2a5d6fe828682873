package obis

// A Unit is a physical unit, numbered as in IEC 62056-6-2, table 4 (the enum after a scaler). It has no prefix: kWh is
// Wh with 3 added to the number's exponent. The zero Unit is none.
type Unit uint8

// The units that meters in Europe send on a customer port.
const (
	None       Unit = 0
	Degree     Unit = 8
	CubicMetre Unit = 13
	// CubicMetreCorrected is m³ corrected to standard temperature and pressure.
	CubicMetreCorrected Unit = 14
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
	Second              Unit = 7
	// Count is a number of things, a factor or a ratio.
	Count Unit = 255
)

// String returns the symbol: "W", "varh", "m³". None, Count and units not listed here have none and give "".
func (u Unit) String() string {
	switch u {
	case Degree:
		return "°"
	case CubicMetre, CubicMetreCorrected:
		return "m³"
	case Joule:
		return "J"
	case Watt:
		return "W"
	case VoltAmpere:
		return "VA"
	case Var:
		return "var"
	case WattHour:
		return "Wh"
	case VoltAmpereHour:
		return "VAh"
	case VarHour:
		return "varh"
	case Ampere:
		return "A"
	case Volt:
		return "V"
	case Hertz:
		return "Hz"
	case Percent:
		return "%"
	case Second:
		return "s"
	default:
		return ""
	}
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
	return None, 0, false
}
