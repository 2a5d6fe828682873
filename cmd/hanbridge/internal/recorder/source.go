package recorder

import (
	"errors"
	"fmt"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/daemon"
)

// captureSource returns what is read: the file or the port that is named, else the port of the configuration. received returns when what
// was read last from a file came; it is nil for a port.
func captureSource(p *cli.Program, o Order) (s probe.Source, received func() time.Time, err error) {
	if o.From != "" && (!o.Anonymise || o.Port != "" || o.Serial != "") {
		return s, nil, errors.New("--from FILE goes with --anonymise, and in place of a port")
	}
	if o.From == "" || o.Config != "" {
		m, err := captureMeter(p, o)
		if err != nil {
			return s, nil, err
		}
		s = daemon.SourceOf(m)
		if s.Options, err = daemon.OptionsOf(m); err != nil {
			return s, nil, err
		}
	}
	if o.From != "" {
		options := s.Options
		s, received = capturedSource(o.From)
		s.Options = options
	}
	if o.Keys.Given() {
		s.Options.Keys, err = o.Keys.Open()
	}
	return s, received, err
}

// captureMeter returns the meter to read: that of the configuration, where one is named or no port is, else a port alone.
func captureMeter(p *cli.Program, o Order) (m config.Meter, err error) {
	m = config.Meter{Serial: config.Serial{Auto: true}}
	if o.Port != "" {
		err = m.Port.UnmarshalText([]byte(o.Port))
	}
	if err == nil && (o.Port == "" || o.Config != "") {
		m, err = configuredMeter(p, o.Config, m.Port)
	}
	if err != nil || o.Serial == "" {
		return m, err
	}
	if err := m.Serial.UnmarshalText([]byte(o.Serial)); err != nil {
		return m, fmt.Errorf("--serial: %w", err)
	}
	return m, nil
}

// configuredMeter returns the meter of the configuration that is on a port, or the only one where no port is named.
func configuredMeter(p *cli.Program, file string, port config.Port) (config.Meter, error) {
	cfg, err := config.Load(config.Found(file), p.Environ)
	if err != nil {
		return config.Meter{}, err
	}
	if port != (config.Port{}) {
		i, err := cfg.MeterOn(port, file)
		if err != nil {
			return config.Meter{}, fmt.Errorf("capture: %w", err)
		}
		cfg.Meters[i].Port = port
		return cfg.Meters[i], nil
	}
	if len(cfg.Meters) != 1 {
		return config.Meter{}, fmt.Errorf("capture: the configuration has %d meters: name the port of one, as hanbridge capture %s", len(cfg.Meters), cfg.Meters[0].Port)
	}
	return cfg.Meters[0], nil
}
