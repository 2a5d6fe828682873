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

// ClearOptions say what the command discovery clear takes back. It always takes back the announcements of the bridge, of the configured
// meters, and of meters that this bridge has published before.
type ClearOptions struct {
	// Config is the configuration file. Prefix, if it is not "", replaces the configured discovery prefix.
	Config, Prefix string
	// Values also takes back all retained messages below the topics of these meters.
	Values bool
	// Meters are the ids of more meters, which are not configured any more.
	Meters []string
	// All also takes back the announcements of every meter that publishes below the base topic.
	All bool
}

// Clear takes back what c says, and prints the topics. A running bridge may announce its meters again; the values of its meters stay.
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
	to := setup.MQTTOutput()
	own, err := ownRuns(setup)
	if err != nil && c.Values {
		p.PrintMessage("%v", err)
	}
	topics, busy, err := c.topics(ctx, setup, own)
	switch {
	case err != nil && !IsIncomplete(err):
		return cli.DataError(err)
	case err != nil:
		p.PrintMessage("%v: what was not read stays; when this is done, do it again", err)
	case len(topics)+len(busy) == 0:
		where := "announced below " + to.Prefix
		if c.Values {
			where += fmt.Sprintf(", or published below %s,", to.BaseTopic)
		}
		fmt.Fprintf(p.Out, "nothing of this configuration is %s on %s\n", where, to.URL)
		return nil
	}
	for _, b := range busy {
		p.PrintMessage("%s: its values stay: %s", b.Meter, b.InUse)
	}
	if err := mqtt.TakeBack(ctx, to, topics); err != nil {
		return cli.DataError(err)
	}
	left, _, incomplete := c.topics(ctx, setup, own) // read again, because a broker acknowledges a message that its access rules forbid
	if incomplete != nil {
		return cli.DataError(fmt.Errorf("%d topics were taken back, and whether they are gone could not be read: %w", len(topics), incomplete))
	}
	return c.report(p, topics, left, err == nil && len(busy) == 0)
}

// report prints the topics that were taken back, and a message about each topic that is left. It returns an error unless all is gone and
// good is true.
func (c ClearOptions) report(p *cli.Program, topics, left []string, good bool) error {
	for _, topic := range topics {
		if slices.Contains(left, topic) {
			p.PrintMessage("%s is still there (may this user publish it, or has a bridge published it again?)", topic)
			good = false
			continue
		}
		fmt.Fprintln(p.Out, topic)
	}
	switch {
	case !good:
		return cli.ErrPrinted
	case c.Prefix == "" && !c.Values:
		fmt.Fprintln(p.Out, "taken back. A bridge announces again when it or Home Assistant starts: homeassistant.discovery: off keeps it from that")
	default:
		fmt.Fprintln(p.Out, "taken back")
	}
	return nil
}

// topics returns the topics to take back, with both styles of announcement, and the meters whose values must stay because a bridge uses
// them. With an *mqtt.IncompleteError it returns the topics that were read.
func (c ClearOptions) topics(ctx context.Context, setup *daemon.Setup, own *bridge.Instance) (topics []string, busy []mqtt.RetainedMeter, err error) {
	to := setup.MQTTOutput()
	published, incomplete := mqtt.OwnRetained(ctx, to, own, setup.MeterIDs(), c.Meters)
	if c.Values && incomplete != nil && !IsIncomplete(incomplete) {
		return nil, nil, incomplete
	}
	messages, err := mqtt.RetainedAnnouncements(ctx, to)
	ids := append(append(setup.MeterIDs(), config.BridgeID), c.Meters...)
	for _, m := range published {
		ids = append(ids, m.Meter)
	}
	for _, m := range announcementsOf(messages, ids, to.BaseTopic, c.All) {
		topics = append(topics, m.Topic)
	}
	for _, m := range published {
		if c.Values && m.InUse == "" {
			topics = append(topics, m.Topics...)
		} else if c.Values {
			busy = append(busy, m)
		}
	}
	if c.Values {
		err = cmp.Or(err, incomplete)
	}
	return topics, busy, err
}

// ownRuns returns the ids of this bridge's runs from its state, or nil if the bridge keeps no state.
func ownRuns(setup *daemon.Setup) (*bridge.Instance, error) {
	dir := setup.StateDirToRead()
	if dir == "" {
		return nil, nil
	}
	own, err := bridge.StoredInstance(dir)
	if err != nil {
		err = fmt.Errorf("%w: which meters this bridge published is not known from it (run this as the user that runs hanbridge)", err)
	}
	return own, err
}
