package line

import "strings"

// text reads along as if the bytes were P1 telegrams, and counts lines.
type text struct {
	state    state
	marks    [5]byte // of the code so far
	marked   int     // how many
	returns  int     // CR in this line
	begun    bool    // a line end has been seen, so that this line is whole
	good     int64   // data lines that are well formed
	bad      int64   // lines that are not
	bare     int64   // good ones that end with LF alone
	returned int64   // good ones that end with more than one CR before LF
}

// state is where in a line the last byte stood.
type state byte

const (
	atStart state = iota
	inCode
	inValue
	behindValue
	inOther // an identification line, or the end of a telegram
	broken
)

func (t *text) add(x byte) {
	switch {
	case x == '\n':
		t.endLine()
	case x == '\r':
		t.returns++
	case x == 0xFF && t.state == inValue: // what Hungarian meters of Sanxing fill a message with that was never set
	case x < ' ' || x >= 0x7F:
		t.state = broken
	default:
		t.character(x)
	}
}

func (t *text) character(x byte) {
	switch t.state {
	case atStart:
		t.state = firstOf(x)
	case inCode:
		t.code(x)
	case inValue:
		if x == ')' {
			t.state = behindValue
		}
	case behindValue:
		if x == '(' {
			t.state = inValue
		} else if x != ')' {
			t.state = broken
		}
	case inOther, broken:
	}
}

// firstOf returns what a line is that begins with x. DSMR 2.2 and 3 send a gas meter's value in a line of its own.
func firstOf(x byte) state {
	switch {
	case x == '/' || x == '!':
		return inOther
	case x == '(':
		return inValue
	case x-'0' <= 9:
		return inCode
	}
	return broken
}

// code takes in a byte of a code: A-B:C.D.E, A-B:C.D.E*F or A-B:C.D.E.F.
func (t *text) code(x byte) {
	switch {
	case x-'0' <= 9:
		return
	case strings.IndexByte("-:.*", x) >= 0 && t.marked < len(t.marks):
		t.marks[t.marked] = x
		t.marked++
		return
	case x == '(':
		switch string(t.marks[:t.marked]) {
		case "-:..", "-:..*", "-:...":
			t.state = inValue
			return
		}
	}
	t.state = broken
}

func (t *text) endLine() {
	switch t.state {
	case behindValue:
		t.good++
		if t.returns == 0 {
			t.bare++
		}
		if t.returns > 1 {
			t.returned++
		}
	case inCode, inValue, broken:
		if t.begun {
			t.bad++
		}
	case atStart, inOther:
	}
	t.state, t.marked, t.returns, t.begun = atStart, 0, 0, true
}

// verdict judges lines that are P1 telegrams.
func (t *text) verdict() Verdict {
	switch {
	case t.bare*2 > t.good, t.returned*2 > t.good:
		return LineEndsRewritten
	case t.bad*33 >= t.good:
		return DamagedBytes
	}
	return P1Lines
}
