package meter

import (
	"bytes"
	"errors"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/p1"
)

// errUnsure is for a message that nothing vouches for, behind bytes that are no telegram and may be the head of its frame.
var errUnsure = errors.New("an encrypted message without a tag, in the middle of a damaged telegram")

// read fills the reading from a whole message.
func (d *Decoder) read(p Protocol, message []byte) error {
	r := &d.reading
	switch p {
	case P1:
		return d.readP1(message)
	case HDLC, MBus:
		r.Checked = true
	case Glo, APDU:
	}
	if len(message) > 0 && message[0] == ciphering {
		if err := d.lock.message.Parse(message); err != nil {
			return err
		}
		d.intact = true
		plain, err := d.unlock(nil)
		if err != nil {
			return err
		}
		d.intact = p == HDLC || p == MBus || r.Checked // the key fitted, but what vouches for the bytes?
		message = plain
	}
	if len(message) > 0 && message[0] == slash {
		return d.readInner(message)
	}
	if p == Glo && !r.Checked && d.here() != d.passed && d.here() != d.failed {
		return errUnsure
	}
	return d.readNotification(message)
}

// readP1 fills the reading from an ASCII telegram.
func (d *Decoder) readP1(b []byte) error {
	if b[0] == paritySlash {
		b = d.text[:p1.StripParity(d.text[:p1.MaxLength], b)]
	}
	if head, body, ok := p1.SplitEncrypted(b); ok {
		return d.readLockedP1(b, head, body)
	}
	return d.readText(b)
}

// readLockedP1 reads a telegram whose identification line is in clear. Its checksum goes over the encrypted bytes.
func (d *Decoder) readLockedP1(b, head, body []byte) error {
	checked, err := p1.CheckEncrypted(b)
	if err != nil {
		return err
	}
	if err := d.lock.message.ParseHeadless(body); err != nil {
		return err
	}
	d.intact = checked
	plain, err := d.unlock(head)
	if err != nil {
		return err
	}
	d.reading.Checked = d.reading.Checked || checked
	if lines := plain[len(head):]; len(lines) > 0 && lines[0] == slash {
		plain = lines
	} else if !bytes.Contains(lines, []byte("\n!")) { // the lines alone, without what ends a telegram
		plain = append(plain, "!\r\n"...)
		d.lock.plain = plain
	}
	return d.readInner(plain)
}

// readInner reads an ASCII telegram that was encrypted, with what may stand behind it to fill a block.
func (d *Decoder) readInner(b []byte) error {
	if n := p1.Length(b); n > 0 {
		b = b[:n]
	}
	authentic := d.reading.Checked
	err := d.readText(b)
	d.reading.Checked = d.reading.Checked || authentic
	return err
}

func (d *Decoder) readText(b []byte) error {
	parse := d.telegram.Parse
	if d.options.IgnoreChecksum {
		parse = d.telegram.ParseUnchecked
	}
	if err := parse(b); err != nil {
		return err
	}
	r := &d.reading
	r.Checked, r.Records = d.telegram.Checked, d.telegram.Records
	d.finder.Digits = true
	d.identifyP1(d.telegram.Ident)
	d.identify()
	r.takeTime()
	return d.plainNumbers()
}

// readNotification fills the reading from a data-notification.
func (d *Decoder) readNotification(apdu []byte) error {
	n, r := &d.notification, &d.reading
	if err := n.Parse(apdu); err != nil {
		return err
	}
	r.Records, r.Time = n.Records, n.Time
	d.finder.Digits = false
	var from *family
	if len(n.Layout) > 0 {
		l := layoutOf(n, d.familyOfMessage())
		if l == nil {
			return &LayoutError{string(n.Layout)}
		}
		from = l.apply(r)
	}
	r.Meter.List = d.names.of(n.Name)
	d.identify()
	r.takeTime()
	f := d.familyOfMessage()
	if f == nil && r.Cipher.Title == [8]byte{} {
		f = from // else the title names a make, though no known one
	}
	r.belongsTo(f)
	if f != nil && f.repair != nil {
		f.repair(r)
	}
	d.addUnits(f, from != nil)
	return nil
}

// Codes of a clock that is sent in two halves (IEC 62056-6-2, 6.2.3: local time and date).
var (
	localTime = [3]byte{0, 9, 1}
	localDate = [3]byte{0, 9, 2}
)

// takeTime takes the meter's clock from the records. Of several, one of a heat meter among them, the first counts.
func (r *Reading) takeTime() {
	var hour, date []byte
	clock := false
	for i := range r.Records {
		switch rec := &r.Records[i]; {
		case rec.Kind == obis.Clock && !clock:
			r.Time, clock = rec.Time, true
		case rec.Kind != obis.Text || rec.Code[5] != obis.Any:
		case rec.Code.CDE() == localTime && len(hour) == 0:
			hour = rec.Text
		case rec.Code.CDE() == localDate && len(date) == 0:
			date = rec.Text
		}
	}
	if len(date) == 0 || !r.Time.IsZero() {
		return
	}
	if t, ok := p1.ParseClock(hour, date); ok {
		r.Time = t
	}
}
