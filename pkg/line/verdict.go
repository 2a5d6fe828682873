package line

import "cmp"

// A Verdict is the most likely fault of a line. The zero value is Silent.
type Verdict byte

// The verdicts, from the least to the most informative. The verdicts TooFewBytes to Inverted are signs of a wrong line setting or signal. FrameHeaders
// and P1Lines are more informative, because parts of telegrams arrive only with the right setting. DamagedBytes to LoginPrompt are the most
// informative: they are faults between meter and program. If a line has several faults, the verdict is the fault that the user must correct
// first. For example, an inverted line at another speed is OtherBaud.
const (
	Silent            Verdict = iota // no bytes
	TooFewBytes                      // fewer than 64 bytes
	Unrecognised                     // bytes of no known pattern
	OtherBaud                        // the line is read faster than the meter sends; if it is read more slowly: Unrecognised or TooFewBytes
	OtherParity                      // the speed is right; the parity or the number of data bits is wrong
	Inverted                         // the signal is inverted
	FrameHeaders                     // valid headers of HDLC or M-Bus frames
	P1Lines                          // well-formed lines of P1 telegrams
	DamagedBytes                     // bytes of telegrams are missing or changed
	LineEndsRewritten                // a program on the way rewrites line ends
	Telnet                           // a gateway uses the telnet protocol, which doubles each FF
	WebServer                        // a web server answers
	LoginPrompt                      // a program asks for a name or a password
)

// Compare compares two verdicts on one line that was read with different settings. The result is negative if a is more informative
// than b, positive if a is less informative, and 0 if a and b are the same. So the first verdict of a sorted slice is the most informative.
func Compare(a, b Verdict) int { return cmp.Compare(b, a) }

// SuggestsOtherSetting reports whether the line setting is probably wrong, so that the user should try another setting.
func (v Verdict) SuggestsOtherSetting() bool { return v >= TooFewBytes && v <= OtherParity }

// String returns a word for the verdict, such as "other-baud". The words never change, so programs can store and compare them.
func (v Verdict) String() string { return verdicts[v].word }

// Advice tells the user the likely cause and what to do. The text fits after an introduction such as "no telegram at 2400 8E1: ", and has no
// full stop at its end. It does not say how to change the line setting, because that depends on the program.
func (v Verdict) Advice() string { return verdicts[v].advice }

var verdicts = [256]struct{ word, advice string }{
	Silent: {"silent", "no bytes: the port is most likely not activated, or the cable is not plugged in. Ask your grid company to activate the" +
		" HAN port (free in Sweden). After an overload the port switches itself off and must be activated again"},
	TooFewBytes: {"too-few", "only a few bytes: wait a minute, because meters send every 1 to 10 seconds. If no more bytes arrive, the line is" +
		" read at another speed than the meter sends"},
	Unrecognised: {"unclear", "no meter sends such bytes at this setting: try another setting. If the result is the same at every setting, look for" +
		" a loose ground wire or the wrong adapter (RJ12 is P1, RJ45 is M-Bus), or ask if the port belongs to another device"},
	OtherBaud: {"other-baud", "the meter sends much more slowly than the line is read: set the line to the speed that your grid company names" +
		" (P1 ports 115200 8N1, M-Bus ports 2400 8E1)"},
	OtherParity: {"other-parity", "the speed is right, but the parity or the number of data bits is wrong: set the line to the same speed" +
		" with another of 8N1, 8E1 and 7E1"},
	Inverted:     {"inverted", "looks like an inverted signal. A P1 port (RJ12) needs an inverting cable; an M-Bus port (RJ45) needs an M-Bus adapter"},
	FrameHeaders: {"frames", "frames arrive, but no complete message: wait for the next message"},
	P1Lines:      {"text", "lines of P1 telegrams arrive, but no complete telegram: wait for the next telegram"},
	DamagedBytes: {"lossy", "telegrams arrive with bytes missing or damaged. Most often the gateway or a weak adapter is at fault: give its serial port a" +
		" buffer of at least 1 kB, try another cable or a USB adapter with an FTDI chip, and end other programs that read the port"},
	LineEndsRewritten: {"cooked", "a program on the way rewrites line ends. Set the gateway or ser2net to raw, not telnet or text;" +
		" with stty, add raw to the settings of the port"},
	Telnet: {"telnet", "the gateway speaks telnet, which changes bytes of the meter. Set the gateway to raw mode (ser2net 4: accepter: tcp,PORT" +
		" without telnet; ser2net 3: raw in place of telnet; other gateways: raw TCP in place of telnet or RFC 2217)"},
	WebServer: {"web", "a web server answers, so this port is not the port on which the reader sends the meter's bytes. Look up the right port" +
		" in the manual or on the web page of the reader, and set the right port"},
	LoginPrompt: {"login", "a program asks for a login, so this port is not the port on which the reader sends the meter's bytes. Look up the right" +
		" port in the manual of the reader, and set the right port. In some gateways you must switch off the login of the port"},
}
