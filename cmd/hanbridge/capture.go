package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/source"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/daemon"
)

// captureOrder is what `capture` is asked for.
type captureOrder struct {
	config, port, serial, out, from string
	duration                        time.Duration
	count                           int
	force, anonymise                bool
	keys                            config.KeyFlags
}

func captureCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use:   "capture [PORT]",
		Short: "Keeps the bytes of a port with their times in a file, to look at, to replay, to show to others",
		Long: "Writes each read of a port as a line of text: its time, and its bytes in hexadecimal. decode and replay read such files.\n" +
			"Without PORT it takes that of the configuration, else it looks for one. It ends with Ctrl-C, and loses nothing then.\n\n" +
			"With --anonymise the numbers of meters and texts are masked, and checksums mended, so that the file can be shown to\n" +
			"others; what was measured stays. Ciphered telegrams are opened with the key and ciphered with a public test key; the\n" +
			"file never holds yours. Damaged telegrams, and what stands between telegrams, are left out.",
		Example: "  hanbridge capture --for 60s --out house.txt\n" +
			"  hanbridge capture /dev/ttyUSB0 --serial \"2400 8E1\" --count 10 --out house.txt\n" +
			"  hanbridge capture tcp://192.168.1.20:8088 | hanbridge decode -\n" +
			"  hanbridge capture --anonymise --from house.txt --key-file meter.key --out show.txt",
		Args: takes(0, 1),
	}
	var o captureOrder
	f := c.Flags()
	f.StringVar(&o.config, "config", "", "configuration `FILE` of the meter: its port, line setting and keys; PORT and flags win")
	f.StringVar(&o.serial, "serial", "", "line setting, as \"2400 8E1\"; auto tries the usual ones (default auto)")
	f.DurationVar(&o.duration, "for", 0, "how long, as 60s or 5m; without it until it is stopped")
	f.IntVar(&o.count, "count", 0, "how many telegrams that came sound, with --anonymise that were masked; without it until it is stopped")
	f.StringVar(&o.out, "out", "-", "`FILE` to write; - is standard output")
	f.BoolVar(&o.force, "force", false, "write over a file that is there")
	f.BoolVar(&o.anonymise, "anonymise", false, "mask the numbers of meters, and texts")
	f.StringVar(&o.from, "from", "", "with --anonymise: read a `FILE` that was captured before, or bytes in any other form")
	o.keys.Add(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			o.port = args[0]
		}
		return runCapture(c.Context(), p, o)
	}
	return c
}

func runCapture(ctx context.Context, p *cli.Program, o captureOrder) error {
	if o.duration < 0 || o.count < 0 {
		return errors.New("--for and --count are not negative")
	}
	from, err := captureSource(p, o)
	if err != nil {
		return err
	}
	out, err := newCaptureFile(p, o)
	if err != nil {
		return err
	}
	defer out.close()
	if o.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.duration)
		defer cancel()
	}
	l := &listener{count: o.count, out: out}
	if o.anonymise {
		l.mask = &masked{}
	}
	return l.report(l.listen(ctx, from))
}

// captureSource returns what is read: the file or the port that is named, else the port of the configuration.
func captureSource(p *cli.Program, o captureOrder) (s bridge.Source, err error) {
	if o.from != "" && (!o.anonymise || o.port != "" || o.serial != "") {
		return s, errors.New("--from FILE goes with --anonymise, and in place of a port")
	}
	if o.from == "" || o.config != "" {
		m, err := captureMeter(p, o)
		if err != nil {
			return s, err
		}
		s = daemon.SourceOf(m)
		if s.Options, err = daemon.OptionsOf(m); err != nil {
			return s, err
		}
	}
	if o.from != "" {
		options := s.Options
		s = capturedSource(o.from)
		s.Options = options
	}
	if o.keys.Given() {
		s.Options.Keys, err = o.keys.Open()
	}
	return s, err
}

// captureMeter returns the meter to read: that of the configuration, where one is named or no port is, else a port alone.
func captureMeter(p *cli.Program, o captureOrder) (m config.Meter, err error) {
	m = config.Meter{Serial: config.Serial{Auto: true}}
	if o.port != "" {
		err = m.Port.UnmarshalText([]byte(o.port))
	}
	if err == nil && (o.port == "" || o.config != "") {
		m, err = configuredMeter(p, o.config, m.Port)
	}
	if err != nil || o.serial == "" {
		return m, err
	}
	if err := m.Serial.UnmarshalText([]byte(o.serial)); err != nil {
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
		i, err := meterOn(cfg, port, file)
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

// captureHeader is what the first lines of a capture say. What tells a house from others is not among it: no name of a port,
// which has the number of its adapter in it, and no name of a machine.
func captureHeader() string {
	return fmt.Sprintf("%s, version %s\n", source.CaptureMark, cli.Version())
}

// captureRecorder keeps what it reads.
type captureRecorder struct {
	*listener
	wire io.Reader
}

// errKeep is a fault of the file, not of the wire.
type errKeep struct{ error }

func (e errKeep) Unwrap() error { return e.error }

func (r captureRecorder) Read(p []byte) (int, error) {
	n, err := r.wire.Read(p)
	if n > 0 {
		if fault := r.keep(time.Now(), p[:n]); fault != nil {
			return n, fault
		}
	}
	return n, err
}

// keep writes a line.
func (l *listener) keep(at time.Time, b []byte) error {
	l.line = source.Captured{At: at, Bytes: b}.Append(l.line[:0])
	if _, err := l.out.Write(l.line); err != nil {
		return errKeep{err}
	}
	return nil
}
