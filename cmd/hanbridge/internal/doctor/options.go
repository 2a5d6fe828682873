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

// Options is what `doctor` is asked for.
type Options struct {
	Port, Config, Serial string
	Keys                 config.KeyFlags
	Dwell                time.Duration
	Write, Force, JSON   bool
}

// target is the configuration that is written.
func (o Options) target() string {
	if o.Config != "" {
		return o.Config
	}
	return config.DefaultFiles[0]
}

// starts is the command that starts the bridge with the configuration that was looked at.
func (o Options) starts() string {
	if o.target() == config.DefaultFiles[0] || o.Config == config.FindFile("") {
		return "hanbridge run"
	}
	return "hanbridge run --config " + o.Config
}

// writes is the command that does the same once more and writes the configuration. It holds no key.
func (o Options) writes() string {
	_, missing := os.Stat(o.target())
	command := "hanbridge doctor"
	for _, word := range []struct {
		given bool
		text  string
	}{
		{o.Port != "", o.Port},
		{o.Keys.File != "", "--key-file " + o.Keys.File},
		{o.Config != "", "--config " + o.Config},
		{o.Keys.Key != "", "--key HEX"},
		{o.Keys.AuthKey != "", "--auth-key HEX"},
		{true, "--write"},
		{missing == nil, "--force"},
	} {
		if word.given {
			command += " " + word.text
		}
	}
	return command
}

// refusesToWrite is asked before anything is looked at, so that nobody waits for a refusal.
func (o Options) refusesToWrite() error {
	if !o.Write {
		return nil
	}
	if _, err := os.Stat(o.target()); !o.Force && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--write: %s is there already: move it away, or add --force to write over it", o.target())
	}
	f, err := newFileBeside(o.target())
	if err != nil {
		return err
	}
	_ = f.Close() // nothing was written to it
	return os.Remove(f.Name())
}

// newFileBeside makes a file in the folder of another. Its owner alone may read it.
func newFileBeside(name string) (*os.File, error) {
	folder := filepath.Dir(name)
	f, err := os.CreateTemp(folder, ".hanbridge-*")
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = fmt.Errorf("--write: no file can be made in %s: %w: name a file elsewhere with --config", folder, e.Err)
	}
	return f, err
}

// writeConfig puts text into a file that its owner alone may read: whole, or not at all.
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

// choose finds out which meter is meant, and lays what the command line says over its configuration.
func (d *examination) choose(o Options) (err error) {
	var port config.Port
	if o.Port != "" {
		text := o.Port
		if info, err := os.Stat(text); err == nil && info.Mode().IsRegular() {
			text = "replay:" + text
		}
		if err := port.UnmarshalText([]byte(text)); err != nil {
			return fmt.Errorf("doctor: %w", err)
		}
	}
	if d.index, err = d.cfg.SelectMeter("doctor", port, d.file); err != nil {
		return err
	}
	m := d.meter()
	d.auto = m.Port.Kind == config.AutoPort
	if o.Serial != "" {
		configured := m.Serial
		d.configured = &configured
		if err := m.Serial.UnmarshalText([]byte(o.Serial)); err != nil {
			return fmt.Errorf("--serial: %w", err)
		}
	}
	if !o.Keys.Given() {
		return nil
	}
	if _, err := o.Keys.Load(); err != nil {
		return err
	}
	m.Key, m.AuthKey, m.KeyFile = config.Secret(o.Keys.Key), config.Secret(o.Keys.AuthKey), "" // what is tried is what is proposed
	if o.Keys.File != "" {
		if m.KeyFile, err = filepath.Abs(o.Keys.File); err != nil { // the bridge may be started from another folder
			return fmt.Errorf("--key-file: %w", err)
		}
	}
	d.masked = m.Key != "" && m.KeyFile != ""
	return nil
}
