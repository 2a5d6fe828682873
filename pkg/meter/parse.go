package meter

import (
	"bytes"
	"errors"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// Faults of a sound frame that cannot be read.
var (
	errLLC       = errors.New("hdlc: the frame does not carry COSEM data (no LLC header E6 E7 00)")
	errSegmented = errors.New("hdlc: one segment of a longer message")
)

// parseP1 fills the reading from an ASCII telegram.
func (d *Decoder) parseP1(b []byte) error {
	if err := d.telegram.Parse(b); err != nil {
		return err
	}
	r := &d.reading
	r.Checked, r.Records = d.telegram.Checked, d.telegram.Records
	d.identifyP1(d.telegram.Ident)
	d.identify()
	for i := range r.Records {
		rec := &r.Records[i]
		if rec.Kind == obis.Clock {
			r.Time = rec.Time
		}
		if rec.Kind == obis.Text {
			plainNumber(rec)
		}
	}
	return nil
}

// plainNumber makes a Number of a text whose code has a row of numbers: counters are sent without a unit.
func plainNumber(rec *obis.Record) {
	id, ok := quantity.Of(rec.Code)
	if !ok || !id.Row().Numeric() {
		return
	}
	if v, err := obis.ParseDecimal(rec.Text); err == nil {
		rec.Kind, rec.Value = obis.Number, v
	}
}

// parseHDLC fills the reading from a frame that carries a whole message.
func (d *Decoder) parseHDLC(b []byte) error {
	frame, err := hdlc.Parse(b)
	if err != nil {
		return err
	}
	d.sound = true
	if frame.Segmented {
		return errSegmented
	}
	apdu, ok := bytes.CutPrefix(frame.Info, []byte(dlms.LLC))
	if !ok {
		return errLLC
	}
	if err := d.notification.Parse(apdu); err != nil {
		return err
	}
	r := &d.reading
	r.Checked, r.Records, r.Time = true, d.notification.Records, d.notification.Time
	for i := range r.Records {
		if rec := &r.Records[i]; rec.Kind == obis.Clock {
			r.Time = rec.Time
		}
	}
	d.identify()
	r.identifyFrame(&frame)
	return nil
}
