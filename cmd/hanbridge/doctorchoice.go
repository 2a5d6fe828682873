package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
)

// choose finds out which meter is meant, and lays what the command line says over its configuration.
func (d *doctor) choose(o doctorOrder) error {
	if o.port != "" {
		if err := d.choosePort(o.port); err != nil {
			return err
		}
	} else if len(d.cfg.Meters) > 1 {
		return fmt.Errorf("doctor: the configuration has %d meters: name the port of one, as hanbridge doctor %s",
			len(d.cfg.Meters), d.cfg.Meters[0].Port)
	}
	m := d.meter()
	d.auto = m.Port.Kind == config.AutoPort
	if o.serial != "" {
		configured := m.Serial
		d.configured = &configured
		if err := m.Serial.UnmarshalText([]byte(o.serial)); err != nil {
			return fmt.Errorf("--serial: %w", err)
		}
	}
	if !o.keys.Given() {
		return nil
	}
	if _, err := o.keys.Pairs(); err != nil {
		return err
	}
	m.Key, m.AuthKey, m.KeyFile = config.Secret(o.keys.Key), config.Secret(o.keys.AuthKey), "" // what is tried is what is proposed
	if o.keys.File != "" {
		m.KeyFile = o.keys.File
		if whole, err := filepath.Abs(m.KeyFile); err == nil {
			m.KeyFile = whole // the bridge may be started from another folder
		}
	}
	d.masked = m.Key != "" && m.KeyFile != ""
	return nil
}

// choosePort takes the meter that is configured on a port, or moves the only one there.
func (d *doctor) choosePort(text string) error {
	var port config.Port
	if info, err := os.Stat(text); err == nil && info.Mode().IsRegular() {
		text = "replay:" + text
	}
	if err := port.UnmarshalText([]byte(text)); err != nil {
		return fmt.Errorf("doctor: %w", err)
	}
	i, err := d.cfg.MeterOn(port, d.file)
	if err != nil {
		return fmt.Errorf("doctor: %w", err)
	}
	d.index = i
	d.meter().Port = port
	return nil
}
