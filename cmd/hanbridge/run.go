package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
)

func runCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use:   "run",
		Short: "The bridge: reads the meters and publishes until it is stopped",
		Long: "Reads the meters and publishes until it is stopped.\n\nWithout --config it uses " + strings.Join(config.Places, " or ") +
			" where there is one, else environment variables alone.",
		Example: "  hanbridge run --config /etc/hanbridge/config.yaml\n" +
			"  HANBRIDGE_MQTT_URL=mqtt://localhost HANBRIDGE_METER_PORT=/dev/ttyUSB0 hanbridge run",
		Args: takes(0, 0),
	}
	file := c.Flags().String("config", "", "configuration `FILE`")
	c.RunE = func(c *cobra.Command, _ []string) error { return runBridge(c.Context(), p, *file) }
	return c
}

// runBridge loads the configuration and runs the bridge it describes.
func runBridge(ctx context.Context, p *cli.Program, file string) error {
	file = config.Found(file)
	cfg, err := cli.Loading(ctx, func() (config.Config, error) { return config.Load(file, p.Environ) })
	if errors.Is(err, cli.ErrStopped) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := cfg.NeedBroker(); err != nil {
		return err
	}
	ctx, _, toErr, done := cli.UntilPipeBreaks(ctx, p.Out, p.Err)
	defer done()
	log := newLogger(cfg.Log, toErr, cli.IsTerminal(p.Err))
	log.Info().Str("version", cli.Version()).Msg("hanbridge starts")
	log.Info().Str("source", cmp.Or(file, "no file")).Int("variables", config.CountVariables(p.Environ)).Msg("configuration read")
	for _, w := range cfg.MQTT.Warnings() {
		log.Warn().Str("source", w.Source).Msg(w.Message)
	}
	for _, w := range cfg.Warnings(file) {
		log.Warn().Str("source", w.Source).Msg(w.Message)
	}
	for _, m := range cfg.Meters {
		for _, w := range m.Warnings() {
			log.Warn().Str("meter", m.ID).Str("source", w.Source).Msg(w.Message)
		}
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50) // a seventh less memory for no CPU that can be measured: there is little garbage
	}
	w := wiring{Config: cfg, file: file, environ: p.Environ, log: log}
	b, stopInside, err := w.bridge()
	if err != nil {
		return err
	}
	defer stopInside()
	b.Plan(cfg.Plan())
	if dir := cfg.Remembered(); dir != "" {
		b.Remember(dir)
	}
	for i := range cfg.Meters {
		if err := w.addMeter(b, i); err != nil {
			return err
		}
	}
	if err := b.Run(ctx); err != nil {
		return cli.DataError(err)
	}
	log.Info().Msg("hanbridge ends")
	return nil
}

// newLogger writes for people on a terminal, and JSON elsewhere.
func newLogger(c config.Log, w io.Writer, terminal bool) zerolog.Logger {
	zerolog.TimeFieldFormat = time.RFC3339
	zerolog.DurationFieldUnit = time.Second
	level, err := zerolog.ParseLevel(c.Level)
	if err != nil {
		level = zerolog.InfoLevel
	}
	if c.Format == "console" || c.Format == "auto" && terminal {
		// What could steer the terminal it quotes, as all text that is not ASCII; messages are constants.
		return zerolog.New(zerolog.ConsoleWriter{Out: w, TimeFormat: time.TimeOnly, NoColor: !terminal}).Level(level).With().Timestamp().Logger()
	}
	return zerolog.New(safetext.JSON{W: w}).Level(level).With().Timestamp().Logger()
}
