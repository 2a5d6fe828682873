package doctor

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/daemon"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/render"
	"github.com/hanbridge/hanbridge/pkg/line"
)

// The codes of verdicts. The text of a line.Verdict, such as "inverted", is a code too.
const (
	codeWell         = "well"
	codeNoPort       = "no-port"
	codeNoPermission = "no-permission"
	codeInUse        = "in-use"
	codePort         = "port"           // the port cannot be opened or read for another reason
	codeSetting      = "setting"        // the configured line setting is wrong
	codeChecksum     = "checksum"       // the checksum of each telegram is wrong
	codeUnknown      = "unknown-meter"  // telegrams arrive intact, but hanbridge cannot read them
	codeNoKey        = "no-key"         // telegrams are encrypted, and no key is given
	codeWrongKey     = "wrong-key"      // the encryption key does not fit
	codeWrongAuthKey = "wrong-auth-key" // the encryption key fits, the authentication key does not
	codeBroker       = "broker"         // the bridge cannot work with the broker
	codeSilent       = "silent"         // no byte arrives
)

// portVerdict returns the verdict on a port that cannot be opened or read. Its text is the text of the error, which says what to do.
func portVerdict(err error) *verdict {
	text := err.Error()
	for _, cause := range []struct{ errorText, code string }{
		{"permission denied", codeNoPermission},
		{"reads it", codeInUse},
		{"one program at a time", codeInUse},
		{"no such port", codeNoPort},
	} {
		if strings.Contains(text, cause.errorText) {
			return &verdict{cause.code, text}
		}
	}
	return &verdict{codePort, text}
}

// lineVerdict returns the verdict on a port that gave no telegram at any line setting.
func (d *examination) lineVerdict(port config.Port, result probe.Result) *verdict {
	best, _ := result.Tried.Best() // the finding that says most about the line
	v, tried := best.Verdict, len(result.Tried)
	allChecksumsWrong := v == line.P1Lines && best.DamagedP1 > 1 && best.DamagedP1 == best.Damaged
	otherService := v == line.Telnet || v == line.WebServer || v == line.LoginPrompt
	closedErr, isClosedErr := errors.AsType[probe.ClosedError](result.Err)
	closedEarly := isClosedErr && closedErr != probe.ErrClosed // closed without an intact telegram
	switch {
	case port.Kind == config.ReplayPort && !otherService:
		return &verdict{v.String(), fmt.Sprintf("no telegram in %s: %s", port.Address, render.NoTelegramReason)}
	case v == line.Silent:
		return silentVerdict(port, (time.Duration(tried) * d.dwell).Round(time.Second))
	case allChecksumsWrong:
		return &verdict{codeChecksum, fmt.Sprintf("telegrams arrive on %s, but the checksum of each telegram is wrong: the cable or the adapter is most likely bad, "+
			"so try another. If that changes nothing, look at the text with: hanbridge capture %s --for 30s | hanbridge replay -; if "+
			"the numbers in the text are right, your meter is one of the few that send wrong checksums: set checksum: ignore",
			daemon.EndpointName(best.Endpoint), asArguments(best.Endpoint))}
	// The error says what to do after an early end of the connection. But enough bytes of a wrong line setting say more than the error.
	case closedEarly && (v == line.TooFewBytes || !v.SuggestsOtherSetting()):
		return &verdict{v.String(), result.Err.Error()}
	case port.Kind == config.TCPPort && v.SuggestsOtherSetting():
		return &verdict{v.String(), fmt.Sprintf("bytes but no telegram from %s: most likely the reader is set to another line setting than the meter's: "+
			"set the reader's own serial port to what the meter sends (P1 ports 115200 8N1, M-Bus ports 2400 8E1)", port)}
	case v == line.TooFewBytes || v == line.Unrecognised:
		return &verdict{v.String(), fmt.Sprintf("bytes but no telegram on %s at any of the %d settings tried, and the bytes are not like those of a "+
			"meter: look for a loose ground wire or the wrong adapter (RJ12 is P1, RJ45 is M-Bus), or find out whether another device is "+
			"connected to the port", port, tried)}
	case v == line.OtherBaud || v == line.OtherParity:
		what := "another speed"
		if v == line.OtherParity {
			what = "another parity or number of data bits"
		}
		return &verdict{v.String(), fmt.Sprintf("bytes but no telegram on %s: the meter sends with %s than any of the %d settings tried: ask your "+
			"grid company for speed and parity of the port, and type: hanbridge doctor %[1]s --serial \"9600 8E1\"", port, what, tried)}
	}
	return &verdict{v.String(), fmt.Sprintf("bytes but no telegram on %s: %s", daemon.EndpointName(best.Endpoint), probe.Advice(v))}
}

// asArguments returns the arguments with which a command reads an endpoint.
func asArguments(e probe.Endpoint) string {
	if e.Line == "" {
		return e.Port
	}
	return fmt.Sprintf("%s --serial %q", e.Port, e.Line)
}

// silentVerdict returns the verdict on a port on which no byte arrived.
func silentVerdict(port config.Port, listened time.Duration) *verdict {
	advice := strings.TrimPrefix(line.Silent.Advice(), "no bytes: ")
	if port.Kind == config.TCPPort {
		_, activation, _ := strings.Cut(advice, ". ") // the first sentence of advice is about a cable in this machine
		return &verdict{codeSilent, fmt.Sprintf("connected to %s, and no bytes in %v: is the reader's cable in the meter, and is this the reader's port for the "+
			"meter's bytes (see its manual)? Many readers serve one program at a time: stop other programs. If nothing helps, the meter's port is most "+
			"likely not activated. %s", port, listened, activation)}
	}
	return &verdict{codeSilent, fmt.Sprintf("no bytes in %v on %s at any setting: %s. After the port is plugged in or activated, wait a minute, "+
		"and then type hanbridge doctor again", listened, port, advice)}
}

// portArgument returns the port as an argument of a command, followed by a space. It returns "" if no port was examined.
func (d *examination) portArgument() string {
	if d.report.Port.Name == "" {
		return ""
	}
	return d.report.Port.Name + " "
}

// wellVerdict returns the verdict if nothing is wrong.
func (d *examination) wellVerdict() verdict {
	start := d.options.runCommand()
	switch {
	case d.meter().Port.Kind == config.ReplayPort:
		return verdict{codeWell, "the telegrams in the recording are well" + d.remark}
	case d.cfg.MQTT.URL == "" && d.report.Written != "":
		return verdict{codeWell, fmt.Sprintf("the meter is well%s. Its broker is not known, and mqtt.url in %s is only a guess: change that line "+
			"to the address of your broker; then start with: %s", d.remark, displayName(d.report.Written), start)}
	case d.cfg.MQTT.URL == "":
		return verdict{codeWell, fmt.Sprintf("the meter is well%s. Tell hanbridge where your broker is, as mqtt.url or "+
			"HANBRIDGE_MQTT_URL=mqtt://ADDRESS; then start with: %s", d.remark, start)}
	}
	return verdict{codeWell, fmt.Sprintf("all well%s. Start with: %s", d.remark, start)}
}
