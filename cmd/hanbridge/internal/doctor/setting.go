package doctor

import (
	"fmt"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
)

// judgeSetting compares the line setting with that of the meter, "" where it has none. One of --serial that was merely tried
// first is no fault of a configuration; one of a file that is written again is mended with it.
func (d *examination) judgeSetting(line string) *verdict {
	m := d.meter()
	wrong := func() bool { return line != "" && !m.Serial.Auto && m.Serial.String() != line }
	if wrong() && d.configured != nil {
		tried := m.Serial
		if m.Serial = *d.configured; d.order.Write && m.Serial.Auto {
			m.Serial = d.foundSerial(m.Serial)
		}
		d.remark = fmt.Sprintf(", but the meter speaks %s, not the %s of --serial: right is serial: %s", line, tried, m.Serial)
	}
	if !wrong() {
		return nil
	}
	text := fmt.Sprintf("serial is set to %s, and the meter speaks %s: set serial to auto, or to \"%s\"", m.Serial, line, line)
	if !d.mends {
		return &verdict{codeSetting, text}
	}
	d.misset = text
	d.remark = fmt.Sprintf(", now that serial is %s, which the meter speaks: it was %s", line, m.Serial)
	m.Serial = d.foundSerial(m.Serial)
	return nil
}

// foundSerial is the line setting at which the meter was found, or else where its wire has none.
func (d *examination) foundSerial(or config.Serial) config.Serial {
	var found config.Serial
	if d.found == nil || found.UnmarshalText([]byte(d.found.Line)) != nil || d.found.Line == "" {
		return or
	}
	return found
}
