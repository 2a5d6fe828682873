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
		m.Serial = *d.configured
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
	d.remark = fmt.Sprintf(", now that serial is auto: it was %s, and the meter speaks %s", m.Serial, line)
	m.Serial = config.Serial{Auto: true}
	return nil
}
