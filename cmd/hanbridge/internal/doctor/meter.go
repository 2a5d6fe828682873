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

// protocolNames are those that people know.
var protocolNames = map[meter.Protocol]string{
	meter.P1: "P1", meter.HDLC: "HDLC", meter.MBus: "M-Bus", meter.Glo: "DLMS, ciphered", meter.APDU: "DLMS",
}

// readMeter says what was heard of the meter.
func (d *examination) readMeter(context.Context) *verdict {
	o := d.found
	d.tellLine(o)
	switch {
	case o.verified == 0 && o.lock != nil:
		return d.tellLocked(o.lock)
	case o.verified == 0:
		return &verdict{codeUnknown, "telegrams arrive whole, but of a kind that hanbridge does not read yet: capture a minute with hanbridge " +
			"capture " + d.portArgument() + "--for 60s --out meter.txt and report it"}
	}
	d.tellMeter(o)
	d.tellValues(o)
	d.tellCipher(o)
	return d.judgeSetting(o.Line)
}

func (d *examination) tellLine(o *observation) {
	l := &d.report.Line
	after := o.first.Sub(o.began)
	l.Setting, l.Protocol, l.Bytes, l.Checked = o.Line, o.protocol, o.bytes, o.checked
	l.After, l.Damaged, l.Telnet = after.Milliseconds(), o.Finding().Damaged, o.telnet
	text := fmt.Sprintf("%s, %d bytes, %s", protocolNames[o.protocol], o.bytes, o.soundness())
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
	d.say("line", fmt.Sprintf("%s (after %s s)", text, seconds(after)))
}

// authenticated is the bit of a security byte that says that a tag ends the message. Green Book, 9.2.7.2.4.1.
const authenticated = 0x10

// soundness is what vouches for a telegram.
func (o *observation) soundness() string {
	switch {
	case o.verified == 0 && o.lock != nil:
		return "encrypted"
	case o.verified == 0:
		return "of an unknown kind"
	case o.checked:
		return "checksum right"
	case o.cipher.Security&authenticated != 0:
		return "deciphered, its authentication tag unchecked: no authentication key is given"
	case o.cipher.Security != 0:
		return "deciphered, without an authentication tag"
	}
	return "without a checksum, two alike"
}

// seconds writes a duration with one decimal.
func seconds(d time.Duration) string { return fmt.Sprintf("%.1f", d.Seconds()) }

func (d *examination) tellMeter(o *observation) {
	m := meterReport{Make: o.meter.Make, Model: o.meter.Model, List: o.meter.List, Items: o.items}
	if n := len(o.meter.Serial); n > 0 {
		m.Number = "…" + o.meter.Serial[max(0, n-4):]
	}
	parts := []string{cmp.Or(strings.TrimSpace(m.Make+" "+m.Model), "make unknown"), o.listText()}
	live := d.meter().Port.Kind != config.ReplayPort // a recording has no time of its own
	if live && o.interval() > 0 {
		m.Interval = o.interval().Milliseconds()
		parts = append(parts, "every "+strings.TrimSuffix(seconds(o.interval()), ".0")+" s")
	}
	number := "no number sent"
	if m.Number != "" {
		number = "number " + m.Number
	}
	text := strings.Join(append(parts, number), ", ")
	if offset, ok := clockOffset(o.clock, o.last); ok && live {
		s := int64(offset.Round(time.Second) / time.Second)
		m.Clock = &s
		text += fmt.Sprintf("      clock %+d s", s)
	}
	d.report.Meter = &m
	d.say("meter", text)
}

// listText names the list of quantities. The Swedish one of Aidon has no name of its own, nor has the Norwegian one of power alone.
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

// clockOffset is by how much the meter's clock is ahead. Meters know the hour better than its zone, so whole hours do not count
// where they are a zone of Europe. ok is false where the clock shows another day altogether.
func clockOffset(t obis.Time, received time.Time) (offset time.Duration, ok bool) {
	if t.IsZero() || !t.Valid() {
		return 0, false
	}
	t.Zone = false
	offset = t.Time(time.UTC).Sub(received)
	hours := offset.Round(time.Hour)
	if hours < 0 || hours > 3*time.Hour {
		return 0, false
	}
	return offset - hours, true
}

func (d *examination) tellValues(o *observation) {
	for _, id := range o.quantities() {
		d.report.Values = append(d.report.Values, id.String())
	}
	d.say("values", cmp.Or(summary(o.quantities()), "none that hanbridge knows"))
}

func (d *examination) tellCipher(o *observation) {
	if o.cipher == (meter.Cipher{}) {
		d.report.Cipher = &cipherReport{}
		d.say("cipher", "none")
		return
	}
	security := fmt.Sprintf("%02X", o.cipher.Security)
	d.report.Cipher = &cipherReport{Encrypted: true, Security: security, Maker: maker(o.cipher.Title), Key: "fits"}
	d.say("cipher", fmt.Sprintf("security %s, %s, the key fits", security, titleText(o.cipher.Title)))
}

// tellLocked is about a meter that encrypts, and whose telegrams no key opens.
func (d *examination) tellLocked(e *dlms.EncryptedError) *verdict {
	title := titleText(e.Title)
	c, text, v := "missing", "no key is given", &verdict{codeNoKey, fmt.Sprintf("telegrams are encrypted (%s): ask your grid company for the key "+
		"of this meter, write it into a file that only you may read, and type: hanbridge doctor %s--key-file FILE", title, d.portArgument())}
	switch {
	case e.AuthKey:
		c, text = "wrong-auth", "the key fits, its authentication key does not"
		v = &verdict{codeWrongAuthKey, fmt.Sprintf("telegrams are encrypted (%s), and the key fits, but its authentication key does not: compare "+
			"auth_key (--auth-key) digit by digit with what your grid company gave you, %s", title, render.OmitAuthKeyAdvice)}
	case e.Tried:
		c, text = "wrong", "the key does not fit"
		v = &verdict{codeWrongKey, fmt.Sprintf("telegrams are encrypted (%s), and the key does not fit: compare it digit by digit with what "+
			"your grid company gave you for this meter (%s); else ask them for the key of this very meter", title, render.SwappedKeysAdvice)}
	}
	d.report.Cipher = &cipherReport{Encrypted: true, Maker: maker(e.Title), Key: c}
	d.say("cipher", title+", "+text)
	return v
}

// titleText shows of a system title what may be shown.
func titleText(title [8]byte) string {
	if sender := dlms.RedactTitle(title); sender != "" {
		return "system title " + sender
	}
	return "no system title"
}

// maker are the letters of a system title that name who made the meter.
func maker(title [8]byte) string {
	sender := strings.TrimSuffix(dlms.RedactTitle(title), "…")
	return sender[:min(len(sender), 3)]
}
