package announcements

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/daemon"
)

// ClearOptions say what the command discovery clear removes from the broker. It always removes the announcements of the bridge, of the
// configured meters, and of other meters that this bridge has published before.
type ClearOptions struct {
	// Config is the configuration file. Prefix, if it is not "", replaces the configured discovery prefix.
	Config, Prefix string
	// Values also removes the values of these meters: all retained messages below <base topic>/<id of the meter>.
	Values bool
	// Meters are the ids of meters that are not configured any more.
	Meters []string
	// All also removes the announcements of every meter that publishes below the base topic.
	All bool
}

// Clear implements the command discovery clear. It removes retained messages from the broker, and prints their topics. The values of the meters
// of a running bridge remain. A running bridge possibly announces its meters again.
func Clear(ctx context.Context, p *cli.Program, c ClearOptions) error {
	setup, err := Load(p, c.Config, c.Prefix)
	if err == nil {
		err = setup.RequireBroker()
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, ReadTimeout)
	defer cancel()
	output := setup.MQTTOutput()
	own, err := ownRuns(setup)
	if err != nil && c.Values {
		p.PrintMessage("%v", err)
	}
	topics, inUse, err := c.topics(ctx, setup, own)
	switch {
	case err != nil && !IsIncomplete(err):
		return cli.DataError(err)
	case err != nil:
		p.PrintMessage("%v: what was not read stays; when this is done, do it again", err)
	case len(topics)+len(inUse) == 0:
		where := "announced below " + output.Prefix
		if c.Values {
			where += fmt.Sprintf(", or published below %s,", output.BaseTopic)
		}
		fmt.Fprintf(p.Out, "nothing of this configuration is %s on %s\n", where, output.URL)
		return nil
	}
	for _, m := range inUse {
		p.PrintMessage("%s: its values stay: %s", m.Meter, m.InUse)
	}
	if err := mqtt.TakeBack(ctx, output, topics); err != nil {
		return cli.DataError(err)
	}
	// A broker also acknowledges a message that its access rules forbid, so the topics are read again.
	remaining, _, incomplete := c.topics(ctx, setup, own)
	if incomplete != nil {
		return cli.DataError(fmt.Errorf("%d topics were taken back, and whether they are gone could not be read: %w", len(topics), incomplete))
	}
	return c.report(p, topics, remaining, err == nil && len(inUse) == 0)
}

// report prints the topics that were removed, and a message about each topic that remains. It returns an error if a topic remains, or if
// complete is false.
func (c ClearOptions) report(p *cli.Program, topics, remaining []string, complete bool) error {
	for _, topic := range topics {
		if slices.Contains(remaining, topic) {
			p.PrintMessage("%s is still there (may this user publish it, or has a bridge published it again?)", topic)
			complete = false
			continue
		}
		fmt.Fprintln(p.Out, topic)
	}
	switch {
	case !complete:
		return cli.ErrPrinted
	case c.Prefix == "" && !c.Values:
		fmt.Fprintln(p.Out, "taken back. A bridge announces again when it or Home Assistant starts: homeassistant.discovery: off keeps it from that")
	default:
		fmt.Fprintln(p.Out, "taken back")
	}
	return nil
}

// topics returns the topics to remove, with both styles of announcement. inUse are the meters whose values must remain, because a bridge
// publishes them. With an *mqtt.IncompleteError it returns the topics that were read.
func (c ClearOptions) topics(ctx context.Context, setup *daemon.Setup, own *bridge.Instance) (topics []string, inUse []mqtt.RetainedMeter, err error) {
	output := setup.MQTTOutput()
	published, incomplete := mqtt.OwnRetained(ctx, output, own, setup.MeterIDs(), c.Meters)
	if c.Values && incomplete != nil && !IsIncomplete(incomplete) {
		return nil, nil, incomplete
	}
	messages, err := mqtt.RetainedAnnouncements(ctx, output)
	ids := append(append(setup.MeterIDs(), config.BridgeID), c.Meters...)
	for _, m := range published {
		ids = append(ids, m.Meter)
	}
	for _, m := range announcementsOf(messages, ids, output.BaseTopic, c.All) {
		topics = append(topics, m.Topic)
	}
	for _, m := range published {
		if c.Values && m.InUse == "" {
			topics = append(topics, m.Topics...)
		} else if c.Values {
			inUse = append(inUse, m)
		}
	}
	if c.Values {
		err = cmp.Or(err, incomplete)
	}
	return topics, inUse, err
}

// ownRuns returns the marks of this bridge's runs from its state file, or nil if the bridge has no state file.
func ownRuns(setup *daemon.Setup) (*bridge.Instance, error) {
	dir := setup.StateDirToRead()
	if dir == "" {
		return nil, nil
	}
	own, err := bridge.StoredInstance(dir)
	if err != nil {
		err = fmt.Errorf("%w: it does not show which meters this bridge published before (run this as the user that runs hanbridge)", err)
	}
	return own, err
}
