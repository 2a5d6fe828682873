package doctor

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
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
	h := d.heard
	d.tellLine(h)
	switch {
	case h.verified == 0 && h.locked > 0:
		return d.tellLocked(h)
	case h.verified == 0:
		return &verdict{codeUnknown, "telegrams arrive whole, but of a kind that hanbridge does not read yet: capture a minute with hanbridge " +
			"capture " + d.portArgument() + "--for 60s --out meter.txt and report it"}
	}
	d.tellMeter(h)
	d.tellValues(h)
	d.tellCipher(h)
	return d.judgeSetting(h.endpoint.Line)
}

func (d *examination) tellLine(h *heard) {
	l := &d.report.Line
	l.Setting, l.Protocol, l.Bytes, l.Checked = h.endpoint.Line, h.protocol, h.bytes, h.checked
	l.After, l.Damaged, l.Telnet = h.after().Milliseconds(), h.damaged, h.telnet
	text := fmt.Sprintf("%s, %d bytes, %s", protocolNames[h.protocol], h.bytes, h.soundness())
	if h.endpoint.Line != "" {
		text = h.endpoint.Line + ": " + text
	}
	if h.damaged > 0 {
		text += fmt.Sprintf(", %d damaged", h.damaged)
	}
	if h.telnet {
		text += ", by telnet"
		d.remark = ", but " + trimmed(line.Telnet)
	}
	d.say("line", fmt.Sprintf("%s (after %s s)", text, seconds(h.after(), 1)))
}

// after is how long the wire was listened to before the first telegram that counted.
func (h *heard) after() time.Duration {
	if h.verified == 0 {
		return h.last.Sub(h.began)
	}
	return h.settles.Sub(h.began)
}

// authenticated is the bit of a security byte that says that a tag ends the message. Green Book, 9.2.7.2.4.1.
const authenticated = 0x10

// soundness is what vouches for a telegram.
func (h *heard) soundness() string {
	switch {
	case h.verified == 0 && h.locked > 0:
		return "encrypted"
	case h.verified == 0:
		return "of an unknown kind"
	case h.checked:
		return "checksum right"
	case h.cipher.Security&authenticated != 0:
		return "deciphered, its authentication tag unchecked: no authentication key is given"
	case h.cipher.Security != 0:
		return "deciphered, without an authentication tag"
	}
	return "without a checksum, two alike"
}

// seconds writes a duration with so many decimals.
func seconds(d time.Duration, decimals int) string {
	return string(obis.Decimal{Coef: d.Milliseconds(), Exp: -3}.AppendFixed(nil, decimals))
}

func (d *examination) tellMeter(h *heard) {
	m := meterReport{Make: h.meter.Make, Model: h.meter.Model, List: h.meter.List, Items: h.items, Interval: h.interval().Milliseconds()}
	if n := len(h.meter.Serial); n > 0 {
		m.Number = "…" + h.meter.Serial[max(0, n-4):]
	}
	parts := []string{cmp.Or(strings.TrimSpace(m.Make+" "+m.Model), "make unknown"), h.listText()}
	live := d.meter().Port.Kind != config.ReplayPort // a recording has no time of its own
	if m.Interval > 0 && live {
		parts = append(parts, "every "+strings.TrimSuffix(seconds(h.interval(), 1), ".0")+" s")
	} else {
		m.Interval = 0
	}
	if m.Number == "" {
		parts = append(parts, "no number sent")
	} else {
		parts = append(parts, "number "+m.Number)
	}
	text := strings.Join(parts, ", ")
	if offset, ok := clockOffset(h.clock, h.last); ok && live {
		s := int64(offset.Round(time.Second) / time.Second)
		m.Clock = &s
		text += fmt.Sprintf("      clock %+d s", s)
	}
	d.report.Meter = &m
	d.say("meter", text)
}

// listText names the list of quantities. The Swedish one of Aidon has no name of its own; nor has the Norwegian one of power
// alone.
func (h *heard) listText() string {
	name := "list"
	switch {
	case h.meter.List != "":
		name = h.meter.List
	case h.family == "aidon" && h.protocol == meter.HDLC && h.items > 1:
		name = "Swedish list"
	case h.protocol == meter.P1:
		return "telegram of " + cli.Count(h.items, "line")
	}
	return name + " of " + cli.Count(h.items, "item")
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

func (d *examination) tellValues(h *heard) {
	for _, id := range h.quantities() {
		d.report.Values = append(d.report.Values, id.String())
	}
	d.say("values", cmp.Or(summary(h.quantities()), "none that hanbridge knows"))
}

func (d *examination) tellCipher(h *heard) {
	if h.cipher == (meter.Cipher{}) {
		d.report.Cipher = &cipherReport{}
		d.say("cipher", "none")
		return
	}
	security := fmt.Sprintf("%02X", h.cipher.Security)
	d.report.Cipher = &cipherReport{Encrypted: true, Security: security, Maker: maker(h.cipher.Title), Key: "fits"}
	d.say("cipher", fmt.Sprintf("security %s, %s, the key fits", security, titleText(h.cipher.Title)))
}

func (d *examination) tellLocked(h *heard) *verdict {
	c := cipherReport{Encrypted: true, Maker: maker(h.lock.Title), Key: "missing"}
	text := "no key is given"
	switch {
	case h.lock.AuthKey:
		c.Key, text = "wrong-auth", "the key fits, its authentication key does not"
	case h.lock.Tried:
		c.Key, text = "wrong", "the key does not fit"
	}
	d.report.Cipher = &c
	d.say("cipher", fmt.Sprintf("%s, %s", titleText(h.lock.Title), text))
	return d.lockedVerdict(h.lock)
}

// maker are the letters of a system title that name who made the meter.
func maker(title [8]byte) string {
	sender := strings.TrimSuffix(dlms.Sender(title), "…")
	return sender[:min(len(sender), 3)]
}
