package doctor

import (
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
)

// Order is what `doctor` is asked for.
type Order struct {
	Port, Config, Serial string
	Keys                 config.KeyFlags
	Dwell                time.Duration
	Write, Force, Json   bool
}
