package doctor

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
)

// conclude prints the verdict. If nothing is wrong, or only the line setting, and the meter is not a recording, it also prints or writes the
// configuration to use.
func (d *examination) conclude() error {
	r, o := &d.report, d.options
	settingsKnown := r.OK || r.Verdict.Code == codeSetting
	if !settingsKnown || d.meter().Port.Kind == config.ReplayPort {
		note := ""
		if o.Write {
			note = "        (nothing was written)"
		}
		d.printLine("verdict", r.Verdict.Text+note)
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
			r.Verdict = d.wellVerdict()
		}
		d.printLine("verdict", fmt.Sprintf("%s        (configuration written to %s, for you alone to read%s)", r.Verdict.Text, relative(r.Written), d.secretsNote(proposed)))
	case d.file != "" && text == d.originalText:
		d.printLine("verdict", fmt.Sprintf("%s        (%s is right as it is)", r.Verdict.Text, relative(d.file)))
	default:
		d.printLine("verdict", r.Verdict.Text)
		secrets := ""
		if text != r.Config {
			secrets = ", with the secrets that are not shown here"
		}
		d.print(fmt.Sprintf("\n# %s (%s writes it%s)\n%s", o.target(), o.writeCommand(), secrets, r.Config))
	}
	return nil
}

// proposal returns the configuration to use: the present one, with the line setting and the port that were found. If the port in a file is
// auto, auto stays.
func (d *examination) proposal() config.Config {
	c := d.cfg
	c.Meters = slices.Clone(c.Meters)
	m := &c.Meters[d.index]
	if d.file != "" && d.autoPort {
		m.Port = config.Port{Kind: config.AutoPort} // auto has found the port, and will find it again
	}
	switch {
	case d.options.Write:
		m.Serial = d.serialFound(m.Serial)
	case d.report.Verdict.Code == codeSetting:
		m.Serial = config.Serial{Auto: true}
	}
	if d.omitsKey {
		m.Key, m.AuthKey = "", ""
	}
	return c
}

// secretsNote says which secrets the written configuration contains, and which it leaves out.
func (d *examination) secretsNote(c config.Config) (text string) {
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
	if d.omitsKey {
		text += "; the key of --key is not in it, because key_file is set"
	}
	return text
}

// relative returns the name of a file for messages: a file in the present folder begins with "./".
func relative(name string) string {
	if filepath.Base(name) == name {
		return "./" + name
	}
	return name
}

// checkSerial compares the configured line setting with the one at which the meter was read; line is "" if its port has none. A wrong
// setting gives a verdict, with two exceptions. --serial only says which setting to try first. If it is wrong, the configuration is still
// right, so there is only a remark. A wrong setting in a file that will be written is corrected there.
func (d *examination) checkSerial(line string) *verdict {
	m := d.meter()
	wrong := func() bool { return line != "" && !m.Serial.Auto && m.Serial.String() != line }
	if wrong() && d.configuredSerial != nil {
		tried := m.Serial
		if m.Serial = *d.configuredSerial; d.options.Write && m.Serial.Auto {
			m.Serial = d.serialFound(m.Serial)
		}
		d.remark = fmt.Sprintf(", but the meter speaks %s, not the %s of --serial: the right setting is serial: %s", line, tried, m.Serial)
	}
	// From here on, m.Serial is the setting of the configuration.
	if !wrong() {
		return nil
	}
	text := fmt.Sprintf("serial is set to %s, and the meter speaks %s: set serial to auto, or to \"%s\"", m.Serial, line, line)
	if !d.correctsSerial {
		return &verdict{codeSetting, text}
	}
	d.wrongSerial = text // for a later verdict with which nothing is written
	d.remark = fmt.Sprintf(", now that serial was changed from %s to %s, which the meter sends", m.Serial, line)
	m.Serial = d.serialFound(m.Serial)
	return nil
}

// serialFound returns the line setting at which the meter was read, or the argument if its port has none.
func (d *examination) serialFound(fallback config.Serial) config.Serial {
	var found config.Serial
	if d.found == nil || d.found.Line == "" || found.UnmarshalText([]byte(d.found.Line)) != nil {
		return fallback
	}
	return found
}
