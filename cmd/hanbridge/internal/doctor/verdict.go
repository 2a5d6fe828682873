package doctor

import (
	"fmt"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/render"
	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/line"
)

// A verdict says in a sentence what is wrong, and whose turn it is. Its code is for programs.
type verdict struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// The codes of verdicts, besides those of line.Verdict ("silent", "other-baud", "inverted" …).
const (
	codeWell         = "well"
	codeNoPort       = "no-port"
	codeNoPermission = "no-permission"
	codeInUse        = "in-use"
	codePort         = "port" // it cannot be opened for another reason
	codeSetting      = "setting"
	codeChecksum     = "checksum"
	codeUnknown      = "unknown-meter"
	codeNoKey        = "no-key"
	codeWrongKey     = "wrong-key"
	codeWrongAuthKey = "wrong-auth-key"
	codeBroker       = "broker"
	codeSilent       = "silent"
)

// portVerdict is about a port that cannot be read. The error says already what to do.
func portVerdict(err error) *verdict {
	text := err.Error()
	for _, known := range []struct{ words, code string }{
		{"permission denied", codeNoPermission},
		{"reads it", codeInUse},
		{"one program at a time", codeInUse},
		{"no such port", codeNoPort},
	} {
		if strings.Contains(text, known.words) {
			return &verdict{known.code, text}
		}
	}
	return &verdict{codePort, text}
}

// lineVerdict is about a port that gave no telegram at any setting.
func (d *examination) lineVerdict(port config.Port, tried probe.Findings) *verdict {
	best, bytes := tried.Best()
	at, v := port.String(), best.Verdict
	if best.Line != "" {
		at += " at " + best.Line
	}
	switch {
	case len(tried) == 0:
		return &verdict{codePort, port.String() + ": nothing was tried"}
	case port.Kind == config.ReplayPort && bytes == 0:
		return &verdict{codeSilent, port.Address + ": the recording is empty"}
	case port.Kind == config.ReplayPort && v != line.Telnet && v != line.Web && v != line.Login:
		return &verdict{v.String(), fmt.Sprintf("no telegram in %s: %s", port.Address, render.NoTelegram)}
	case v == line.Silent:
		return silentVerdict(port, time.Duration(len(tried))*d.dwell)
	case v == line.Text && best.DamagedP1 > 1 && best.DamagedP1 == best.Damaged:
		return &verdict{codeChecksum, fmt.Sprintf("telegrams arrive on %s, but the checksum of each is wrong: a bad cable or adapter is likeliest, "+
			"so try another. Where that changes nothing, look at the text with: hanbridge capture %s --for 30s | hanbridge replay -; if "+
			"its numbers are right, your meter is one of the few that send wrong checksums: set checksum: ignore", at, asArguments(best, port))}
	case v == line.TooFew && best.Closed:
		return &verdict{v.String(), fmt.Sprintf("%s closed after %d bytes, which are no telegram: most likely it is not a reader that passes "+
			"on the meter's bytes, or not its port for that: look up the port in its manual", port, best.Bytes)}
	case port.Kind == config.TCPPort && best.Closed && (v == line.Text || v == line.Frames || v == line.Lossy):
		return &verdict{v.String(), fmt.Sprintf("%s closed the connection within a telegram: look in the reader's settings for a time after "+
			"which it closes a connection, and at its power supply; then hanbridge doctor again", port)}
	case port.Kind == config.TCPPort && v.AboutSetting():
		return &verdict{v.String(), fmt.Sprintf("bytes but no telegram from %s: most likely the reader is set to another line setting than the meter's: "+
			"set the reader's own serial port to what the meter sends (P1 ports 115200 8N1, M-Bus ports 2400 8E1)", port)}
	case v == line.TooFew || v == line.Unclear:
		return &verdict{v.String(), fmt.Sprintf("bytes but no telegram on %s at any of the %d settings tried, and they are like nothing that a meter "+
			"sends: look for a loose ground wire or the wrong adapter (RJ12 is P1, RJ45 is M-Bus), or ask if the port belongs to another "+
			"device", port, len(tried))}
	case v == line.OtherBaud || v == line.OtherParity:
		what := "another speed"
		if v == line.OtherParity {
			what = "another parity or number of data bits"
		}
		return &verdict{v.String(), fmt.Sprintf("bytes but no telegram on %s: the meter sends with %s than any of the %d settings tried: ask your "+
			"grid company for speed and parity of the port, and type: hanbridge doctor %s --serial \"9600 8E1\"", port, what, len(tried), port)}
	}
	return &verdict{v.String(), fmt.Sprintf("bytes but no telegram on %s: %s", at, trimmed(v))}
}

