package simulate

import (
	"strconv"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/p1"
)

// A layout is how a make writes the telegram of the Swedish branch recommendation 2.0, annex 3. Makes differ in what they
// call themselves, the order of lines, the spelling of units, and the sign of currents.
type layout struct {
	ident  string
	phases byte
	order  order
	units  units
	zone   zone
	// signed is for meters that show a current towards the grid as negative.
	signed bool
	// ratio is that of the current transformers. 0: there are none, and no line about them.
	ratio int64
}

// An order is that of the powers of the phases: groups C in the places of L1, L2 and L3.
type order [2][6]byte

var (
	// interleaved: import and export of L1, then of L2 (Aidon, Kaifa, Landis+Gyr).
	interleaved = order{{21, 22, 41, 42, 61, 62}, {23, 24, 43, 44, 63, 64}}
	// grouped: import of all phases, then export (Kamstrup, Sagemcom).
	grouped = order{{21, 41, 61, 22, 42, 62}, {23, 43, 63, 24, 44, 64}}
)

// units are those of energy, reactive energy, power and reactive power, with their common prefix.
type units struct {
	prefix                                       int8
	energy, reactiveEnergy, power, reactivePower string
}

var (
	kilo      = units{3, "kWh", "kVArh", "kW", "kVAr"}
	kiloLower = units{3, "kWh", "kvarh", "kW", "kvar"}
	plain     = units{0, "Wh", "VArh", "W", "VAr"}
)

// append appends one telegram.
func (l layout) append(dst []byte, s *State) []byte {
	var lines [29]p1.Line
	w := lineWriter{layout: &l, state: s, lines: lines[:0]}
	w.clock()
	for c := byte(1); c <= 4; c++ {
		w.number(c, integral)
	}
	for c := byte(1); c <= 4; c++ {
		w.number(c, instant)
	}
	for _, half := range l.order {
		for _, c := range half {
			if c/20 <= l.phases {
				w.number(c, instant)
			}
		}
	}
	for _, first := range [...]byte{voltageL1, currentL1} {
		for i := range l.phases {
			w.number(first+20*i, instant)
		}
	}
	w.ratios()
	return p1.Append(dst, l.ident, w.lines)
}

type lineWriter struct {
	layout *layout
	state  *State
	lines  []p1.Line
}

func (w *lineWriter) text(code obis.Code, text string) {
	w.lines = append(w.lines, p1.Line{Code: code, Text: text})
}

// clock writes the letters of Central Europe, W and S, for an hour further east too: that is what Finnish meters send.
func (w *lineWriter) clock() {
	c := w.layout.zone.clock(w.state.Time)
	c.Offset -= w.layout.zone.normal - centralEuropean.normal
	w.text(clockCode, p1.FormatTime(c))
}

// number writes a line with the digits of annex 3: 8.3 for energies, 4.3 for powers, 3.1 for voltages and currents.
func (w *lineWriter) number(c, d byte) {
	u := &w.layout.units
	line := p1.Line{Code: electric(c, d), Digits: 4, Decimals: 3}
	exp := u.prefix - 3
	switch {
	case d == integral:
		line.Digits, line.Unit = 8, u.energy
		if c > 2 {
			line.Unit = u.reactiveEnergy
		}
	case c%20 == voltageL1%20:
		line.Digits, line.Decimals, line.Unit, exp = 3, 1, "V", -1
	case c%20 == currentL1%20:
		line.Digits, line.Decimals, line.Unit, exp = 3, 1, "A", -1
	default:
		line.Unit = u.power
		if (c-1)%20 > 1 {
			line.Unit = u.reactivePower
		}
	}
	line.Value = w.state.value(line.Code, exp, max(w.layout.ratio, 1))
	if !w.layout.signed && line.Value.Sign() < 0 {
		line.Value = line.Value.Neg()
	}
	w.lines = append(w.lines, line)
}

// ratios writes those of the transformers for current and voltage, where there are any (Aidon 6560).
func (w *lineWriter) ratios() {
	if w.layout.ratio == 0 {
		return
	}
	w.text(obis.Code{1, 0, 0, 4, 2, obis.Any}, strconv.FormatInt(w.layout.ratio, 10))
	w.text(obis.Code{1, 0, 0, 4, 3, obis.Any}, "001.00")
}

var clockCode = obis.Code{0, 0, 1, 0, 0, obis.Any}

func electric(c, d byte) obis.Code { return obis.Code{1, 0, c, d, 0, obis.Any} }
