package doctor

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/render"
	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/line"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// protocolNames are the names of the protocols in the report.
var protocolNames = map[meter.Protocol]string{
	meter.P1: "P1", meter.HDLC: "HDLC", meter.MBus: "M-Bus", meter.Glo: "DLMS, encrypted", meter.APDU: "DLMS",
}

// reportTelegrams reports what the telegrams say about the line, the meter, its values and its encryption.
func (d *examination) reportTelegrams(context.Context) *verdict {
	o := d.found
	d.reportLineSetting(o)
	switch {
	case o.verifiedCount == 0 && o.encryptedErr != nil:
		return d.reportEncrypted(o.encryptedErr)
	case o.verifiedCount == 0:
		return &verdict{codeUnknown, "telegrams arrive intact, but hanbridge cannot read this kind of telegram yet: record a minute with hanbridge " +
			"capture " + d.portArgument() + "--for 60s --out meter.txt, and report the file"}
	}
	d.reportMeter(o)
	d.reportValues(o)
	d.reportCipher(o)
	return d.checkSerial(o.Line)
}

// reportLineSetting reports the line setting, the protocol, and when the first telegram arrived.
func (d *examination) reportLineSetting(o *observation) {
	l := &d.report.Line
	untilFirst := o.firstArrival.Sub(o.began)
	l.Setting, l.Protocol, l.Bytes, l.Checked = o.Line, o.protocol, o.bytes, o.checked
	l.After, l.Damaged, l.Telnet = untilFirst.Milliseconds(), o.Finding().Damaged, o.telnet
	text := fmt.Sprintf("%s, %d bytes, %s", protocolNames[o.protocol], o.bytes, o.verification())
	if o.Line != "" {
		text = o.Line + ": " + text
	}
	if l.Damaged > 0 {
		text += fmt.Sprintf(", %d damaged", l.Damaged)
	}
	if o.telnet {
		text += ", by telnet"
		d.remark = ", but " + line.Telnet.Advice()
	}
	d.printLine("line", fmt.Sprintf("%s (after %s s)", text, seconds(untilFirst)))
}

// authenticated is the bit of the security control byte that is set if an authentication tag ends the message. Green Book, 9.2.7.2.4.1.
const authenticated = 0x10

// verification returns the words of the report that say by what the telegrams were verified, or why none was.
func (o *observation) verification() string {
	switch {
	case o.verifiedCount == 0 && o.encryptedErr != nil:
		return "encrypted"
	case o.verifiedCount == 0:
		return "of an unknown kind"
	case o.checked:
		return "checksum right"
	case o.cipher.Security&authenticated != 0:
		return "decrypted, its authentication tag unchecked: no authentication key is given"
	case o.cipher.Security != 0:
		return "decrypted, without an authentication tag"
	}
	return "without a checksum, confirmed by a second telegram"
}

// seconds returns a duration in seconds with one decimal.
func seconds(d time.Duration) string { return fmt.Sprintf("%.1f", d.Seconds()) }

// reportMeter reports the make, the list, the interval, the serial number and the clock of the meter.
func (d *examination) reportMeter(o *observation) {
	m := meterReport{Make: o.meter.Make, Model: o.meter.Model, List: o.meter.List, Items: o.items}
	if n := len(o.meter.Serial); n > 0 {
		m.Number = "…" + o.meter.Serial[max(0, n-4):]
	}
	parts := []string{cmp.Or(strings.TrimSpace(m.Make+" "+m.Model), "make unknown"), o.listText()}
	isLive := d.meter().Port.Kind != config.ReplayPort // a recording is read faster than it was recorded, so arrival times say nothing
	if isLive && o.interval() > 0 {
		m.Interval = o.interval().Milliseconds()
		parts = append(parts, "every "+strings.TrimSuffix(seconds(o.interval()), ".0")+" s")
	}
	number := "no number sent"
	if m.Number != "" {
		number = "number " + m.Number
	}
	text := strings.Join(append(parts, number), ", ")
	if offset, ok := clockOffset(o.clock, o.lastArrival); ok && isLive {
		secondsAhead := int64(offset.Round(time.Second) / time.Second)
		m.Clock = &secondsAhead
		text += fmt.Sprintf("      clock %+d s", secondsAhead)
	}
	d.report.Meter = &m
	d.printLine("meter", text)
}

