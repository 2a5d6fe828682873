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

// A ClearOptions is what to take back, besides what is announced of the configured meters, of those that this bridge once
// published, and of the bridge.
type ClearOptions struct {
	// Config is the file of the configuration, Prefix another discovery prefix than is configured there, or "".
	Config, Prefix string
	// Values takes back what the broker retains below the topics of these meters too.
	Values bool
	// Meters are more meters, by their ids.
	Meters []string
	// All takes back what is announced of every meter that publishes below the base topic.
	All bool
}

// Clear takes back what c says and prints the topics. A bridge that runs may announce its meters again; their values are left to it.
func Clear(ctx context.Context, p *cli.Program, c ClearOptions) error {
	w, err := Load(p, c.Config, c.Prefix)
	if err == nil {
		err = w.RequireBroker()
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, ReadTimeout)
	defer cancel()
	to := w.MQTTOutput()
	own, err := ownRuns(w)
	if err != nil && c.Values {
		p.PrintMessage("%v", err)
	}
	topics, busy, err := c.topics(ctx, w, own)
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
	left, _, short := c.topics(ctx, w, own) // a broker acknowledges what its rules forbid
	if short != nil {
		return cli.DataError(fmt.Errorf("%d topics were taken back, and whether they are gone could not be read: %w", len(topics), short))
	}
	return c.report(p, topics, left, err == nil && len(busy) == 0)
}

// report prints the topics that were taken back, those that are left as mistakes, and whether all went well.
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

// topics returns the topics of what is to be taken back, in either style of announcement, and the meters whose values must
// stay. With an *mqtt.IncompleteError what was read is returned too.
func (c ClearOptions) topics(ctx context.Context, w *daemon.Setup, own *bridge.Instance) (topics []string, busy []mqtt.RetainedMeter, err error) {
	to := w.MQTTOutput()
	published, short := mqtt.OwnRetained(ctx, to, own, w.MeterIDs(), c.Meters)
	if c.Values && short != nil && !IsIncomplete(short) {
		return nil, nil, short
	}
	messages, err := mqtt.RetainedAnnouncements(ctx, to)
	ids := append(append(w.MeterIDs(), config.BridgeID), c.Meters...)
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
		err = cmp.Or(err, short)
	}
	return topics, busy, err
}

// ownRuns returns the runs of this bridge, as its state tells; nil where it has none.
func ownRuns(w *daemon.Setup) (*bridge.Instance, error) {
	dir := w.StateDirToRead()
	if dir == "" {
		return nil, nil
	}
	own, err := bridge.StoredInstance(dir)
	if err != nil {
		err = fmt.Errorf("%w: which meters this bridge published is not known from it (run this as the user that runs hanbridge)", err)
	}
	return own, err
}
