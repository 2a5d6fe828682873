package doctor

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
)

// conclude prints the verdict. If the right settings are known and the meter is not a recording, conclude also writes the configuration to
// use, or prints it. It does not print a configuration that is unchanged.
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
			r.Verdict = d.wellVerdict() // without a configured broker, the text names the written file
		}
		d.printLine("verdict", fmt.Sprintf("%s        (configuration written to %s, which only you can read%s)", r.Verdict.Text, displayName(r.Written), d.secretsNote(proposed)))
	case d.file != "" && text == d.originalText:
		d.printLine("verdict", fmt.Sprintf("%s        (%s is right as it is)", r.Verdict.Text, displayName(d.file)))
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

// proposal returns the configuration to use. It is the loaded configuration with the port at which the meter was found. If the configuration
// was loaded from a file, a port that is auto, in the file or on the command line, stays auto. With --write, the line setting is the setting at
// which the meter was read. Without --write, the line setting is auto if the configured setting is wrong.
func (d *examination) proposal() config.Config {
	c := d.cfg
	c.Meters = slices.Clone(c.Meters)
	m := &c.Meters[d.index]
	if d.file != "" && d.autoPort {
		m.Port = config.Port{Kind: config.AutoPort}
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

// secretsNote says which secrets the written configuration contains, and which key it does not contain.
func (d *examination) secretsNote(c config.Config) (text string) {
	var secrets []string
	if c.MQTT.Password != "" && c.MQTT.PasswordFile == "" {
		secrets = append(secrets, "the broker's password")
	}
	if c.Meters[d.index].Key != "" {
		secrets = append(secrets, "the key")
	}
	if len(secrets) > 0 {
		text = "; the file contains " + strings.Join(secrets, " and ")
	}
	if d.omitsKey {
		text += "; the file does not contain the key of --key, because key_file is set"
	}
	return text
}

// displayName returns the name of a file for messages. A name without a folder gets the prefix "./".
func displayName(name string) string {
	if filepath.Base(name) == name {
		return "./" + name
	}
	return name
}

// checkSerial compares the configured line setting with line, the setting at which the meter was read. line is "" if the port has no line
// setting. A wrong setting in the configuration gives a verdict, unless --write corrects the setting. A wrong --serial gives only a remark,
// because --serial does not change the configuration.
func (d *examination) checkSerial(line string) *verdict {
	m := d.meter()
	isWrong := func() bool { return line != "" && !m.Serial.Auto && m.Serial.String() != line }
	if isWrong() && d.configuredSerial != nil {
		tried := m.Serial
		m.Serial = *d.configuredSerial
		if d.options.Write && m.Serial.Auto { // proposal replaces auto by the setting found
			m.Serial = d.serialFound(m.Serial)
		}
		d.remark = fmt.Sprintf(", but the meter sends with %s, not with the %s of --serial: the right setting is serial: %s", line, tried, m.Serial)
	}
	// Here m.Serial is the setting of the configuration, or the right setting of --serial.
	if !isWrong() {
		return nil
	}
	text := fmt.Sprintf("serial is set to %s, but the meter sends with %s: set serial to auto, or to \"%s\"", m.Serial, line, line)
	if !d.correctsSerial {
		return &verdict{codeSetting, text}
	}
	d.wrongSerial = text // examine adds the text to the verdict if a later step fails, because then nothing is written
	d.remark = fmt.Sprintf(", after serial was changed from %s to %s, with which the meter sends", m.Serial, line)
	m.Serial = d.serialFound(m.Serial)
	return nil
}

// serialFound returns the line setting at which the meter was read, or fallback if the port has no line setting.
func (d *examination) serialFound(fallback config.Serial) config.Serial {
	var found config.Serial
	if d.found == nil || d.found.Line == "" || found.UnmarshalText([]byte(d.found.Line)) != nil {
		return fallback
	}
	return found
}