// listText returns the name and the length of the meter's list. Aidon sends two lists without a name: the Swedish list, and the Norwegian list
// of one item.
func (o *observation) listText() string {
	if o.protocol == meter.P1 && o.meter.List == "" {
		return "telegram of " + cli.Count(o.items, "line")
	}
	name := cmp.Or(o.meter.List, "list")
	if name == "list" && o.family == "aidon" && o.items > 1 {
		name = "Swedish list"
	}
	return name + " of " + cli.Count(o.items, "item")
}

// clockOffset returns by how much the meter's clock is ahead. Many meters do not send their time zone, and European zones are up to three
// hours ahead of UTC. Therefore clockOffset subtracts 0, 1, 2 or 3 hours, so that at most half an hour remains. ok is false if the clock is not
// valid, or if more than half an hour would remain.
func clockOffset(t obis.Time, received time.Time) (offset time.Duration, ok bool) {
	if t.IsZero() || !t.Valid() {
		return 0, false
	}
	t.Zone = false // the meter's local time is read as UTC, also if the meter sends its time zone
	offset = t.Time(time.UTC).Sub(received)
	hours := offset.Round(time.Hour)
	if hours < 0 || hours > 3*time.Hour {
		return 0, false
	}
	return offset - hours, true
}

// reportValues reports the quantities that the meter sends.
func (d *examination) reportValues(o *observation) {
	for _, id := range o.quantities() {
		d.report.Values = append(d.report.Values, id.String())
	}
	d.printLine("values", cmp.Or(summary(o.quantities()), "none that hanbridge knows"))
}

// reportCipher reports whether and how the telegrams are encrypted.
func (d *examination) reportCipher(o *observation) {
	if o.cipher == (meter.Cipher{}) {
		d.report.Cipher = &cipherReport{}
		d.printLine("cipher", "none")
		return
	}
	security := fmt.Sprintf("%02X", o.cipher.Security)
	d.report.Cipher = &cipherReport{Encrypted: true, Security: security, Maker: manufacturer(o.cipher.Title), Key: "fits"}
	d.printLine("cipher", fmt.Sprintf("security %s, %s, the key fits", security, systemTitleText(o.cipher.Title)))
}

// reportEncrypted reports a meter whose telegrams cannot be decrypted with the given keys, and returns the verdict.
func (d *examination) reportEncrypted(e *dlms.EncryptedError) *verdict {
	title := systemTitleText(e.Title)
	keyState, text, v := "missing", "no key is given", &verdict{codeNoKey, fmt.Sprintf("telegrams are encrypted (%s): ask your grid company for the key "+
		"of this meter, write the key into a file that only you can read, and type: hanbridge doctor %s--key-file FILE", title, d.portArgument())}
	switch {
	case e.AuthKey:
		keyState, text = "wrong-auth", "the key fits, its authentication key does not"
		v = &verdict{codeWrongAuthKey, fmt.Sprintf("telegrams are encrypted (%s), and the key fits, but its authentication key does not: compare "+
			"auth_key (--auth-key) digit by digit with what your grid company gave you, %s", title, render.OmitAuthKeyAdvice)}
	case e.Tried:
		keyState, text = "wrong", "the key does not fit"
		v = &verdict{codeWrongKey, fmt.Sprintf("telegrams are encrypted (%s), and the key does not fit: compare it digit by digit with what "+
			"your grid company gave you for this meter (%s); otherwise ask the company for the key of this meter", title, render.SwappedKeysAdvice)}
	}
	d.report.Cipher = &cipherReport{Encrypted: true, Maker: manufacturer(e.Title), Key: keyState}
	d.printLine("cipher", title+", "+text)
	return v
}

// systemTitleText returns a text with the part of a system title that does not contain the serial number.
func systemTitleText(title [8]byte) string {
	if redacted := dlms.RedactTitle(title); redacted != "" {
		return "system title " + redacted
	}
	return "no system title"
}

// manufacturer returns the three letters of a system title that name the manufacturer.
func manufacturer(title [8]byte) string {
	redacted := strings.TrimSuffix(dlms.RedactTitle(title), "…")
	return redacted[:min(len(redacted), 3)]
}
