package daemon

import (
	"io"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
)

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