// asArguments names the wire for a command.
func asArguments(f probe.Finding, port config.Port) string {
	if f.Line == "" {
		return port.String()
	}
	return fmt.Sprintf("%s --serial %q", port, f.Line)
}

// silentReason stands before what to do in the advice about a silent serial port.
const silentReason = "no bytes: the port is most likely not activated, or the cable is not in it. "

func silentVerdict(port config.Port, listened time.Duration) *verdict {
	if port.Kind == config.TCPPort {
		return &verdict{codeSilent, fmt.Sprintf("connected to %s, and no bytes in %v: is the reader's cable in the meter, and is this its port for the "+
			"meter's bytes (look it up in its manual)? Many readers serve one program at a time: stop the others. If all that is right, the meter's port is most "+
			"likely not activated. %s", port, listened.Round(time.Second), strings.TrimPrefix(trimmed(line.Silent), silentReason))}
	}
	where := port.String()
	if port.Kind == config.SerialPort {
		where += " at any setting"
	}
	return &verdict{codeSilent, fmt.Sprintf("no bytes in %v on %s: %s. A port that was just plugged in or activated may need a minute: then "+
		"hanbridge doctor again", listened.Round(time.Second), where, strings.TrimPrefix(trimmed(line.Silent), "no bytes: "))}
}

func trimmed(v line.Verdict) string { return strings.TrimSuffix(v.Advice(), ".") }

// lockedVerdict is about a meter that encrypts.
func (d *examination) lockedVerdict(e dlms.LockedError) *verdict {
	switch {
	case e.AuthKey:
		return &verdict{codeWrongAuthKey, fmt.Sprintf("telegrams are encrypted (%s), and the key fits, but its authentication key does not: compare "+
			"auth_key (--auth-key) digit by digit with what your grid company gave you, %s", titleText(e.Title), render.WithoutAuthKey)}
	case e.Tried:
		return &verdict{codeWrongKey, fmt.Sprintf("telegrams are encrypted (%s), and the key does not fit: compare it digit by digit with what "+
			"your grid company gave you for this meter (%s); else ask them for the key of this very meter", titleText(e.Title), render.MaybeSwapped)}
	}
	return &verdict{codeNoKey, fmt.Sprintf("telegrams are encrypted (%s): ask your grid company for the key of this meter, write it into a file "+
		"that only you may read, and type: hanbridge doctor %s--key-file FILE", titleText(e.Title), d.portArgument())}
}

// portArgument is the port as an argument with a blank behind, nothing where it is found anyway.
func (d *examination) portArgument() string {
	if d.report.Port.Name == "" {
		return ""
	}
	return d.report.Port.Name + " "
}

// titleText shows of a system title what may be shown.
func titleText(title [8]byte) string {
	if sender := dlms.Sender(title); sender != "" {
		return "system title " + sender
	}
	return "no system title"
}

// well is the verdict where nothing is wrong.
func (d *examination) well() verdict {
	start := d.order.starts()
	switch {
	case d.meter().Port.Kind == config.ReplayPort:
		return verdict{codeWell, "the telegrams in it are well" + d.remark}
	case d.cfg.MQTT.URL == "" && d.report.Written != "":
		return verdict{codeWell, fmt.Sprintf("the meter is well%s. Its broker is not known, and mqtt.url in %s is only a guess: change that line "+
			"to the address of yours; then start with: %s", d.remark, relative(d.report.Written), start)}
	case d.cfg.MQTT.URL == "":
		return verdict{codeWell, fmt.Sprintf("the meter is well%s. Tell hanbridge where your broker is, as mqtt.url or "+
			"HANBRIDGE_MQTT_URL=mqtt://ADDRESS; then start with: %s", d.remark, start)}
	}
	return verdict{codeWell, fmt.Sprintf("all well%s. Start with: %s", d.remark, start)}
}
