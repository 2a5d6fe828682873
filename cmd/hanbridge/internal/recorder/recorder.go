// Package recorder implements the command capture. It writes the bytes of a meter's port to a file, with the times of their arrival. An
// anonymised capture contains the telegrams with masked numbers of meters and masked texts.
package recorder

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/daemon"
)

// Options are the arguments and flags of the command capture.
type Options struct {
	Config, Port, Serial, Out string
	From                      string        // a recording to anonymise, in place of a port
	Duration                  time.Duration // 0 for no limit
	Count                     int           // number of telegrams; 0 for no limit
	Force, Anonymise          bool
	Keys                      config.KeyFlags
}

// Run captures with the options o. The capture ends when ctx or the source ends, or when it reaches o.Duration or o.Count telegrams.
func Run(ctx context.Context, p *cli.Program, o Options) error {
	if o.Duration < 0 || o.Count < 0 {
		return errors.New("--for and --count: want 0 or more")
	}
	src, received, err := captureSource(p, o)
	if err != nil {
		return err
	}
	out, err := newCaptureFile(p, o)
	if err != nil {
		return err
	}
	defer out.close()
	if o.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.Duration)
		defer cancel()
	}
	l := &listener{count: o.Count, out: out, received: received}
	if o.Anonymise {
		l.mask = &maskCounts{}
	}
	return l.report(l.listen(ctx, src))
}

// captureSource returns the source to read: the file or the port that o names, or else the port of the configuration. received returns the
// arrival time of the last bytes read. If the arrival time is not known, it returns the present time.
func captureSource(p *cli.Program, o Options) (s probe.Source, received func() time.Time, err error) {
	if o.From != "" && (!o.Anonymise || o.Port != "" || o.Serial != "") {
		return s, nil, errors.New("--from FILE needs --anonymise, and cannot be used with a port or --serial")
	}
	received = time.Now
	if o.From == "" || o.Config != "" { // with --from, the configuration gives only the decoder options, such as the keys
		m, err := captureMeter(p, o)
		if err != nil {
			return s, nil, err
		}
		s = daemon.SourceOf(m)
		if s.Options, err = daemon.OptionsOf(m); err != nil {
			return s, nil, err
		}
		s.Options.RejectRepeated = false // a capture contains repeated telegrams too
	}
	if o.From != "" {
		s.Recorded, s.EndpointsChange = true, false
		s.Endpoints, received = recording(o.From)
	}
	if o.Keys.Given() {
		s.Options.Keys, err = o.Keys.Load()
	}
	return s, received, err
}

// captureMeter returns the meter to read. It is a configured meter if o names a configuration, or if o names no port. Otherwise it is a meter
// with default settings on the named port.
func captureMeter(p *cli.Program, o Options) (m config.Meter, err error) {
	m = config.Meter{Serial: config.Serial{Auto: true}}
	if o.Port != "" {
		if err := m.Port.UnmarshalText([]byte(o.Port)); err != nil {
			return m, err
		}
	}
	if o.Port == "" || o.Config != "" {
		cfg, err := config.Load(config.FindFile(o.Config), p.Environ)
		if err != nil {
			return m, err
		}
		i, err := cfg.SelectMeter("capture", m.Port, o.Config)
		if err != nil {
			return m, err
		}
		m = cfg.Meters[i]
	}
	if o.Serial != "" {
		if err := m.Serial.UnmarshalText([]byte(o.Serial)); err != nil {
			return m, fmt.Errorf("--serial: %w", err)
		}
	}
	return m, nil
}
