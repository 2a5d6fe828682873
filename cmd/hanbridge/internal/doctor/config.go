package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
)

// target is the configuration that is written.
func (o Order) target() string {
	if o.Config != "" {
		return o.Config
	}
	return config.Places[0]
}

// refusesToWrite is asked before anything is looked at, so that nobody waits for a refusal.
func (o Order) refusesToWrite() error {
	if !o.Write {
		return nil
	}
	if _, err := os.Stat(o.target()); !o.Force && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--write: %s is there already: move it away, or add --force to write over it", o.target())
	}
	folder := filepath.Dir(o.target())
	f, err := os.CreateTemp(folder, ".hanbridge-*")
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("--write: no file can be made in %s: %w: name a file elsewhere with --config", folder, e.Err)
	}
	if err != nil {
		return fmt.Errorf("--write: %w", err)
	}
	_ = f.Close() // nothing was written to it
	return os.Remove(f.Name())
}

// conclude prints the verdict, and the configuration to use where the meter was read.
func (d *examination) conclude() error {
	r, o := &d.report, d.order
	note := ""
	if d.configures() {
		proposed := d.proposal()
		r.Config = config.Text(proposed, config.HideSecrets)
		switch {
		case o.Write:
			if err := writeConfig(o.target(), config.Text(proposed, config.ShowSecrets)); err != nil {
				return err
			}
			r.Written = o.target()
			if r.OK {
				r.Verdict = d.well()
			}
			note = fmt.Sprintf("        (configuration written to %s, for you alone to read%s)", relative(r.Written), d.withheld(proposed))
		case d.file != "" && config.Text(proposed, config.ShowSecrets) == d.before:
			note = fmt.Sprintf("        (%s is right as it is)", relative(d.file))
		}
	}
	if o.Write && r.Written == "" {
		note = "        (nothing was written)"
	}
	d.say("verdict", r.Verdict.Text+note)
	if r.Config != "" && note == "" {
		head := fmt.Sprintf("# %s (%s writes it", o.target(), o.writes())
		if strings.Contains(r.Config, config.HideSecrets("x")) {
			head += ", with the secrets that are not shown here"
		}
		d.print("\n" + head + ")\n" + r.Config)
	}
	return nil
}

// configures tells that the meter is known well enough to write its configuration.
func (d *examination) configures() bool {
	known := d.report.OK || d.report.Verdict.Code == codeSetting
	return known && d.meter().Port.Kind != config.ReplayPort
}

// proposal is the configuration with what was found in it.
func (d *examination) proposal() config.Config {
	c := d.cfg
	c.Meters = append([]config.Meter(nil), c.Meters...)
	m := &c.Meters[d.index]
	if d.file != "" && d.auto {
		m.Port = config.Port{Kind: config.AutoPort} // it has been found, and will be again
	}
	switch {
	case d.order.Write:
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
func (d *examination) withheld(c config.Config) string {
	var held []string
	if c.MQTT.Password != "" && c.MQTT.PasswordFile == "" {
		held = append(held, "the broker's password")
	}
	if c.Meters[d.index].Key != "" {
		held = append(held, "the key")
	}
	text := ""
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

// writeConfig puts text into a file that its owner alone may read: whole, or not at all.
func writeConfig(name, text string) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".hanbridge-*") // its mode is 0600
	if err != nil {
		return fmt.Errorf("--write: %w", err)
	}
	_, err = f.WriteString(text)
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("--write: %w", err)
	}
	return nil
}
