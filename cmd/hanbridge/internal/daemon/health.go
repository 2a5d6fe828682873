package daemon

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/bridge/output/health"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
)

// healthAddresses returns the socket addresses at which the bridge of a configuration answers the command health.
func healthAddresses(c config.Config) []string {
	return health.SocketAddresses(c.StateDirToRead(), identity(c))
}

// identity returns a text that differs between the bridges on a machine.
func identity(c config.Config) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%q %q %q", c.StateDir, c.MQTT.ClientID, defaultClientID("hanbridge", c))
	for _, m := range c.Meters {
		fmt.Fprintf(&text, " %q", m.Port)
	}
	return text.String()
}

// Health asks the running bridge of a configuration file whether a part of the bridge is stuck, and prints the answer. A part is stuck if it
// has made no progress for the duration after. If a part is stuck or no bridge answers, the error has the exit code cli.ExitData.
func Health(ctx context.Context, p *cli.Program, file string, after time.Duration) error {
	c, err := cli.Interruptible(ctx, func() (config.Config, error) { return config.Load(config.FindFile(file), p.Environ) })
	if err != nil {
		return err
	}
	answer, err := health.Ask(ctx, healthAddresses(c), after)
	if err != nil {
		return cli.DataError(err)
	}
	if len(answer.Stuck) == 0 {
		fmt.Fprintln(p.Out, "healthy: no part of the bridge is stuck")
	}
	for _, note := range answer.Notes {
		fmt.Fprintln(p.Out, safetext.Escape(note))
	}
	if len(answer.Stuck) > 0 {
		return cli.DataError(errors.New(strings.Join(append(answer.Stuck, restart), "\n")))
	}
	return nil
}

// restart is the advice for a bridge with a stuck part.
const restart = "restart hanbridge. If this happens again, send the signal QUIT to hanbridge before the restart (kill -QUIT PID, " +
	"docker kill -s QUIT NAME), and report what hanbridge prints"
