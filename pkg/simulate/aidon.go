package simulate

import (
	"time"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A list is one of those that Aidon meters push in a data-notification (Aidon HAN interface description 1.1A for Norway,
// RJ12 HAN 1.3A for Sweden).
type list struct {
	// model is what a Norwegian meter says of itself. "": the Swedish list or list 1, in which the meter has no name.
	model string
	codes []obis.Code
}

// Who the Norwegian meters say they are. The number is nobody's.
const (
	norwegianList = "AIDON_V0001"
	serialNumber  = "7359990000000001"
)

// Codes of what is no number.
var (
	listCode   = obis.Code{1, 1, 0, 2, 129, obis.Any}
	serialCode = obis.Code{0, 0, 96, 1, 0, obis.Any}
	modelCode  = obis.Code{0, 0, 96, 1, 7, obis.Any}
)

// Parts of the lists: groups C of instant values, in the order of the wire.
var (
	totals    = []byte{1, 2, 3, 4}
	amperes   = []byte{31, 51, 71}
	volts     = []byte{32, 52, 72}
	perPhase  = []byte{21, 22, 23, 24, 41, 42, 43, 44, 61, 62, 63, 64}
	twoAmpere = []byte{31, 71} // three wires: the meter has no current of L2
)

// swedish is EFS: clock, instant values, energies. 27 items with three phases, 15 with one.
func swedish(phases int) list {
	codes := append([]obis.Code{clockCode}, instants(totals, amperes[:phases], volts[:phases], perPhase[:4*phases])...)
	return list{codes: append(codes, energies()...)}
}

// norwegian is list 2 of a model: who, and instant values. 13 items with three phases, 12 with three wires, 9 with one.
func norwegian(model string, amperes, volts []byte) list {
	who := []obis.Code{listCode, serialCode, modelCode}
	return list{model: model, codes: append(who, instants(totals, amperes, volts)...)}
}

// hourly is list 3, for a list 2: clock and energies besides.
func (l list) hourly() list {
	l.codes = append(append(l.codes, clockCode), energies()...)
	return l
}

// powerOnly is list 1.
func powerOnly() list { return list{codes: instants(totals[:1])} }

func instants(parts ...[]byte) []obis.Code {
	var codes []obis.Code
	for _, part := range parts {
		for _, c := range part {
			codes = append(codes, electric(c, instant))
		}
	}
	return codes
}

func energies() []obis.Code {
	var codes []obis.Code
	for _, c := range totals {
		codes = append(codes, electric(c, integral))
	}
	return codes
}

// append appends the list in one HDLC frame.
func (l list) append(dst []byte, s *State) []byte {
	at := *s
	if l.model != "" { // Norwegian clocks and counters are those of the last whole hour
		at.Time, at.Energies = s.Hour, s.HourEnergies
	}
	info := append(make([]byte, 0, hdlc.MaxLength), dlms.LLC...)
	info = dlms.AppendList(dlms.AppendNotification(info, 0x40000000), len(l.codes))
	for _, code := range l.codes {
		info = l.appendItem(info, code, &at)
	}
	return hdlc.Append(dst, hdlc.Frame{
		Destination: []byte{0x41}, Source: []byte{0x08, 0x83}, Control: 0x13, Info: info,
	})
}

func (l list) appendItem(dst []byte, code obis.Code, s *State) []byte {
	switch code {
	case listCode:
		return dlms.AppendText(dst, code, norwegianList)
	case serialCode:
		return dlms.AppendText(dst, code, serialNumber)
	case modelCode:
		return dlms.AppendText(dst, code, l.model)
	case clockCode:
		return l.appendClock(dst, s.Time)
	}
	return l.appendRegister(dst, code, s)
}

// appendClock writes Swedish normal time with no zone; in Norway people's time, with a zone of 0 that is not true.
func (l list) appendClock(dst []byte, t time.Time) []byte {
	if l.model == "" {
		c := swedishNormal.clock(t)
		c.Zone = false
		return dlms.AppendClock(dst, clockCode, c, 0, 0xFF)
	}
	c := centralEuropean.clock(t)
	c.Offset = 0
	return dlms.AppendClock(dst, clockCode, c, 0xFF, 0)
}

// appendRegister writes energies in Wh in Sweden, in 10 Wh in Norway.
func (l list) appendRegister(dst []byte, code obis.Code, s *State) []byte {
	t, scaler, unit := dlms.Uint32, int8(0), obis.Watt
	switch c := code[2] % 20; {
	case c == currentL1%20:
		t, scaler, unit = dlms.Int16, -1, obis.Ampere
	case c == voltageL1%20:
		t, scaler, unit = dlms.Uint16, -1, obis.Volt
	case code[3] == instant && c > 2:
		unit = obis.Var
	case code[3] == integral:
		unit = [...]obis.Unit{obis.WattHour, obis.WattHour, obis.VarHour, obis.VarHour}[c-1]
		if l.model != "" {
			scaler = 1
		}
	}
	return dlms.AppendRegister(dst, code, s.value(code, scaler, 1), t, scaler, unit)
}
