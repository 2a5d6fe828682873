// Package daemon builds a bridge with sources, outputs and a log from a configuration, and runs the bridge. It also runs the demo, which is
// a bridge with a simulated household.
package daemon

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
)

// Run loads the configuration and runs the bridge until ctx ends.
func Run(ctx context.Context, p *cli.Program, file string) error {
	file = config.FindFile(file)
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50) // saves a seventh of the memory and takes no measurable CPU time, because there is little garbage
	}
	cfg, err := cli.Interruptible(ctx, func() (config.Config, error) { return config.Load(file, p.Environ) })
	if errors.Is(err, cli.ErrStopped) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := cfg.RequireBroker(); err != nil {
		return err
	}
	limitProcessors(cfg)
	ctx, _, toErr, done := cli.UntilPipeBreaks(ctx, p.Out, p.Err)
	defer done()
	log := newLogger(cfg.Log, toErr, cli.IsTerminal(p.Err))
	logStart(log, p, cfg, file)
	setup := Setup{Config: cfg, file: file, environ: p.Environ, health: healthAddresses(cfg), Logger: log}
	b, stopBroker, err := setup.Bridge()
	if err != nil {
		return err
	}
	defer stopBroker()
	if dir := cfg.StateDirToWrite(); dir != "" {
		b.KeepState(dir)
	}
	for i := range cfg.Meters {
		if err := setup.addMeter(b, i); err != nil {
			return err
		}
	}
	if err := b.Run(ctx); err != nil {
		return cli.DataError(err)
	}
	log.Info().Msg("hanbridge ends")
	return nil
}

// fewMeters is the largest number of meters for which one processor is enough. At one telegram a second, 20 meters use about a tenth of it.
const fewMeters = 20

// limitProcessors lets the program use only one processor if that is enough for c. Otherwise each telegram wakes several threads, which takes a
// fifth of the CPU time. The environment variable GOMAXPROCS takes precedence.
func limitProcessors(c config.Config) {
	if os.Getenv("GOMAXPROCS") == "" && oneProcessorIsEnough(c) {
		runtime.GOMAXPROCS(1)
	}
}

// oneProcessorIsEnough reports whether c has few meters, and no recording, which is replayed faster with more processors.
func oneProcessorIsEnough(c config.Config) bool {
	isRecording := func(m config.Meter) bool { return m.Port.Kind == config.ReplayPort }
	return len(c.Meters) <= fewMeters && !slices.ContainsFunc(c.Meters, isRecording)
}

// logStart logs the version, the configuration file and the warnings about the configuration.
func logStart(log zerolog.Logger, p *cli.Program, cfg config.Config, file string) {
	log.Info().Str("version", cli.Version()).Msg("hanbridge starts")
	log.Info().Str("source", cmp.Or(file, "no file")).Int("variables", config.CountVariables(p.Environ)).Str("state_dir", cmp.Or(cfg.StateDirToWrite(), "off")).
		Msg("configuration read")
	for _, w := range cfg.Warnings(file) {
		log.Warn().Str("source", w.Source).Msg(w.Message)
	}
	for _, m := range cfg.Meters {
		for _, w := range m.Warnings() {
			log.Warn().Str("meter", m.ID).Str("source", w.Source).Msg(w.Message)
		}
	}
}

// newLogger returns a logger that writes to w in the format c.Format. The format auto is text for people if isTerminal is true, and
// JSON otherwise.
func newLogger(c config.Log, w io.Writer, isTerminal bool) zerolog.Logger {
	zerolog.TimeFieldFormat = time.RFC3339
	zerolog.DurationFieldUnit = time.Second
	level, err := zerolog.ParseLevel(c.Level)
	if err != nil {
		level = zerolog.InfoLevel
	}
	if c.Format == "console" || c.Format == "auto" && isTerminal {
		// ConsoleWriter quotes values with characters that are not printable ASCII. It does not quote messages, because messages are texts of
		// this program.
		return zerolog.New(zerolog.ConsoleWriter{Out: w, TimeFormat: time.TimeOnly, NoColor: !isTerminal}).Level(level).With().Timestamp().Logger()
	}
	return zerolog.New(safetext.JSONWriter{W: w}).Level(level).With().Timestamp().Logger()
}
