package doctor

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
)

// conclude prints the verdict, and the configuration to use where the meter was read.
func (d *examination) conclude() error {
	r, o := &d.report, d.options
	known := r.OK || r.Verdict.Code == codeSetting // well enough to write its configuration
	if !known || d.meter().Port.Kind == config.ReplayPort {
		note := ""
		if o.Write {
			note = "        (nothing was written)"
		}
		d.say("verdict", r.Verdict.Text+note)
		return nil
	}
	proposed := d.proposal()
	text := config.Text(proposed, config.ShowSecrets)
	r.Config = config.Text(proposed, config.HideSecrets)
	switch {
	case o.Write:
		if err := writeConfig(o.target(), text); err != nil {
			return err
		}
		r.Written = o.target()
		if r.OK {
			r.Verdict = d.well()
		}
		d.say("verdict", fmt.Sprintf("%s        (configuration written to %s, for you alone to read%s)", r.Verdict.Text, relative(r.Written), d.withheld(proposed)))
	case d.file != "" && text == d.before:
		d.say("verdict", fmt.Sprintf("%s        (%s is right as it is)", r.Verdict.Text, relative(d.file)))
	default:
		d.say("verdict", r.Verdict.Text)
		secrets := ""
		if text != r.Config {
			secrets = ", with the secrets that are not shown here"
		}
		d.print(fmt.Sprintf("\n# %s (%s writes it%s)\n%s", o.target(), o.writes(), secrets, r.Config))
	}
	return nil
}

// proposal is the configuration with what was found in it.
func (d *examination) proposal() config.Config {
	c := d.cfg
	c.Meters = slices.Clone(c.Meters)
	m := &c.Meters[d.index]
	if d.file != "" && d.auto {
		m.Port = config.Port{Kind: config.AutoPort} // it has been found, and will be again
	}
	switch {
	case d.options.Write:
		m.Serial = d.foundSerial(m.Serial)
	case d.report.Verdict.Code == codeSetting:
		m.Serial = config.Serial{Auto: true}
	}
	if d.masked {
		m.Key, m.AuthKey = "", ""
	}
	return c
}

// withheld says which secrets a written configuration holds, or leaves out.
func (d *examination) withheld(c config.Config) (text string) {
	var held []string
	if c.MQTT.Password != "" && c.MQTT.PasswordFile == "" {
		held = append(held, "the broker's password")
	}
	if c.Meters[d.index].Key != "" {
		held = append(held, "the key")
	}
	if len(held) > 0 {
		text = "; it holds " + strings.Join(held, " and ")
	}
	if d.masked {
		text += "; the key of --key is not in it, as there is a file of keys"
	}
	return text
}

// relative shows a file of this folder as people type it.
func relative(name string) string {
	if filepath.Base(name) == name {
		return "./" + name
	}
	return name
}

// judgeSetting compares the line setting with that of the meter, "" where it has none. One of --serial that was merely tried
// first is no fault of a configuration; one of a file that is written again is mended with it.
func (d *examination) judgeSetting(line string) *verdict {
	m := d.meter()
	wrong := func() bool { return line != "" && !m.Serial.Auto && m.Serial.String() != line }
	if wrong() && d.configured != nil {
		tried := m.Serial
		if m.Serial = *d.configured; d.options.Write && m.Serial.Auto {
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
	if d.found == nil || d.found.Line == "" || found.UnmarshalText([]byte(d.found.Line)) != nil {
		return or
	}
	return found
}
