package announcements

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/daemon"
)

// republishTime is how long TakeOver waits for another bridge that publishes its info message again.
const republishTime = time.Second

// TakeOver removes the retained info message of a configured meter from the broker. The info message describes the meter, and names the bridge
// that publishes its counters. Without an info message, the next bridge that reads a telegram of the meter publishes the counters. TakeOver
// returns an error if the broker has an info message again.
func TakeOver(ctx context.Context, p *cli.Program, file, meter string) error {
	setup, err := Load(p, file, "")
	if err == nil {
		err = setup.RequireBroker()
	}
	if err != nil {
		return err
	}
	if !slices.Contains(setup.MeterIDs(), meter) {
		return fmt.Errorf("no meter of the configuration has the id %q%s", meter, cli.DidYouMean(meter, setup.MeterIDs()))
	}
	ctx, cancel := context.WithTimeout(ctx, daemon.CheckTimeout)
	defer cancel()
	output := setup.MQTTOutput()
	if err := mqtt.RemoveRetained(ctx, output, []string{output.InfoTopic(meter)}); err != nil {
		return cli.DataError(err)
	}
	select {
	case <-ctx.Done():
	case <-time.After(republishTime):
	}
	all, err := mqtt.Retained(ctx, output, meter)
	if err != nil {
		return cli.DataError(err)
	}
	if all[meter]["info"] != "" { // a broker also acknowledges a message that its access rules forbid
		return cli.DataError(fmt.Errorf("%s is on the broker again: most likely the other bridge still runs. Stop that bridge, and type this command again. If no other bridge runs, "+
			"the broker's access rules do not permit this user to publish to that topic", output.InfoTopic(meter)))
	}
	fmt.Fprintf(p.Out, "the description of %s is removed from the broker: the next bridge that reads a telegram of this meter publishes the meter\n", meter)
	return nil
}
