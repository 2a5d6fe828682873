package line

// TelnetFilter undoes the telnet protocol (RFC 854) of a gateway that speaks it in place of passing on the bytes of its serial port:
// negotiations are taken away, and FF FF becomes FF. It begins only where the first bytes of the stream are a negotiation, which no meter
// sends, and ends where an FF stands alone: the gateway sends the meter's bytes as they are. Any other stream passes unchanged. A NUL
// behind a CR stays, since it may be the meter's. The zero value is at the beginning of a stream. Nothing is ever answered.
type TelnetFilter struct {
	mode     telnetMode
	part     telnetPart
	verb     byte // WILL, WONT, DO or DONT
	commands int  // negotiations
	inside   int  // bytes of the subnegotiation
}

type telnetMode byte

const (
	telnetFresh telnetMode = iota // nothing has come, or no whole negotiation
	telnetOn
	telnetOff
)

// telnetPart is where in a command the next byte stands.
type telnetPart byte

const (
	inData telnetPart = iota
	behindIAC
	behindVerb
	inSubnegotiation
	behindInnerIAC
)

// RFC 854, RFC 855 and RFC 885 (EOR).
const (
	telnetEOR  = 0xEF
	telnetSE   = 0xF0
	telnetSB   = 0xFA
	telnetWill = 0xFB
	telnetDont = 0xFE
	telnetIAC  = 0xFF

	highestOption = 49  // of those that are assigned; behind them are none that a gateway negotiates
	longestInside = 128 // bytes of a subnegotiation; those of gateways have fewer than 20
)

// opens tells which options a gateway negotiates first: binary, echo, suppress go ahead, terminal type and speed, window size,
// line mode, environment and COM port control (RFC 2217). Others may be values of a meter: a connection can begin within a telegram.
var opens = [256]bool{0: true, 1: true, 3: true, 24: true, 31: true, 32: true, 34: true, 39: true, 44: true}

// PassesThrough tells that all further bytes pass unchanged.
func (t *TelnetFilter) PassesThrough() bool { return t.mode == telnetOff }

// Negotiated tells that the stream is one in telnet mode. A single negotiation at its beginning does not say so where an FF that
// stands alone has come behind it: that one may have been a value.
func (t *TelnetFilter) Negotiated() bool {
	return t.commands > 1 || t.commands > 0 && t.mode == telnetOn
}

// Pending is how many bytes wait for the next ones, at most 2.
func (t *TelnetFilter) Pending() int {
	switch t.part {
	case behindIAC:
		return 1
	case behindVerb:
		return 2
	default:
		return 0
	}
}

// Append appends to dst what the next bytes of the stream stand for. b may be a part of the array of dst that begins Held bytes
// behind its end or later.
func (t *TelnetFilter) Append(dst, b []byte) []byte {
	for i, x := range b {
		if t.mode == telnetOff {
			return append(dst, b[i:]...)
		}
		dst = t.add(dst, x)
	}
	return dst
}

func (t *TelnetFilter) add(dst []byte, x byte) []byte {
	switch t.part {
	case behindIAC:
		return t.command(dst, x)
	case behindVerb:
		t.part = inData
		if t.mode == telnetFresh && !opens[x] || x > highestOption && x != telnetIAC {
			return t.end(dst, telnetIAC, t.verb, x)
		}
		t.mode = telnetOn
		t.commands++
	case inSubnegotiation:
		t.inside++
		switch {
		case t.inside > longestInside: // one that does not end was none
			t.mode, t.part = telnetOff, inData
		case x == telnetIAC:
			t.part = behindInnerIAC
		}
	case behindInnerIAC:
		if t.part = inSubnegotiation; x == telnetSE {
			t.part = inData
		}
	case inData:
		return t.data(dst, x)
	}
	return dst
}

// data takes in a byte that belongs to no command.
func (t *TelnetFilter) data(dst []byte, x byte) []byte {
	switch {
	case x == telnetIAC:
		t.part = behindIAC
		return dst
	case t.mode == telnetFresh:
		return t.end(dst, x)
	}
	return append(dst, x)
}

// command takes in the byte behind an FF.
func (t *TelnetFilter) command(dst []byte, x byte) []byte {
	t.part = inData
	switch {
	case x >= telnetWill && x <= telnetDont:
		t.verb, t.part = x, behindVerb
	case t.mode == telnetFresh:
		return t.end(dst, telnetIAC, x)
	case x == telnetSB:
		t.part, t.inside = inSubnegotiation, 0
	case x == telnetIAC:
		return append(dst, x)
	case x < telnetEOR:
		return t.end(dst, telnetIAC, x)
	}
	return dst
}

// end gives back bytes that were held, and passes on all that follow.
func (t *TelnetFilter) end(dst []byte, held ...byte) []byte {
	t.mode = telnetOff
	return append(dst, held...)
}
