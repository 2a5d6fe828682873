package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
)

// Options are the arguments and flags of the command doctor.
type Options struct {
	Port, Config, Serial string
	Keys                 config.KeyFlags
	Dwell                time.Duration // how long to listen at each line setting
	Write, Force, JSON   bool
}

// target returns the file to which the configuration is written.
func (o Options) target() string {
	if o.Config != "" {
		return o.Config
	}
	return config.DefaultFiles[0]
}

// runCommand returns the command that runs the bridge with the examined configuration.
func (o Options) runCommand() string {
	// Without --config, hanbridge run finds these two files.
	if o.target() == config.DefaultFiles[0] || o.Config == config.FindFile("") {
		return "hanbridge run"
	}
	return "hanbridge run --config " + o.Config
}

// writeCommand returns the command that repeats the examination and writes the configuration. It contains the word
// HEX in place of a key.
func (o Options) writeCommand() string {
	_, statErr := os.Stat(o.target())
	command := "hanbridge doctor"
	for _, argument := range []struct {
		given bool
		text  string
	}{
		{o.Port != "", o.Port},
		{o.Keys.File != "", "--key-file " + o.Keys.File},
		{o.Config != "", "--config " + o.Config},
		{o.Keys.Key != "", "--key HEX"},
		{o.Keys.AuthKey != "", "--auth-key HEX"},
		{true, "--write"},
		{statErr == nil, "--force"},
	} {
		if argument.given {
			command += " " + argument.text
		}
	}
	return command
}

// checkWritable returns an error if --write is given and the configuration cannot be written. It is called before the examination, because an
// examination takes long.
func (o Options) checkWritable() error {
	if !o.Write {
		return nil
	}
	if _, err := os.Stat(o.target()); !o.Force && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--write: %s exists already: move the file, or add --force to overwrite the file", o.target())
	}
	f, err := newFileBeside(o.target())
	if err != nil {
		return err
	}
	_ = f.Close() // nothing was written to it
	return os.Remove(f.Name())
}

// newFileBeside creates a temporary file in the folder of the named file. Only the owner of the temporary file can read it.
func newFileBeside(name string) (*os.File, error) {
	folder := filepath.Dir(name)
	f, err := os.CreateTemp(folder, ".hanbridge-*")
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = fmt.Errorf("--write: cannot create a file in %s: %w: name a file elsewhere with --config", folder, e.Err)
	}
	return f, err
}

// writeConfig writes text to a file that only its owner can read. If it returns an error, an existing file is unchanged.
func writeConfig(name, text string) error {
	f, err := newFileBeside(name)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("--write: %w", err)
	}
	return nil
}

// selectMeter selects the meter to examine, and overrides its configuration with the flags of the command line.
func (d *examination) selectMeter(o Options) (err error) {
	var port config.Port
	if o.Port != "" {
		text := o.Port
		if info, err := os.Stat(text); err == nil && info.Mode().IsRegular() {
			text = "replay:" + text // a regular file is a recording
		}
		if err := port.UnmarshalText([]byte(text)); err != nil {
			return fmt.Errorf("doctor: %w", err)
		}
	}
	if d.index, err = d.cfg.SelectMeter("doctor", port, d.file); err != nil {
		return err
	}
	m := d.meter()
	d.autoPort = m.Port.Kind == config.AutoPort
	if o.Serial != "" {
		configured := m.Serial
		d.configuredSerial = &configured
		if err := m.Serial.UnmarshalText([]byte(o.Serial)); err != nil {
			return fmt.Errorf("--serial: %w", err)
		}
	}
	if !o.Keys.Given() {
		return nil
	}
	if _, err := o.Keys.Load(); err != nil { // a key is not valid
		return err
	}
	m.Key, m.AuthKey, m.KeyFile = config.Secret(o.Keys.Key), config.Secret(o.Keys.AuthKey), ""
	if o.Keys.File != "" {
		if m.KeyFile, err = filepath.Abs(o.Keys.File); err != nil { // absolute, because the bridge can run in another folder
			return fmt.Errorf("--key-file: %w", err)
		}
	}
	d.omitsKey = m.Key != "" && m.KeyFile != ""
	return nil
}
