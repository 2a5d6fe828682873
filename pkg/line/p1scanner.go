package line

import "strings"

// p1Scanner scans a stream for the lines of P1 telegrams, and counts them.
type p1Scanner struct {
	state        state
	separators   [5]byte // separators of the OBIS code in this line: "-:.." in 1-0:1.8.0
	separatorLen int
	returns      int  // number of CR in this line
	fromStart    bool // the scanner has read this line from its first byte

	// Numbers of lines. Identification lines and lines that begin with '!' are not counted.
	wellFormed int64 // data lines in the right form
	malformed  int64 // other lines that were read from their first byte
	withoutCR  int64 // well-formed lines that end with LF, without a CR
	severalCR  int64 // well-formed lines with more than one CR
}

// state is the state of a p1Scanner: the part of the line to which the next byte belongs.
type state byte

const (
	atStart state = iota
	inCode
	inValue
	afterValue
	inOther     // in an identification line, or in the line that begins with '!'
	inMalformed // in a line that is no data line
)

// add adds the next byte of the stream.
func (s *p1Scanner) add(x byte) {
	switch {
	case x == '\n':
		s.endLine()
	case x == '\r':
		s.returns++
	case x == 0xFF && s.state == inValue: // Hungarian meters of Sanxing fill an empty text message with FF
	case x < ' ' || x >= 0x7F:
		s.state = inMalformed
	default:
		s.character(x)
	}
}

// character adds a printable character.
func (s *p1Scanner) character(x byte) {
	switch s.state {
	case atStart:
		s.state = stateAfterFirst(x)
	case inCode:
		s.code(x)
	case inValue:
		if x == ')' {
			s.state = afterValue
		}
	case afterValue:
		if x == '(' {
			s.state = inValue
		} else if x != ')' {
			s.state = inMalformed
		}
	case inOther, inMalformed:
	}
}

// stateAfterFirst returns the state after x, the first character of a line. A line can begin with a parenthesis, because DSMR 2.2 and 3 send
// the value of a gas meter in the line after its code.
func stateAfterFirst(x byte) state {
	switch {
	case x == '/' || x == '!':
		return inOther
	case x == '(':
		return inValue
	case x-'0' <= 9:
		return inCode
	}
	return inMalformed
}

// code adds a character of a code: A-B:C.D.E, A-B:C.D.E*F or A-B:C.D.E.F.
func (s *p1Scanner) code(x byte) {
	switch {
	case x-'0' <= 9:
		return
	case strings.IndexByte("-:.*", x) >= 0 && s.separatorLen < len(s.separators):
		s.separators[s.separatorLen] = x
		s.separatorLen++
		return
	case x == '(':
		switch string(s.separators[:s.separatorLen]) {
		case "-:..", "-:..*", "-:...":
			s.state = inValue
			return
		}
	}
	s.state = inMalformed
}

// endLine counts the line that ends here.
func (s *p1Scanner) endLine() {
	switch s.state {
	case afterValue:
		s.wellFormed++
		if s.returns == 0 {
			s.withoutCR++
		}
		if s.returns > 1 {
			s.severalCR++
		}
	case inCode, inValue, inMalformed:
		if s.fromStart {
			s.malformed++
		}
	case atStart, inOther:
	}
	s.state, s.separatorLen, s.returns, s.fromStart = atStart, 0, 0, true
}

// verdict returns the verdict on a stream in which lines of P1 telegrams were found.
func (s *p1Scanner) verdict() Verdict {
	switch {
	case s.withoutCR*2 > s.wellFormed, s.severalCR*2 > s.wellFormed:
		return LineEndsRewritten
	case s.malformed*33 >= s.wellFormed: // about 3 % or more
		return DamagedBytes
	}
	return P1Lines
}
