package line

// text reads along as if the bytes were P1 telegrams, and counts lines.
type text struct {
	state    state
	marks    uint16 // the marks of the code so far, three bits each
	returns  int    // CR in this line
	begun    bool   // a line end has been seen, so that this line is whole
	good     int64  // data lines that are well formed
	bad      int64  // lines that are not
	bare     int64  // good ones that end with LF alone
	returned int64  // good ones that end with more than one CR before LF
}

// filling is what Hungarian meters of Sanxing send in place of each character of a message that was never set.
const filling = 0xFF

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

// wholeCode is marks of A-B:C.D.E, the others those of A-B:C.D.E*F and A-B:C.D.E.F.
const (
	wholeCode   = dash<<9 | colon<<6 | dot<<3 | dot
	withStorage = wholeCode<<3 | star
	dotted      = wholeCode<<3 | dot
)

const (
	dash = iota + 1
	colon
	dot
	star
)

var markOf = [256]uint16{'-': dash, ':': colon, '.': dot, '*': star}

func (t *text) add(x byte) {
	switch {
	case x == '\n':
		t.endLine()
	case x == '\r':
		t.returns++
	case x == filling && t.state == inValue:
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
		switch x {
		case '(':
			t.state = inValue
		case ')':
		default:
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

func (t *text) code(x byte) {
	switch m := markOf[x]; {
	case x-'0' <= 9:
	case m != 0 && t.marks < 1<<12:
		t.marks = t.marks<<3 | m
	case x == '(' && (t.marks == wholeCode || t.marks == withStorage || t.marks == dotted):
		t.state = inValue
	default:
		t.state = broken
	}
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
	t.state, t.marks, t.returns, t.begun = atStart, 0, 0, true
}

// verdict judges lines that are P1 telegrams.
func (t *text) verdict() Verdict {
	switch {
	case t.bare*2 > t.good, t.returned*2 > t.good:
		return Cooked
	case t.bad*33 >= t.good:
		return Lossy
	}
	return Text
}
