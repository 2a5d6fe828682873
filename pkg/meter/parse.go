package meter

import (
	"bytes"
	"errors"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/p1"
)

// errUnframedCipher is for an encrypted message that follows noise and has neither a frame nor a tag that was checked. The noise is possibly the
// damaged header of a frame. The message is then possibly damaged too.
var errUnframedCipher = errors.New("an encrypted message without a tag, in the middle of a damaged telegram")

// read fills the reading from a message. message is complete and without frames.
func (d *Decoder) read(p Protocol, message []byte) error {
	r := &d.reading
	switch p {
	case P1:
		return d.readP1(message)
	case HDLC, MBus:
		r.Checked = true
	case Glo, APDU:
	}
	if len(message) > 0 && message[0] == cipheringTag {
		if err := d.decryption.message.Parse(message); err != nil {
			return err
		}
		d.intact = true
		plaintext, err := d.decrypt(nil)
		if err != nil {
			return err
		}
		d.intact = p == HDLC || p == MBus || r.Checked // without frame and tag, decrypt has checked only the first bytes
		message = plaintext
	}
	if len(message) > 0 && message[0] == slash {
		return d.readDecryptedText(message)
	}
	followsTelegram := d.offset() == d.decodedEnd || d.offset() == d.damagedEnd
	if p == Glo && !r.Checked && !followsTelegram {
		return errUnframedCipher
	}
	return d.readNotification(message)
}

// readP1 fills the reading from an ASCII telegram.
func (d *Decoder) readP1(b []byte) error {
	if b[0] == paritySlash {
		b = d.stripParity(b)
	}
	if header, body, ok := p1.SplitEncrypted(b); ok {
		return d.readEncryptedP1(b, header, body)
	}
	return d.readText(b)
}

// readEncryptedP1 reads the ASCII telegram b, whose lines are encrypted. header is the identification line, which is not encrypted. body has the
// encrypted lines. The checksum of b covers the encrypted bytes.
func (d *Decoder) readEncryptedP1(b, header, body []byte) error {
	checked, err := p1.CheckEncrypted(b)
	if err != nil {
		return err
	}
	if err := d.decryption.message.ParseHeadless(body); err != nil {
		return err
	}
	d.intact = checked
	plaintext, err := d.decrypt(header)
	if err != nil {
		return err
	}
	d.reading.Checked = d.reading.Checked || checked
	decrypted := plaintext[len(header):]
	if len(decrypted) > 0 && decrypted[0] == slash { // a telegram with its own identification line was encrypted
		plaintext = decrypted
	} else if !bytes.Contains(decrypted, []byte("\n!")) { // only the data lines were encrypted, without the line of the '!'
		plaintext = append(plaintext, "!\r\n"...)
		d.decryption.plaintext = plaintext
	}
	return d.readDecryptedText(plaintext)
}

// readDecryptedText reads b, an ASCII telegram that was encrypted. Padding after the telegram is ignored.
func (d *Decoder) readDecryptedText(b []byte) error {
	if n := p1.Length(b); n > 0 {
		b = b[:n]
	}
	checked := d.reading.Checked // by the authentication tag, or by the checksum around the encrypted bytes
	err := d.readText(b)         // sets Checked for the checksum in b
	d.reading.Checked = d.reading.Checked || checked
	return err
}

// readText reads an ASCII telegram that is not encrypted, or was decrypted.
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
	d.converter.HexText = true
	d.identifyP1(d.telegram.Ident)
	d.identify()
	r.setTime()
	return d.convertTexts()
}

// readNotification fills the reading from a data-notification.
func (d *Decoder) readNotification(apdu []byte) error {
	n, r := &d.notification, &d.reading
	if err := n.Parse(apdu); err != nil {
		return err
	}
	r.Records, r.Time = n.Records, n.Time
	d.converter.HexText = false
	var layoutFamily *family
	if len(n.Layout) > 0 {
		l := findLayout(n, d.familyOfMessage())
		if l == nil {
			return &LayoutError{string(n.Layout)}
		}
		l.apply(r)
		layoutFamily = l.family
	}
	r.Meter.List = d.names.of(n.ListName)
	d.identify()
	r.setTime()
	f := d.familyOfMessage()
	if f == nil && r.Cipher.Title == [8]byte{} { // a system title without a family is of a make that families does not have
		f = layoutFamily
	}
	r.setFamily(f)
	if f != nil && f.repair != nil {
		f.repair(r)
	}
	d.addUnits(f, layoutFamily != nil)
	return nil
}

// Codes of a clock that is sent as two records, time and date (IEC 62056-6-2, 6.2.3: local time and date).
var (
	localTime = [3]byte{0, 9, 1}
	localDate = [3]byte{0, 9, 2}
)

// setTime sets r.Time from the first record with a clock. Further clocks are ignored, because they are clocks of sub-meters. If no record has a
// clock, and the header of the message has no time, setTime joins the records of local time and local date.
func (r *Reading) setTime() {
	var hour, date []byte
	found := false
	for i := range r.Records {
		switch rec := &r.Records[i]; {
		case rec.Kind == obis.Clock && !found:
			r.Time, found = rec.Time, true
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
