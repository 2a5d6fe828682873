package line

import "strings"

// p1Scanner scans a stream for the lines of P1 telegrams, and counts them.
type p1Scanner struct {
	state        state
	separators   [5]byte // of the code in this line
	separatorLen int
	returns      int   // CR in this line
	wholeLine    bool  // a line end was seen before this line, so that it is whole
	wellFormed   int64 // data lines
	malformed    int64 // other lines
	lfAlone      int64 // well-formed lines that end with LF alone
	moreCR       int64 // well-formed lines that end with more than one CR before LF
}

// state is the place in a line after the last byte.
type state byte

const (
	atStart state = iota
	inCode
	inValue
	afterValue
	inOther // an identification line, or the end of a telegram
	malformed
)

// add adds the next byte of the stream.
func (t *p1Scanner) add(x byte) {
	switch {
	case x == '\n':
		t.endLine()
	case x == '\r':
		t.returns++
	case x == 0xFF && t.state == inValue: // Hungarian meters of Sanxing send FF in a text message that was never set
	case x < ' ' || x >= 0x7F:
		t.state = malformed
	default:
		t.character(x)
	}
}

// character adds a printable character.
func (t *p1Scanner) character(x byte) {
	switch t.state {
	case atStart:
		t.state = stateAfterFirst(x)
	case inCode:
		t.code(x)
	case inValue:
		if x == ')' {
			t.state = afterValue
		}
	case afterValue:
		if x == '(' {
			t.state = inValue
		} else if x != ')' {
			t.state = malformed
		}
	case inOther, malformed:
	}
}

// stateAfterFirst returns the state after x, the first character of a line. DSMR 2.2 and 3 send the value of a gas meter in a line of its
// own, which begins with a parenthesis.
func stateAfterFirst(x byte) state {
	switch {
	case x == '/' || x == '!':
		return inOther
	case x == '(':
		return inValue
	case x-'0' <= 9:
		return inCode
	}
	return malformed
}

// code adds a character of a code: A-B:C.D.E, A-B:C.D.E*F or A-B:C.D.E.F.
func (t *p1Scanner) code(x byte) {
	switch {
	case x-'0' <= 9:
		return
	case strings.IndexByte("-:.*", x) >= 0 && t.separatorLen < len(t.separators):
		t.separators[t.separatorLen] = x
		t.separatorLen++
		return
	case x == '(':
		switch string(t.separators[:t.separatorLen]) {
		case "-:..", "-:..*", "-:...":
			t.state = inValue
			return
		}
	}
	t.state = malformed
}

// endLine counts the line that ends here.
func (t *p1Scanner) endLine() {
	switch t.state {
	case afterValue:
		t.wellFormed++
		if t.returns == 0 {
			t.lfAlone++
		}
		if t.returns > 1 {
			t.moreCR++
		}
	case inCode, inValue, malformed:
		if t.wholeLine {
			t.malformed++
		}
	case atStart, inOther:
	}
	t.state, t.separatorLen, t.returns, t.wholeLine = atStart, 0, 0, true
}

// verdict returns the verdict on a stream in which lines of P1 telegrams were found.
func (t *p1Scanner) verdict() Verdict {
	switch {
	case t.lfAlone*2 > t.wellFormed, t.moreCR*2 > t.wellFormed:
		return LineEndsRewritten
	case t.malformed*33 >= t.wellFormed:
		return DamagedBytes
	}
	return P1Lines
}
