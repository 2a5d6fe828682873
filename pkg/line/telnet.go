package line

// A TelnetFilter removes the telnet protocol (RFC 854) from the stream of a gateway. It drops negotiations, and turns FF FF into FF. It never
// answers a negotiation.
//
// The filter changes only a stream that begins with a negotiation, because no meter sends one. It stops at the first FF that begins neither
// a command nor FF FF, because that FF shows that the gateway does not double the meter's bytes. All further bytes then pass unchanged. A
// NUL after a CR is not removed, because the NUL is possibly a byte of the meter.
//
// The zero value is ready for the beginning of a stream. A TelnetFilter is not safe for concurrent use.
type TelnetFilter struct {
	mode                 telnetMode
	position             telnetPosition
	verb                 byte // WILL, WONT, DO or DONT
	negotiations         int
	subnegotiationLength int // length of the current subnegotiation in bytes, without its FF FA
}

type telnetMode byte

const (
	telnetUndecided telnetMode = iota // the first negotiation is not complete
	telnetOn                          // the stream began with a negotiation
	telnetOff                         // all further bytes pass unchanged
)

// telnetPosition is the position of the next byte in a command.
type telnetPosition byte

const (
	inData telnetPosition = iota
	afterIAC
	afterVerb
	inSubnegotiation
	afterInnerIAC // after an FF in a subnegotiation; FF F0 ends the subnegotiation
)

// Commands of telnet (RFC 854, RFC 855, RFC 885).
const (
	telnetEOR  = 0xEF
	telnetSE   = 0xF0
	telnetSB   = 0xFA
	telnetWill = 0xFB
	telnetDont = 0xFE
	telnetIAC  = 0xFF

	maxOption         = 49  // the highest option that gateways negotiate
	maxSubnegotiation = 128 // in bytes; subnegotiations of gateways have fewer than 20
)

// firstOptions are the options that gateways negotiate first: binary, echo, suppress go ahead, terminal type and speed, window size, line
// mode, environment and COM port control (RFC 2217). Another number after FF FB at the start of a stream is possibly a byte of a value,
// because a connection can begin in the middle of a telegram.
var firstOptions = [256]bool{0: true, 1: true, 3: true, 24: true, 31: true, 32: true, 34: true, 39: true, 44: true}

// PassesThrough reports whether all further bytes of the stream pass unchanged. Append then only copies them.
func (t *TelnetFilter) PassesThrough() bool { return t.mode == telnetOff }

// Negotiated reports whether the stream began with a telnet negotiation. A single negotiation does not count if an FF that is not doubled
// follows, because the bytes of the negotiation are then possibly a value of the meter.
func (t *TelnetFilter) Negotiated() bool {
	return t.negotiations > 1 || t.negotiations > 0 && t.mode == telnetOn
}

// Pending returns the number of bytes of an incomplete command: 0, 1 or 2. The filter has read these bytes and not yet appended them.
func (t *TelnetFilter) Pending() int {
	switch t.position {
	case afterIAC:
		return 1
	case afterVerb:
		return 2
	default:
		return 0
	}
}

// Append filters b, the next bytes of the stream. It appends the result to dst and returns the extended slice. b can be a part of the array
// of dst if b begins at least Pending bytes after the end of dst.
func (t *TelnetFilter) Append(dst, b []byte) []byte {
	for i, x := range b {
		if t.mode == telnetOff {
			return append(dst, b[i:]...)
		}
		dst = t.add(dst, x)
	}
	return dst
}

// add processes the next byte.
func (t *TelnetFilter) add(dst []byte, x byte) []byte {
	switch t.position {
	case afterIAC:
		return t.command(dst, x)
	case afterVerb:
		t.position = inData
		unlikelyFirst := t.mode == telnetUndecided && !firstOptions[x]
		noOption := x > maxOption && x != telnetIAC // RFC 861 defines option 255
		if unlikelyFirst || noOption {
			return t.stop(dst, telnetIAC, t.verb, x)
		}
		t.mode = telnetOn
		t.negotiations++
	case inSubnegotiation:
		t.subnegotiationLength++
		switch {
		case t.subnegotiationLength > maxSubnegotiation: // too long for a subnegotiation: these are bytes of the meter
			t.mode, t.position = telnetOff, inData
		case x == telnetIAC:
			t.position = afterInnerIAC
		}
	case afterInnerIAC:
		t.position = inSubnegotiation
		if x == telnetSE {
			t.position = inData
		}
	case inData:
		return t.data(dst, x)
	}
	return dst
}

// data processes a byte that belongs to no command.
func (t *TelnetFilter) data(dst []byte, x byte) []byte {
	switch {
	case x == telnetIAC:
		t.position = afterIAC
		return dst
	case t.mode == telnetUndecided:
		return t.stop(dst, x)
	}
	return append(dst, x)
}

// command processes the byte after an FF.
func (t *TelnetFilter) command(dst []byte, x byte) []byte {
	t.position = inData
	switch {
	case x >= telnetWill && x <= telnetDont:
		t.verb, t.position = x, afterVerb
	case t.mode == telnetUndecided:
		return t.stop(dst, telnetIAC, x)
	case x == telnetSB:
		t.position, t.subnegotiationLength = inSubnegotiation, 0
	case x == telnetIAC:
		return append(dst, x)
	case x < telnetEOR:
		return t.stop(dst, telnetIAC, x)
	}
	return dst
}

// stop appends bytes of the meter that looked like a command, and lets all further bytes pass unchanged.
func (t *TelnetFilter) stop(dst []byte, b ...byte) []byte {
	t.mode = telnetOff
	return append(dst, b...)
}
