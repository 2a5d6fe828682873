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
	// Meters are the ids of further meters, which are not configured any more.
	Meters []string
	// All also removes the announcements of every meter that publishes below the base topic.
	All bool
}

// Clear implements the command discovery clear. It removes retained messages from the broker, and prints their topics. It does not remove the
// values of a meter that a running bridge publishes. It removes the announcement of such a meter, but the bridge possibly publishes it again.
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
	instance, err := storedInstance(setup)
	if err != nil && c.Values {
		p.PrintMessage("%v", err)
	}
	topics, inUse, err := c.topics(ctx, setup, instance)
	switch {
	case err != nil && !IsIncomplete(err):
		return cli.DataError(err)
	case err != nil:
		p.PrintMessage("%v: topics that were not read remain on the broker; when this command has ended, type it again", err)
	case len(topics)+len(inUse) == 0:
		where := "announced below " + output.Prefix
		if c.Values {
			where += fmt.Sprintf(", or published below %s,", output.BaseTopic)
		}
		fmt.Fprintf(p.Out, "nothing of this configuration is %s on %s\n", where, output.URL)
		return nil
	}
	for _, m := range inUse {
		p.PrintMessage("%s: the values of this meter remain: %s", m.Meter, m.InUse)
	}
	if err := mqtt.RemoveRetained(ctx, output, topics); err != nil {
		return cli.DataError(err)
	}
	// A broker also acknowledges a message that its access rules forbid, so the topics are read again.
	remaining, _, readErr := c.topics(ctx, setup, instance)
	if readErr != nil {
		return cli.DataError(fmt.Errorf("%d topics were removed, but it is not known whether they are still on the broker: %w", len(topics), readErr))
	}
	allFound := err == nil && len(inUse) == 0
	return c.report(p, topics, remaining, allFound)
}

// report prints those topics that were removed, and a message about those that remain. It returns an error if a topic remains, or if
// allFound is false. allFound is false if topics does not contain all topics that the user wants to remove.
func (c ClearOptions) report(p *cli.Program, topics, remaining []string, allFound bool) error {
	succeeded := allFound
	for _, topic := range topics {
		if slices.Contains(remaining, topic) {
			p.PrintMessage("%s is still on the broker (is this user allowed to publish to it, or has a bridge published it again?)", topic)
			succeeded = false
			continue
		}
		fmt.Fprintln(p.Out, topic)
	}
	switch {
	case !succeeded:
		return cli.ErrPrinted
	case c.Prefix == "" && !c.Values:
		fmt.Fprintln(p.Out, "removed. A bridge announces its meters again when the bridge or Home Assistant starts. homeassistant.discovery: off prevents this")
	default:
		fmt.Fprintln(p.Out, "removed")
	}
	return nil
}

// topics returns the topics to remove, with the announcements of both styles. inUse are the meters whose values must remain, because a bridge
// publishes them. If err is an *mqtt.IncompleteError, topics and inUse contain what was read. instance is nil if the bridge has no state file.
func (c ClearOptions) topics(ctx context.Context, setup *daemon.Setup, instance *bridge.Instance) (topics []string, inUse []mqtt.RetainedMeter, err error) {
	output := setup.MQTTOutput()
	// Without c.Values, published only adds ids of meters that are not configured any more, so an error is ignored.
	published, publishedErr := mqtt.OwnRetained(ctx, output, instance, setup.MeterIDs(), c.Meters)
	if c.Values && publishedErr != nil && !IsIncomplete(publishedErr) {
		return nil, nil, publishedErr
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
		err = cmp.Or(err, publishedErr)
	}
	return topics, inUse, err
}

// storedInstance returns the identity of this bridge from its state file, or nil if the bridge has no state file. The identity shows which
// meters on the broker this bridge has published.
func storedInstance(setup *daemon.Setup) (*bridge.Instance, error) {
	dir := setup.StateDirToRead()
	if dir == "" {
		return nil, nil
	}
	instance, err := bridge.StoredInstance(dir)
	if err != nil {
		err = fmt.Errorf("%w: it is not known which meters this bridge published before (type this command as the user that runs hanbridge)", err)
	}
	return instance, err
}
